"""The command line, from a checkout: ``python cli.py``."""

from datasets_me.__main__ import start

start()
