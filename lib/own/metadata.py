"""What a person wrote about the recordings of a folder: `metadata.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from lib.audit.tables import part_of
from lib.errors import HeldoutError
from lib.examples.context import is_context
from lib.files import safe_path
from lib.own.unused import is_unread
from lib.typed import (
    clean,
    read_typed_table,
    read_typed_text,
    typed_name,
    typed_numbers,
    typed_path,
)

METADATA = "metadata.csv"
REFERENCE = "reference.csv"

# Columns with a meaning of their own, and cells that say that a number is not known.
_MEANT = frozenset(("path", "label", "group", "split", "part"))
_UNKNOWN = frozenset(("", "na", "n/a", "nan", "none", "null", "unknown", "-", "?"))


def metadata_of(folder: str | Path) -> Path | None:
    """Find the table of a folder, in capitals or not; None where there is none."""
    files = [file for file in Path(folder).iterdir() if file.name.lower() == METADATA]
    return min((file for file in files if file.is_file()), default=None)


def read_metadata(file: Path) -> pd.DataFrame:
    """Read the table as text: paths within the folder, labels and groups that look alike the same.

    Raises
    ------
    HeldoutError
        As `lib.typed.read_typed_table`.
    """
    table = read_typed_table(file)
    if "path" in table:
        homes = [f"{home.as_posix()}/" for home in (file.parent, file.parent.resolve())]
        paths = [typed_path(path) for path in table["path"]]
        table["path"] = [path.removeprefix(homes[0]).removeprefix(homes[1]) for path in paths]
    for name in {"label", "group"} & set(table):
        table[name] = [typed_name(text) for text in table[name]]
    return table


def described(
    file: Path,
    names: Sequence[str],
    recordings: Sequence[str],
    *,
    labels: bool,
    context: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the recordings that the table names, and the numbers it has of them.

    Parameters
    ----------
    file : Path
        `metadata.csv`.
    names, recordings : sequence of str
        The files in its folder, and those of them that are recordings.
    labels : bool
        Whether each has a label.
    context : sequence of str
        Columns with a number for each.

    Returns
    -------
    table : pd.DataFrame
        The columns of `lib.own.table.examine`, in the order of the table.
    numbers : pd.DataFrame
        By path, the other columns that hold nothing but numbers, and more than one; NaN where a
        number is not known.

    Raises
    ------
    HeldoutError
        A column is missing, or a cell is not what it should be.
    """
    table = read_metadata(file)
    needed = ("path", "label") if labels else ("path",)
    missing = [name for name in needed if name not in table]
    if missing:
        raise HeldoutError(
            file,
            "the columns path and label, and perhaps group and split, with commas between them",
            ", ".join(map(str, table.columns)),
            f"Add {' and '.join(missing)}.",
        )
    table["path"] = Finder(names, recordings).find_all(table["path"])
    if not labels:
        table["label"] = ""
    for name in ("group", "split"):
        if name not in table:
            table[name] = ""
    unknown = sorted({text for text in table["split"] if text and not part_of(text)})
    outside = [path for path in table["path"] if not safe_path(path) or ":/" in path]
    twice = sorted(set(table.loc[table["path"].duplicated(), "path"]))
    unlabelled = table.loc[table["label"] == "", "path"].tolist() if labels else []
    partly = 0 < (table["group"] == "").sum() < len(table)
    ungrouped = table.loc[table["group"] == "", "path"].tolist() if partly else []
    folds = "Correct it. Where these are folds, name the column group: a group stays in one part."
    for wrong, wanted, advice in (
        (unknown, "train, validation or test in the column split", folds),
        (outside, "paths within the folder", f"Correct them: as seen from {file.parent}, a/b.wav."),
        (twice, "each path once", "Delete all rows of it but one."),
        (unlabelled, "a label for each path", "Add it, or delete the row."),
        (ungrouped, "a group for every path", "Add it."),
    ):
        if wrong:
            raise HeldoutError(file, wanted, ", ".join(wrong[:4]), advice)
    table["split"] = [part_of(text) if text else "" for text in table["split"]]
    known = {clean(name).lower() for name in context} | _MEANT
    numbers = _other_numbers(table.set_index("path").drop(columns=[*known], errors="ignore"))
    for name in context:
        table[name] = _numbers(file, table, name)
    return table[["path", "label", "group", "split", *context]], numbers


def _other_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Take the columns of numbers of a table of texts."""
    numbers = {}
    for name, texts in table.items():
        column = typed_numbers(texts).set_axis(table.index)
        column = column.where(is_context(column))
        known = [clean(text).lower() not in _UNKNOWN for text in texts]
        if column[known].notna().all() and column.nunique() > 1:
            numbers[name] = column
    return pd.DataFrame(numbers, index=table.index)


def reference_labels(
    folder: Path, names: Sequence[str], recordings: Sequence[str]
) -> dict[str, str]:
    """Read the label of each recording from `REFERENCE.csv` in its folder, if that is there.

    PhysioNet's challenges publish such lists: a line for each recording, with its name, its label
    and perhaps more, and no header.

    Parameters
    ----------
    folder : Path
        What the paths are within.
    names, recordings : sequence of str
        As for `described`.

    Returns
    -------
    dict of str to str
        Of the recordings that are listed; of none where these are fewer than half.

    Raises
    ------
    HeldoutError
        A list cannot be read, or gives a recording two labels.
    """
    finder = Finder(names, recordings)
    labels: dict[str, str] = {}
    known = set(recordings)
    for name in (one for one in names if PurePosixPath(one).name.lower() == REFERENCE):
        place = PurePosixPath(name).parent
        for line in read_typed_text(folder / name).splitlines():
            cells = [clean(cell) for cell in re.split("[,;\t]", line)]
            path = finder.find((place / typed_path(cells[0])).as_posix())
            if path not in known or len(cells) < 2 or not cells[1]:
                continue  # a header, or a recording that is not there
            label = typed_name(cells[1])
            if labels.setdefault(path, label) != label:
                raise HeldoutError(
                    folder / name,
                    "one label for each recording",
                    f"{labels[path]} and {label} for {path}",
                    "Delete the wrong line.",
                )
    return labels if 2 * len(labels) >= len(recordings) else {}


class Finder:
    """Finds the file that a path means: capitals, accents and a suffix may be written otherwise.

    Parameters
    ----------
    names, recordings : sequence of str
        The files in a folder, and those of them that are recordings.
    """

    def __init__(self, names: Sequence[str], recordings: Sequence[str]) -> None:
        self.names = set(names)
        self.alike = _unique((_key(name), name) for name in names)
        # A WFDB record is named without suffix, and a table of ids may name any file so.
        self.stems = _unique((_key(_stem(name)), name) for name in recordings)

    def find(self, path: str) -> str:
        """Return the name of the one file that a path can mean; the path where there is none."""
        if path in self.names:
            return path
        stem = _stem(path) if is_unread(path) else path  # it has been converted since
        return self.alike.get(_key(path)) or self.stems.get(_key(stem)) or path

    def find_all(self, paths: Iterable[str]) -> list[str]:
        """Return the names of the files that paths mean."""
        return [self.find(path) for path in paths]


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Map each key to its name, unless several have it."""
    names: dict[str, list[str]] = {}
    for key, name in pairs:
        names.setdefault(key, []).append(name)
    return {key: several[0] for key, several in names.items() if len(several) == 1}


def _key(path: str) -> str:
    return "/".join(typed_name(part).casefold() for part in path.split("/"))


def _stem(path: str) -> str:
    return path.removesuffix(PurePosixPath(path).suffix)


def _numbers(file: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """Read a column of a context, and name the recordings without a number."""
    column = clean(name).lower()
    if column not in table:
        raise HeldoutError(
            file,
            f"the column {name}, which folder.context names",
            ", ".join(map(str, table.columns)),
            "Add it, or remove it from the context.",
        )
    numbers = typed_numbers(table[column]).set_axis(table.index)
    bad = ~is_context(numbers)
    if bad.any():
        some = table.loc[bad, ["path", column]].head(4).itertuples(index=False)
        told = ", ".join(
            f"{text!r} for {path}" if text else f"nothing for {path}" for path, text in some
        )
        raise HeldoutError(
            f"{file}: column {name}",
            "a finite number for each recording, since folder.context names it",
            f"{told} ({bad.sum()} of {len(table)})",
            "Correct or fill it in, or remove it from the context.",
        )
    return numbers
