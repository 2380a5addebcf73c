"""What a person wrote about the recordings of a folder: `metadata.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from lib.audit.tables import NAMES, part_of
from lib.datasets.dataset import ABOUT
from lib.datasets.files import SUFFIXES
from lib.errors import HeldoutError, meant
from lib.examples.context import is_context
from lib.files import safe_path
from lib.own.headers import by_key, named
from lib.own.unused import is_unread
from lib.typed import (
    clean,
    read_typed_table,
    read_typed_text,
    says_nothing,
    typed_name,
    typed_numbers,
    typed_path,
)

METADATA = "metadata.csv"
REFERENCE = "reference.csv"

# Columns with a meaning of their own.
_MEANT = frozenset(("path", "label", "group", "split", "part"))


# Columns that may be called as in the tables of others.
_CALLED = {"group": "group", "split": "part"}


class Described(NamedTuple):
    """What `metadata.csv` says: see `described`."""

    table: pd.DataFrame
    numbers: pd.DataFrame
    notes: list[str]
    cautions: list[str]


def metadata_of(folder: str | Path) -> Path | None:
    """Find the table of a folder, in capitals or not; None where there is none."""
    files = [file for file in Path(folder).iterdir() if file.name.lower() == METADATA]
    return min((file for file in files if file.is_file()), default=None)


def read_metadata(file: Path) -> pd.DataFrame:
    """Read the table as text: paths within the folder, labels and groups that look alike the same.

    Groups and parts are taken from a column that others call so (`speaker`, `subset`), where there
    is no other; `attrs["taken"]` says from which.

    Raises
    ------
    HeldoutError
        As `lib.typed.read_typed_table`.
    """
    table = read_typed_table(file)
    table.attrs["columns"] = list(map(str, table.columns))
    table.attrs["taken"] = _taken(table)
    for name, source in table.attrs["taken"].items():
        table[name] = table[source]
    if "path" in table:
        homes = [f"{home.as_posix()}/" for home in (file.parent, file.parent.resolve())]
        paths = [typed_path(path) for path in table["path"]]
        table["path"] = [path.removeprefix(homes[0]).removeprefix(homes[1]) for path in paths]
    for name in {"label", "group"} & set(table):
        table[name] = [typed_name(text) for text in table[name]]
    if "group" in table:
        table["group"] = ["" if says_nothing(text) else text for text in table["group"]]
    return table


def described(
    file: Path,
    names: Sequence[str],
    recordings: Sequence[str],
    *,
    labels: bool,
    context: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Described:
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
    columns : sequence of str
        Columns that are kept as text, beside those of `lib.datasets.dataset.ABOUT`.

    Returns
    -------
    table : pd.DataFrame
        The columns of `lib.own.table.examine`, in the order of the table.
    numbers : pd.DataFrame
        By path, the other columns that hold nothing but numbers, and more than one; NaN where a
        number is not known.
    notes, cautions : list of str
        What there is to say of the table.

    Raises
    ------
    HeldoutError
        A column is missing, or a cell is not what it should be.
    """
    table = read_metadata(file)
    needed = ("path", "label") if labels else ("path",)
    missing = [name for name in needed if name not in table]
    if missing:
        spelt = {name: next((one for one in NAMES[name] if one in table), "") for name in missing}
        renamed = [f"{other} to {name}" for name, other in spelt.items() if other]
        so = f" (rename {' and '.join(renamed)})" if renamed else ""
        raise HeldoutError(
            file,
            "the columns path and label, and perhaps group and split, with commas between them"
            + so,
            ", ".join(map(str, table.columns)),
            "Name the columns in a row above: path,label."
            if any(name.endswith(tuple(SUFFIXES)) for name in table.columns)
            else f"Add {' and '.join(missing)}.",
        )
    taken = table.attrs["taken"]
    finder = Finder(names, recordings, home=file.parent.resolve().name)
    table["path"] = finder.find_all(table["path"])
    unclear = [
        f"{path}, which may be {named(several, most=2)}"
        for path in dict.fromkeys(table["path"])
        if (several := finder.several(path))
    ]
    repeated = table.duplicated()
    table = table[~repeated].reset_index(drop=True)
    if not labels:
        table["label"] = ""
    for name in ("group", "split"):
        if name not in table:
            table[name] = ""
    unknown = sorted({text for text in table["split"] if text and not part_of(text)})
    outside = [path for path in table["path"] if not safe_path(path) or ":/" in path]
    twice = sorted(set(table.loc[table["path"].duplicated(), "path"]))
    labelled = table.groupby("path")["label"].unique() if labels else pd.Series(dtype=object)
    contradicting = [
        f"{path}, labelled {' and '.join(several)}"
        for path, several in labelled.items()
        if len(several) > 1
    ]
    unlabelled = table.loc[table["label"] == "", "path"].tolist() if labels else []
    partly = 0 < (table["group"] == "").sum() < len(table)
    ungrouped = table.loc[table["group"] == "", "path"].tolist() if partly else []
    folds = "Correct it. Where these are folds, name the column group: a group stays in one part."
    for wrong, wanted, advice in (
        (unknown, "train, validation or test in the column split", folds),
        (outside, "paths within the folder", f"Correct them: as seen from {file.parent}, a/b.wav."),
        (unclear, "paths that each mean one file", "Write the folder before the name, too."),
        (contradicting, "each path once", "Correct or delete the wrong rows."),
        (twice, "each path once", "Delete all rows of it but one."),
        (unlabelled, "a label for each path", "Add it, or delete the row."),
        (ungrouped, "a group for every path", "Add it."),
    ):
        if wrong:
            raise HeldoutError(file, wanted, ", ".join(wrong[:4]), advice)
    table["split"] = [part_of(text) if text else "" for text in table["split"]]
    known = {clean(name).lower() for name in context} | _MEANT | set(taken.values())
    others = table.set_index("path").drop(columns=[*known], errors="ignore")
    numbers = _other_numbers(others)
    notes = [f"Of {file.name} {source} is taken for {name}." for name, source in taken.items()]
    if repeated.any():
        notes.append(f"Rows of {file.name} that repeat another one: {repeated.sum()}.")
    gone = [name for name in columns if name not in table]
    if gone:
        raise HeldoutError(
            file,
            f"a column {gone[0]}, by which a protocol divides",
            ", ".join(map(str, table.columns)),
            "Add it, or correct `by` of the protocol: names of columns are in small letters here.",
        )
    kept = dict.fromkeys([*ABOUT, *columns])
    about = [name for name in kept if name in table and name not in {*context, *_MEANT}]
    unused = [str(name) for name in others if name not in about]
    if unused:
        fold = [name for name in NAMES["fold"] if name in unused]
        what = f"{fold[0]} deals published folds" if fold else "one says whose recording it is"
        hint = "" if (table["group"] != "").any() else f" Where {what}, name it group."
        notes.append(f"Not used of {file.name}: {named(unused)}.{hint}")
    odd = table["label"].value_counts()
    odd = odd[[bool(label) and says_nothing(label) for label in odd.index]]
    cautions = [
        f"The label {label} ({count} of {len(table)} recordings) is taken for a class. Where it "
        "says that nobody knows, delete these rows."
        for label, count in odd.items()
    ]
    for name in context:
        table[name] = _numbers(file, table, name)
    for name in about:
        table[name] = [typed_name(text) for text in table[name]]
    table = table[["path", "label", "group", "split", *context, *about]]
    return Described(table, numbers, notes, cautions)


def _taken(table: pd.DataFrame) -> dict[str, str]:
    """Name the columns that stand for ours, by how the tables of others call them."""
    taken = {}
    for name, called in _CALLED.items():
        source = next((one for one in NAMES[called] if one in table), None)
        if name not in table and source is not None:
            taken[name] = source
    return taken


def _other_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Take the columns of numbers of a table of texts."""
    numbers = {}
    for name, texts in table.items():
        column = typed_numbers(texts).set_axis(table.index)
        column = column.where(is_context(column))
        known = [not says_nothing(text) for text in texts]
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
    home : str
        What the folder is called.
    """

    def __init__(self, names: Sequence[str], recordings: Sequence[str], home: str = "") -> None:
        self.names = set(names)
        self.home = home
        # A name alone, as where a table lies beside the folder of the files.
        self.bare = by_key((name, _key(PurePosixPath(name).name)) for name in recordings)
        self.alike = _unique((name, _key(name)) for name in names)
        # A WFDB record is named without suffix, and a table of ids may name any file so.
        self.stems = _unique((name, _key(_stem(name))) for name in recordings)

    def find(self, path: str) -> str:
        """Return the name of the one file that a path can mean; the path where there is none."""
        parts = path.split("/")
        # Written on another computer: what the folder holds is the end of it.
        whole = parts[0] == "" or re.fullmatch("[A-Za-z]:", parts[0]) is not None
        ends = range(len(parts)) if whole else range(1 + (parts[0] == self.home))
        name = next(filter(None, (self._named("/".join(parts[at:])) for at in ends)), None)
        alone = self.bare.get(_key(path), [])
        return name or (alone[0] if len(alone) == 1 else path)

    def several(self, path: str) -> list[str]:
        """Return the recordings of a name alone that is no file, but the name of several."""
        alone = self.bare.get(_key(path), [])
        return alone if len(alone) > 1 and path not in self.names else []

    def _named(self, path: str) -> str | None:
        if path in self.names:
            return path
        stem = _stem(path) if is_unread(path) else path  # it has been converted since
        return self.alike.get(_key(path)) or self.stems.get(_key(stem))

    def find_all(self, paths: Iterable[str]) -> list[str]:
        """Return the names of the files that paths mean."""
        return [self.find(path) for path in paths]


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Map each key to its name, unless several have it."""
    return {key: names[0] for key, names in by_key(pairs).items() if len(names) == 1}


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
            ", ".join(table.attrs["columns"]),
            f"{meant(column, table.attrs['columns'])}Add it, or remove it from the context.",
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
