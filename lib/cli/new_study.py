"""Write the study of a folder of your own recordings, to be changed at will."""

from __future__ import annotations

import argparse
import re
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("folder", metavar="PATH", type=Path, help="a folder for each class, or with metadata.csv")
    add("--name", help="name of the study; that of the folder without it")
    add("--groups", metavar="REGEX", help="what in a path names the person: '(p[0-9]+)_'")
    add(
        "--beats",
        choices=("codes", "recordings"),
        help="an example is an annotated beat of a WFDB record, of the class of its annotation "
        "code, or of its recording",
    )
    add("--context", metavar="COLUMNS", help="numbers of metadata.csv to be told: age,position")
    add("--by", metavar="COLUMN", help="column of metadata.csv that names the site or dataset")
    add("--exclude", metavar="NAMES", help="recordings and folders to leave out: extra,a/b.wav")
    add("--variable", help="variable of .mat files that holds the samples")
    add("--rate", help="sampling rate of .mat files in Hz, or the variable that holds it")
    add("--studies", type=Path, default=Path("config/studies"), help="where studies are")


def run(arguments: argparse.Namespace) -> int:
    """Write the study."""
    from lib.cli.predict import rate_of
    from lib.errors import HeldoutError
    from lib.files import atomic
    from lib.own.study import describe
    from lib.own.survey import left_out_notes
    from lib.typed import clean, typed_path

    name = arguments.name or re.sub(r"\W+", "_", arguments.folder.resolve().name).strip("_")
    if _is_number(name) and not arguments.name:
        name = f"study_{name}"
    file = arguments.studies / f"{name}.yaml"
    if not re.fullmatch(r"[A-Za-z0-9_]+", name) or name == "folder" or _is_number(name):
        raise HeldoutError(
            f"name {name!r}",
            "letters, digits and underscores, and not `folder`",
            "one that reads as a number on the command line" if _is_number(name) else "",
            "Choose another one with --name.",
        )
    if file.exists():
        raise HeldoutError(
            file,
            "no study of that name, since none is overwritten",
            advice="Choose another one with --name, or move the file away.",
        )
    text, contents = describe(
        arguments.folder,
        groups=arguments.groups,
        beats=arguments.beats,
        context=list(filter(None, map(clean, (arguments.context or "").split(",")))),
        exclude=list(filter(None, map(typed_path, (arguments.exclude or "").split(",")))),
        by=arguments.by,
        variable=arguments.variable,
        rate=rate_of(arguments.rate),
    )
    with atomic(file) as part:
        part.write_text(text, encoding="utf-8")
    for line in (*contents.cautions, *left_out_notes(contents.left_out), *contents.notes):
        print(line)
    print(f"{file}\nLook through it, then: snakemake --cores all --config studies={name}")
    return 0


def _is_number(name: str) -> bool:
    """Tell whether Snakemake would read a name as a number or a truth value: 007, 1e3, True."""
    try:
        float(name)
    except ValueError:
        return name in ("True", "False")
    return True
