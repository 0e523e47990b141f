"""The command line, from a checkout: ``python cli.py``."""

from datasets_me.cli import main

main()
