"""Several datasets as one folder, so that a study can train on one and be tested on another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from lib.datasets.dataset import ABOUT
from lib.datasets.registry import DATASETS
from lib.errors import HeldoutError
from lib.files import symlink, write_table
from lib.own.headers import named
from lib.own.metadata import METADATA
from lib.own.table import examine

COLUMN = "dataset"
"""The column of `metadata.csv` that says where a recording is from."""


def join(folders: Mapping[str, Path], into: str | Path) -> tuple[pd.DataFrame, list[str]]:
    """Make a folder with a link to each dataset, and a table of all of their recordings.

    Nothing is copied, and nothing is written to a dataset.

    Parameters
    ----------
    folders : mapping of str to Path
        What each dataset is called, and where it lies. One that has the name of a published corpus
        is read as such; any other as a person's own folder (`lib.own.table.examine`).
    into : str or Path
        The folder to make.

    Returns
    -------
    table : pd.DataFrame
        What `metadata.csv` then holds: `path`, `label`, `group` (which begins with the dataset, and
        is the recording where none is known), `dataset`, and the columns of
        `lib.datasets.dataset.ABOUT` that a dataset has.
    told : list of str
        What there is to know before a study is made of it: labels that a dataset lacks, and what
        `lib.own.table.examine` warns of.

    Raises
    ------
    HeldoutError
        There are fewer than two datasets, a name is none of a folder, something is there already,
        or a dataset cannot be read.
    """
    into = Path(into)
    if len(folders) < 2:
        raise HeldoutError("datasets", "two or more", str(len(folders)), "Name another one.")
    for name in folders:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise HeldoutError(
                f"name {name!r}", "letters, digits, - and _", "others", "Choose another name."
            )
    if into.exists() and any(into.iterdir()):
        raise HeldoutError(
            into,
            "a folder that is empty, or not there",
            "one with files, which are not overwritten",
            "Choose another one.",
        )
    tables, told = {}, []
    for name, folder in folders.items():
        if name in DATASETS:
            tables[name] = _published(name, folder)
            continue
        contents = examine(folder)
        tables[name] = contents.table
        told += [f"{name}: {caution}" for caution in contents.cautions]
    every = sorted({label for table in tables.values() for label in table["label"]})
    for name, table in tables.items():
        lacking = [label for label in every if label not in set(table["label"])]
        if lacking:
            told.append(
                f"{name} has no recording labelled {named(lacking)}. Put labels that mean the same "
                "into one class of the study, and leave the others out of it."
            )
    rows = [
        table.assign(
            path=[f"{name}/{path}" for path in table["path"]],
            group=[
                f"{name}/{group or path}"
                for group, path in zip(table["group"], table["path"], strict=True)
            ],
            dataset=name,
        )
        for name, table in tables.items()
    ]
    joined = pd.concat(rows, ignore_index=True)
    about = [name for name in ABOUT if name in joined]
    joined = joined[["path", "label", "group", COLUMN, *about]]
    into.mkdir(parents=True, exist_ok=True)
    for name, folder in folders.items():
        symlink(into / name, Path(folder).resolve())
    write_table(into / METADATA, joined)
    return joined, told


def _published(name: str, folder: Path) -> pd.DataFrame:
    """List the labelled recordings of a published corpus."""
    if DATASETS[name].examples_have_labels:
        raise HeldoutError(
            name,
            "a dataset whose recordings have a label each",
            "one whose beats have them",
            "Call it otherwise, and have metadata.csv in it say the label of each recording.",
        )
    table = DATASETS[name].recordings(folder)
    table = table[(table["label"] != "") & (table["split"] != "predict")]
    within = [Path(path).relative_to(folder).as_posix() for path in table["path"]]
    return table.assign(path=within).reset_index(drop=True)
