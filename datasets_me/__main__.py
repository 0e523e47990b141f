"""The command line: ``python -m datasets_me``."""

from datasets_me.cli import main

main()
