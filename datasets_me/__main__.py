"""The command line: ``me-datasets``, or ``python -m datasets_me``."""

import signal
import sys


def start() -> None:
    """Load the command line and run it. Ctrl-C ends it without a traceback while it loads, too."""
    try:
        from datasets_me.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    start()
