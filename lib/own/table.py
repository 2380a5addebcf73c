"""What a folder says of its recordings by the names of its files, and by `metadata.csv`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.audit.tables import compile_pattern
from lib.datasets.dataset import is_excluded
from lib.datasets.files import SUFFIXES, files_below, has_annotations, recordings_below
from lib.errors import HeldoutError
from lib.examples.context import require_context_names
from lib.files import is_hidden, safe_path
from lib.own.headers import by_key, named
from lib.own.layout import Layout, listed, read_layout
from lib.own.metadata import (
    METADATA,
    Finder,
    described,
    metadata_of,
    read_metadata,
    reference_labels,
)
from lib.own.unused import (
    conversion,
    is_unread,
    others,
    reason,
    require_classes,
    unopened,
    unread,
    without_recordings,
)
from lib.typed import name_key, typed_name

NAMED = ("path", "label", "group", "split")
"""What every table of a folder begins with."""


class Contents(NamedTuple):
    """What is in a folder.

    Attributes
    ----------
    table : pd.DataFrame
        See `examine`.
    left_out : dict of str to str
        Recordings that have no row there, and why.
    cautions : list of str
        What a person should know before the verdict: what the folders were taken for.
    notes : list of str
        What there is to say of the rest.
    folds : int
        How many published folds the groups are; 0 where they are none.
    numbers : pd.DataFrame
        By path, what else `metadata.csv` says of recordings in numbers: see `lib.own.metadata`.
    """

    table: pd.DataFrame
    left_out: dict[str, str]
    cautions: list[str]
    notes: list[str]
    folds: int
    numbers: pd.DataFrame


def list_folder(folder: str | Path, **options: Any) -> pd.DataFrame:
    """List the recordings of a folder as `examine` does, which takes the same: its table alone."""
    return examine(folder, **options).table


def examine(
    folder: str | Path,
    *,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Contents:
    """List the recordings of a folder by their names; no file but `metadata.csv` is read.

    Parameters
    ----------
    folder : str or Path
        Holds `metadata.csv` with the columns `path`, `label` and perhaps `group` and `split`; or
        `REFERENCE.csv` beside the recordings (`lib.own.metadata.reference_labels`); or a folder for
        each class. Above or below the classes may be parts of a split, folds, sites or
        persons: see `lib.own.layout`.
    groups : str, optional
        Where no column says it: a regular expression with one group in brackets, searched in the
        path of each file within the folder; what stands in the brackets is the group.
    beats : {"codes", "recordings"}, optional
        Where examples are beats: what has a class. With `codes` it is each beat, by its annotation
        code: recordings then need no label, are given none, and may lie anywhere in the folder.
    context : sequence of str
        Columns of `metadata.csv` with a number for each recording.
    exclude : sequence of str
        Recordings and folders within the folder that count as not there.
    columns : sequence of str
        Further columns of `metadata.csv` that say something of each recording, such as its site.

    Returns
    -------
    Contents
        Its table has `path` (within the folder), `label`, `group` and `split`, the latter two empty
        where they are not known, the columns of the context, those of `lib.datasets.dataset.ABOUT`
        that `metadata.csv` has, and `columns`; sorted by `path`. Labels and groups that look the
        same are the same, and groups that differ by letter case alone are one.

    Raises
    ------
    HeldoutError
        There is no such folder, no recording, fewer than two classes, a class of which nothing can
        be read, two that differ by letter case alone, folders that mean no class, a wrong table, a
        pattern that is wrong or is not in every path, or a context that is not a number for each
        recording.
    """
    require_context_names(context)
    folder = Path(folder)
    if not folder.is_dir():
        raise HeldoutError(
            folder,
            "a folder of recordings",
            "a file" if folder.exists() else "nothing there",
            " ".join(unopened([folder.name])) or "Correct the path.",
        )
    codes, metadata = beats == "codes", metadata_of(folder)
    if context and metadata is None:
        raise HeldoutError(
            folder / METADATA,
            f"a table with the columns path, {', '.join(context)}, as folder.context says",
            "no such file",
            "Write it, or remove the context.",
        )
    visible = [name for name in files_below(folder) if not is_hidden(name)]
    gone = [one for one in exclude if not any(is_excluded(name, [one]) for name in visible)]
    notes = [f"Excluded, but not there: {listed(gone)}."] if gone else []
    visible = [name for name in visible if not is_excluded(name, exclude)]
    names, left_out = _in_utf8(folder, visible)
    known = set(names)
    recordings = [name for name in recordings_below(folder) if name in known]
    foreign = unread(names, recordings)
    cautions: list[str] = []
    layout, numbers = Layout(), pd.DataFrame()
    if metadata is not None:
        table, numbers, said, doubts = described(
            metadata, names, recordings, labels=not codes, context=context, columns=columns
        )
        notes += said
        cautions += doubts
        excluded = [is_excluded(path, exclude) for path in table["path"]]
        table = table[~np.array(excluded, dtype=bool)]  # of an empty table, too
        unlisted = sorted({*recordings, *foreign} - set(table["path"]))
        if unlisted:
            few = f"{len(unlisted)} recordings are" if len(unlisted) > 1 else "1 recording is"
            notes.append(f"{few} not in {metadata.name}, and not used: {listed(unlisted)}.")
    elif codes:
        table = _rows(dict.fromkeys(recordings, ""), layout)
    else:
        stated = _groups(recordings, groups) if groups else {}
        listed_labels = reference_labels(folder, names, recordings)
        layout = read_layout(folder, [*recordings, *foreign], groups=stated, labels=listed_labels)
        table = _rows(layout.label, layout)
        left_out |= layout.misplaced
        cautions += layout.told
        notes += layout.notes
        cautions += without_recordings(folder, names, {*recordings, *foreign}, exclude=exclude)
    table, lost = _without_unread(folder, table)
    left_out |= lost
    if groups is not None and not (table["group"] != "").any():
        table["group"] = list(_groups(table["path"].tolist(), groups).values())
    if codes and table.empty:
        raise HeldoutError(
            folder,
            "WFDB records (.hea) with annotated beats (.atr)",
            "no recording",
            "Correct the path.",
        )
    cautions += (not_opened := unopened(names))
    if not codes:
        _require_labels(folder, table, metadata, [*not_opened, *_lists(names)])
    notes += _join_groups(table)
    of_headers = {name for name in names if f"{os.path.splitext(name)[0]}.hea" in known}  # noqa: PTH122
    rest = known - {*recordings, *foreign} - of_headers - {metadata.name if metadata else ""}
    notes += filter(None, [conversion(folder, foreign), others(rest)])
    table = table.sort_values("path", ignore_index=True)
    return Contents(table, left_out, cautions, notes, layout.folds, numbers)


def labelled_by_beats(folder: str | Path, *, exclude: Sequence[str] = ()) -> bool:
    """Tell whether nothing but the annotations of its records gives a folder its classes.

    That is so where there are annotations, and no recording has a label: `metadata.csv` has no
    column of that name or, without it, no recording lies in a folder of its class.

    Parameters
    ----------
    folder, exclude
        As for `examine`.
    """
    folder = Path(folder)
    paths = [path for path in recordings_below(folder) if not is_excluded(path, exclude)]
    metadata = metadata_of(folder) if folder.is_dir() else None
    if metadata is not None:
        table = read_metadata(metadata)
        if "path" not in table or "label" in table:
            return False
        paths = [path for path in Finder(paths, paths).find_all(table["path"]) if safe_path(path)]
    elif any("/" in path for path in paths):
        return False
    return any(has_annotations(folder / path) for path in paths)


def _in_utf8(folder: Path, names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Leave out files whose names are in another encoding: no table could hold them."""
    good, bad = [], {}
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode(errors="backslashreplace")
            bad[shown] = (
                "its name, or that of its folder, is not in UTF-8; rename it: convmv -r -f cp1252 "
                f"-t utf8 --notest {folder}"
            )
        else:
            good.append(name)
    recordings = {name: why for name, why in bad.items() if Path(name).suffix.lower() in SUFFIXES}
    tops = {name.partition("/")[0] for name in good}
    lost = {name: why for name, why in recordings.items() if name.partition("/")[0] not in tops}
    for name, why in lost.items():
        if "/" in name:
            raise HeldoutError(folder / name, advice=f"It is the first of {len(lost)}: {why}.")
    return good, recordings


def _rows(labels: dict[str, str], layout: Layout) -> pd.DataFrame:
    rows = [
        (path, label, typed_name(layout.group.get(path, "")), layout.split.get(path, ""))
        for path, label in labels.items()
    ]
    return pd.DataFrame(rows, columns=[*NAMED], dtype=object)


def _without_unread(folder: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Leave out recordings of formats that are not read; a class must not be lost by it."""
    bad = table["path"].map(is_unread).astype(bool)
    files, kept = table[bad], table[~bad]
    lost = sorted(set(files["label"]) - set(kept["label"]) - {""})
    require_classes(
        folder, lost, kept["label"].unique(), files.loc[files["label"].isin(lost), "path"].tolist()
    )
    return kept.reset_index(drop=True), {path: reason(path) for path in files["path"]}


def _require_labels(
    folder: Path, table: pd.DataFrame, metadata: Path | None, told: Sequence[str]
) -> None:
    """Check that there are two classes, and that no two are one that was typed in two ways."""
    labels = sorted(set(table["label"]))
    for same in by_key((label, name_key(label)) for label in labels).values():
        if len(same) > 1:
            raise HeldoutError(
                metadata or folder,
                f"labels that differ by more than {_difference(same)}",
                " and ".join(map(repr, same)),
                "Write the label in one way; or, where they are two classes, give them two names.",
            )
    if len(labels) < 2:
        tops = {path.split("/")[1] for path in table["path"] if path.count("/") > 1}
        deeper = f" Or name the folder {folder / labels[0]}." if labels and len(tops) > 1 else ""
        raise HeldoutError(
            folder,
            f"recordings ({', '.join(sorted(SUFFIXES))}) of at least 2 classes",
            ", ".join(labels) or "none",
            f"Make a folder for each class and put its recordings there, or write {METADATA} with "
            f"the columns path and label.{deeper}{_advice_on_beats(folder)}"
            + "".join(f" {line}" for line in told),
        )


def _lists(names: Sequence[str]) -> list[str]:
    """Name tables that may hold labels, but are called otherwise."""
    lists = [name for name in sorted(names) if name.lower().endswith((".csv", ".tsv"))]
    return [f"What {named(lists)} says of them may belong there."] if lists else []


def _advice_on_beats(folder: Path) -> str:
    if not any(has_annotations(folder / path) for path in recordings_below(folder)):
        return ""
    return (
        " Where the classes are the annotation codes of the beats, say so: `--beats codes` for "
        "new-study, `folder: {beats: codes}` in the settings."
    )


def _join_groups(table: pd.DataFrame) -> list[str]:
    """Join groups that are typed in two ways: nobody is in train and test by a capital."""
    spelt = by_key((group, name_key(group)) for group in sorted(set(table["group"])))
    table["group"] = [spelt[name_key(group)][0] for group in table["group"]]
    return [
        f"The groups {' and '.join(same)} differ by {_difference(same)} alone: they count as one."
        for same in spelt.values()
        if len(same) > 1
    ]


def _difference(names: Sequence[str]) -> str:
    """Say in what some names differ that `name_key` takes for one."""
    return "letter case" if len(set(map(str.casefold, names))) == 1 else "how a number is written"


def _groups(paths: Sequence[str], pattern: str) -> dict[str, str]:
    """Search the group in each path."""
    compiled = compile_pattern(pattern, "group")
    matches = {path: compiled.search(path) for path in paths}
    names = {path: typed_name(match[1] or "") if match else "" for path, match in matches.items()}
    lost = [path for path, name in names.items() if not name]
    if lost:
        raise HeldoutError(
            f"group pattern {pattern!r}",
            "it in every path",
            f"none in {', '.join(lost[:4])} ({len(lost)} of {len(paths)})",
            "Correct the pattern or the names.",
        )
    return names
