"""Reading the split of any project: a table, lists of files, or folders of parts or folds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from lib.datasets.files import SUFFIXES, recordings_below
from lib.errors import HeldoutError
from lib.splits.parts import PARTS
from lib.typed import (
    clean,
    read_typed_table,
    read_typed_text,
    says_nothing,
    typed_name,
    typed_numbers,
    typed_path,
)

COLUMNS = ("path", "part", "label", "group", "start", "end")
"""The columns of a table of files; `start` and `end` (s) are missing where a file is whole."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "path": (
        *("path", "file", "filename", "file_name", "filepath", "fname", "audio", "wav", "clip"),
        *("slice_file_name", "filename_hr", "filename_lr"),
    ),
    "part": ("part", "split", "set", "subset", "partition"),
    "fold": (
        *("fold", "folds", "strat_fold", "kfold", "fold_id", "test_fold", "cv_fold", "fold_number"),
        *("fold_idx", "split_fold"),
    ),
    "label": ("label", "class", "target", "category", "genre", "accent", "diagnosis"),
    "group": (
        *("group", "patient", "patient_id", "subject", "subject_id", "speaker", "speaker_id"),
        *("client_id", "artist", "record", "recording", "src_file", "fsid"),
    ),
    "start": ("start", "onset", "start_s"),
    "end": ("end", "offset", "end_s"),
}
"""How tables call each column, the usual name first; case does not matter."""

SITES = (
    *("site", "hospital", "clinic", "centre", "center", "device", "recorder", "microphone"),
    *("dataset", "database"),
)
"""Columns that say where or with what something was recorded; they are kept as they are called."""

_WORDS = {
    "train": ("train", "training", "trn", "learn"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "heldout", "holdout"),
}
_FOLD = re.compile(r"(?:cv[\s_-]*)?fold[\s_-]*(\d+)", re.IGNORECASE)
# Of a column of folds.
_NUMBER = re.compile(r"(\d+)(?:\.0*)?")


def part_of(text: str) -> str:
    """Name the part that a text means (`_train`, `valid_filtered.txt`), or an empty text."""
    words = re.split(r"[^a-z]+", text.lower())
    parts = [part for part, names in _WORDS.items() if set(names) & set(words)]
    return parts[0] if len(parts) == 1 else ""


def side_of(text: str, *, numbers: bool = False) -> str:
    """Name the part or the fold that a text means, or an empty text.

    Parameters
    ----------
    text : str
        Such as `_train`, `Fold_03`.
    numbers : bool
        Whether a number alone is a fold.

    Examples
    --------
    >>> side_of("dev.clean"), side_of("Fold_03"), side_of("3"), side_of("3", numbers=True)
    ('validation', 'fold 3', '', 'fold 3')
    """
    text = clean(text)
    fold = _FOLD.fullmatch(text) or (_NUMBER.fullmatch(text) if numbers else None)
    return f"fold {int(fold[1])}" if fold else part_of(text)


def read_split(
    source: str | Path, *, group_pattern: str | None = None, label_pattern: str | None = None
) -> pd.DataFrame:
    """Read which file stands in which part, or in which fold.

    Parameters
    ----------
    source : str or Path
        A table (as for `lib.typed.read_typed_table`) with a path and a part or a fold in each row;
        a folder of text lists (`train.txt`, `fold1.txt`, …) with a path in each line; or a folder
        with a folder for each part or fold, below which stand folders named after the classes.
    group_pattern, label_pattern : str, optional
        Regular expressions with one group, searched in each path; they fill the cells that are
        empty in the source. With neither a column nor a pattern, the label is the name of the
        folder that holds the file.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: text, empty where it is not known; `start` and `end` are float (s), NaN where a
        row is a whole file. Paths have / between their parts; a part is of `PARTS`, or `fold 1`.
        Then the columns of `SITES` that the table has.

    Raises
    ------
    HeldoutError
        Nothing can be read, a column is missing, a part is not known, or a pattern is no regular
        expression with one group.
    """
    source = Path(source)
    if source.is_dir():
        table = _lists(source) if _texts(source) else _folders(source)
    else:
        table = _table(source)
    table["path"] = paths = table["path"].map(typed_path)
    if label_pattern is None and "label" not in table:
        # The name of a part is no class: files that stand directly in it have no label.
        folders = [Path(path).parent.name for path in paths]
        table["label"] = ["" if side_of(name) else name for name in folders]
    for name, pattern in (("label", label_pattern), ("group", group_pattern)):
        table[name] = table[name].map(typed_name) if name in table else ""
        if name == "group":
            table[name] = ["" if says_nothing(text) else text for text in table[name]]
        if pattern is not None:
            searched = _searched(paths, pattern, name)
            table[name] = table[name].where(table[name] != "", searched)
    for name in ("start", "end"):
        table[name] = _times(source, table[name]) if name in table else float("nan")
    sites = [name for name in SITES if name in table]
    table[sites] = table[sites].map(typed_name)
    return table[[*COLUMNS, *sites]].reset_index(drop=True)


def _times(source: Path, texts: pd.Series) -> pd.Series:
    times = typed_numbers(texts)
    wrong = times.isna().to_numpy() & (texts != "").to_numpy()
    if wrong.any():
        raise HeldoutError(
            f"{source}: column {texts.name}",
            "seconds, such as 1.5",
            f"{texts[wrong].iloc[0]!r} ({wrong.sum()} of {len(texts)})",
            "Correct it, or empty the cells of whole files.",
        )
    return times


def _texts(folder: Path) -> list[Path]:
    """List the texts that are named as a part or a fold, in capitals or not."""
    files = [file for file in folder.iterdir() if file.suffix.lower() == ".txt"]
    return sorted(file for file in files if side_of(file.stem))


def _lists(folder: Path) -> pd.DataFrame:
    rows = []
    for file in _texts(folder):
        lines = map(clean, read_typed_text(file, kind="a list of paths").splitlines())
        rows += [{"path": line, "part": side_of(file.stem)} for line in lines if line]
    return _some(pd.DataFrame(rows), folder)


def _folders(folder: Path) -> pd.DataFrame:
    rows = [
        {"path": path, "part": part}
        for path in recordings_below(folder)
        if "/" in path and (part := side_of(path.partition("/")[0]))
    ]
    return _some(pd.DataFrame(rows), folder)


def _some(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    if table.empty:
        raise HeldoutError(
            folder,
            f"lists of files or folders named {', '.join(PARTS)} or fold1, … with recordings "
            f"({', '.join(sorted(SUFFIXES))})",
            "neither",
            "Name a table with the columns path and part instead.",
        )
    return table


def _table(path: Path) -> pd.DataFrame:
    table = read_typed_table(path)
    columns = {}
    for wanted, names in NAMES.items():
        there = [name for name in names if name in table]
        if there:
            columns[there[0]] = wanted
    for wanted, others in (("path", NAMES["path"][1:5]), ("part", (*NAMES["part"][1:], "fold"))):
        if not {wanted, others[-1]} & set(columns.values()):
            raise HeldoutError(
                path,
                f"a column {wanted} (or {', '.join(others)})",
                ", ".join(table.columns),
                "Rename one.",
            )
    sites = [name for name in SITES if name in table]
    table = table[[*columns, *sites]].rename(columns=columns)
    if "fold" in table:
        table = _with_folds(path, table)
    parts = table["part"].map(side_of)
    if (parts == "").any():
        strange = sorted(set(table.loc[parts == "", "part"].replace("", "nothing")))
        raise HeldoutError(
            path,
            f"the parts {', '.join(PARTS)}",
            ", ".join(strange[:6]),
            "Name them so, or fold1, fold2, …; leave out rows of no part. Numbers are folds in a "
            "column fold.",
        )
    empty = table["path"] == ""
    if empty.any():
        raise HeldoutError(
            path,
            "a path in every row",
            f"none in {empty.sum()} of {len(table)}, the first in row {empty.argmax() + 1}",
            "Fill them in, or leave these rows out.",
        )
    return table.assign(part=parts)


def _with_folds(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Take folds for parts, unless a column divides the files in parts already."""
    if "part" not in table or table["part"].map(part_of).nunique() < 2:
        folds = table["fold"].map(lambda text: side_of(text, numbers=True))
        return table.assign(part=folds.where(folds != "", table["fold"]))
    several = table.groupby("path")["fold"].nunique() > 1
    if several.any():
        raise HeldoutError(
            path,
            "each file in one fold, or a column part without folds",
            f"{several.sum()} files with a part in each of several folds, such as "
            f"{several.idxmax()}",
            "Write a table for each fold, and audit one after the other.",
        )
    return table


def compile_pattern(pattern: str, name: str) -> re.Pattern[str]:
    """Compile a pattern over file names, whose one group in brackets is what it names.

    Raises
    ------
    HeldoutError
        It is no regular expression, or has no group or several.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise HeldoutError(
            f"{name} pattern {pattern!r}",
            "a regular expression",
            f"{error}",
            "Correct the pattern.",
        ) from error
    if compiled.groups != 1:
        raise HeldoutError(
            f"{name} pattern {pattern!r}",
            "one group in brackets",
            f"{compiled.groups}",
            f"Put brackets around what names the {name}, such as '_(p[0-9]+)_'.",
        )
    return compiled


def _searched(paths: Iterable[str], pattern: str, name: str) -> list[str]:
    """Search each path for a pattern; empty where it does not match."""
    compiled = compile_pattern(pattern, name)
    matches = [compiled.search(path) for path in paths]
    if not any(matches):
        raise HeldoutError(
            f"{name} pattern {pattern!r}",
            f"it in the paths, such as {next(iter(paths), 'none')}",
            "it in none",
            "Correct it.",
        )
    return [match[1] or "" if match else "" for match in matches]
