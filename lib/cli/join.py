"""Make one folder of several datasets, to train on one and test on another."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("datasets", metavar="NAME=PATH", nargs="+", help="what a dataset is called, and its folder")
    add("--into", metavar="FOLDER", type=Path, required=True, help="the folder to make")


def run(arguments: argparse.Namespace) -> int:
    """Write the folder, and say how a study is made of it."""
    from lib.errors import HeldoutError
    from lib.own.join import join

    folders = {}
    for text in arguments.datasets:
        name, equals, path = text.partition("=")
        if not equals or not path or name in folders:
            raise HeldoutError(
                text,
                "a name, = and a folder, each name once",
                "another",
                "Such as ours=recordings.",
            )
        folders[name] = Path(path)
    table, told = join(folders, arguments.into)
    for line in told:
        print(line)
    counts = table.groupby("dataset", sort=False).size()
    print("; ".join(f"{name}: {count:,} recordings" for name, count in counts.items()))
    print(
        f"{arguments.into}\nThen: python -m lib new-study {arguments.into}, and a protocol by "
        "dataset as docs/sites.md has it."
    )
    return 0
