"""The command line: `python -m lib COMMAND`."""

import sys

from lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
