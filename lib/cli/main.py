"""The commands of `python -m lib`, one module each."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lib import __version__
from lib.cli import audit, deploy, doctor, export, join, new_study, predict
from lib.errors import HeldoutError

COMMANDS = (predict, audit, export, new_study, join, deploy, doctor)


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    # The same as a command of its own, where the package was installed.
    own = Path(sys.argv[0]).stem == "heldout"
    top = argparse.ArgumentParser(
        prog="heldout" if own else "python -m lib",
        description="Work with recordings and trained networks of your own.",
    )
    top.add_argument("--version", action="version", version=f"heldout {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        help_text = (module.__doc__ or "").strip().splitlines()[0]
        command = commands.add_parser(name, help=help_text, description=help_text)
        module.add_arguments(command)
        command.set_defaults(command=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line, without the name of the program; those of this process without it.

    Returns
    -------
    int
        The exit status: 0, or 1 where a file failed, a split leaks, or the project raised an error
        (its text is on standard error).
    """
    chosen = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        return int(chosen.command(chosen))
    except HeldoutError as error:
        print(f"heldout: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`); what is left to print has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
