"""The commands: `python -m lib COMMAND`."""

from lib.cli.main import main, parser

__all__ = ["main", "parser"]
