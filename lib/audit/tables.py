"""Reading the split of any project: a table, lists of files, or folders named after the parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from lib.datasets.files import SUFFIXES, recordings_below
from lib.errors import HeldoutError
from lib.splits.parts import PARTS

COLUMNS = ("path", "part", "label", "group", "start", "end")
"""The columns of a table of files; `start` and `end` (s) are missing where a file is whole."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "filepath", "fname", "audio", "wav", "clip"),
    "part": ("part", "split", "set", "subset", "partition", "fold"),
    "label": ("label", "class", "target", "category", "genre", "accent", "diagnosis"),
    "group": (
        "group",
        "patient",
        "patient_id",
        "subject",
        "subject_id",
        "speaker",
        "speaker_id",
        "client_id",
        "artist",
        "record",
        "recording",
    ),
    "start": ("start", "onset", "start_s"),
    "end": ("end", "offset", "end_s"),
}
"""How tables call each column, the usual name first; case does not matter."""

_WORDS = {
    "train": ("train", "training", "trn", "learn"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "heldout", "holdout"),
}


def part_of(text: str) -> str:
    """Name the part that a text means (`_train`, `valid_filtered.txt`), or an empty text."""
    words = re.split(r"[^a-z]+", text.lower())
    parts = [part for part, names in _WORDS.items() if set(names) & set(words)]
    return parts[0] if len(parts) == 1 else ""


def read_split(
    source: str | Path,
    *,
    group_pattern: str | None = None,
    label_pattern: str | None = None,
) -> pd.DataFrame:
    """Read which file stands in which part.

    Parameters
    ----------
    source : str or Path
        A table (CSV, TSV, Parquet) with a path and a part in each row; a folder of text lists
        (`train.txt`, …) with a path in each line; or a folder with a folder for each part, below
        which stand folders named after the classes.
    group_pattern, label_pattern : str, optional
        Regular expressions with one group, searched in each path; they fill the cells that are
        empty in the source. With neither a column nor a pattern, the label is the name of the
        folder that holds the file.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: text, empty where it is not known; `start` and `end` are float (s), NaN where a
        row is a whole file. Paths are as the source gives them.

    Raises
    ------
    HeldoutError
        Nothing can be read, a column is missing, a part is not known, or a pattern is no regular
        expression with one group.
    """
    source = Path(source)
    if source.is_dir():
        table = _lists(source) if _has_lists(source) else _folders(source)
    else:
        table = _table(source)
    paths = table["path"].astype(str)
    if label_pattern is None and "label" not in table:
        # The name of a part is no class: files that stand directly in it have no label.
        folders = [Path(path).parent.name for path in paths]
        table["label"] = ["" if part_of(name) else name for name in folders]
    for name, pattern in (("label", label_pattern), ("group", group_pattern)):
        table[name] = table[name].fillna("").astype(str) if name in table else ""
        if pattern is not None:
            searched = _searched(paths, pattern, name)
            table[name] = table[name].where(table[name] != "", searched)
    for name in ("start", "end"):
        table[name] = pd.to_numeric(table[name], errors="coerce") if name in table else float("nan")
    return table[list(COLUMNS)].reset_index(drop=True)


def _has_lists(folder: Path) -> bool:
    return any(part_of(file.stem) for file in folder.glob("*.txt"))


def _lists(folder: Path) -> pd.DataFrame:
    rows = []
    for file in sorted(file for file in folder.glob("*.txt") if part_of(file.stem)):
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            advice = "Save it as UTF-8, with a path in each line."
            raise HeldoutError(file, "a list of paths in UTF-8", str(error), advice) from error
        rows += [
            {"path": line.strip(), "part": part_of(file.stem)} for line in lines if line.strip()
        ]
    return _some(pd.DataFrame(rows), folder)


def _folders(folder: Path) -> pd.DataFrame:
    rows = [
        {"path": path, "part": part}
        for path in recordings_below(folder)
        if "/" in path and (part := part_of(path.partition("/")[0]))
    ]
    return _some(pd.DataFrame(rows), folder)


def _some(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    if table.empty:
        raise HeldoutError(
            folder,
            f"lists of files or folders named {', '.join(PARTS)} with recordings "
            f"({', '.join(sorted(SUFFIXES))})",
            "neither",
            "Name a table with the columns path and part instead.",
        )
    return table


def _table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            separator = "\t" if path.suffix == ".tsv" else ","
            table = pd.read_csv(
                path, sep=separator, dtype=str, keep_default_na=False, na_values=[""]
            )
    except (OSError, ValueError) as error:
        raise HeldoutError(
            path,
            "a table (.csv, .tsv, .parquet) or a folder",
            str(error),
            "Correct its name, or save it as UTF-8 with commas (.csv) or tabs (.tsv) between its "
            "columns.",
        ) from error
    known = {str(name).strip().lower(): name for name in table.columns}
    columns = {}
    for wanted, names in NAMES.items():
        there = [name for name in names if name in known]
        if there:
            columns[known[there[0]]] = wanted
    for wanted in ("path", "part"):
        if wanted not in columns.values():
            raise HeldoutError(
                path,
                f"a column {wanted} (or {', '.join(NAMES[wanted][1:5])})",
                ", ".join(map(str, table.columns)),
                "Rename one.",
            )
    table = table[list(columns)].rename(columns=columns)
    parts = table["part"].fillna("").astype(str).map(part_of)
    if (parts == "").any():
        strange = sorted(set(table.loc[parts == "", "part"].fillna("nothing").astype(str)))
        raise HeldoutError(
            path,
            f"the parts {', '.join(PARTS)}",
            ", ".join(strange[:6]),
            "Name them so; leave out rows of no part.",
        )
    paths = table["path"].fillna("").astype(str)
    empty = paths == ""
    if empty.any():
        raise HeldoutError(
            path,
            "a path in every row",
            f"none in {empty.sum()} of {len(paths)}, the first in row {empty.argmax() + 1}",
            "Fill them in, or leave these rows out.",
        )
    return table.assign(path=paths, part=parts)


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
