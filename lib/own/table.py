"""What a folder says of its recordings by the names of its files, and by `metadata.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lib.audit.tables import compile_pattern, part_of
from lib.datasets.files import SUFFIXES, has_annotations, recordings_below
from lib.errors import HeldoutError
from lib.examples.context import is_context, require_context_names
from lib.files import is_file, read_table, safe_path

METADATA = "metadata.csv"


def list_folder(
    folder: str | Path,
    *,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
) -> pd.DataFrame:
    """List the recordings of a folder by their names; no file but `metadata.csv` is read.

    Parameters
    ----------
    folder : str or Path
        Holds `metadata.csv` with the columns `path`, `label` and perhaps `group` and `split`, or a
        folder for each class.
    groups : str, optional
        Where no column says it: a regular expression with one group in brackets, searched in the
        path of each file within the folder; what stands in the brackets is the group.
    beats : {"codes", "recordings"}, optional
        Where examples are beats: what has a class. With `codes` it is each beat, by its annotation
        code: recordings then need no label, are given none, and may lie anywhere in the folder.
    context : sequence of str
        Columns of `metadata.csv` with a number for each recording.

    Returns
    -------
    pd.DataFrame
        `path` (within the folder), `label`, `group` and `split`, the latter two empty where they
        are not known, and the columns of the context; sorted by `path`.

    Raises
    ------
    HeldoutError
        There is no such folder, no recording, fewer than two classes, a wrong table, a pattern
        that is wrong or is not in every path, or a context that is not a number for each recording.
    """
    require_context_names(context)
    folder = Path(folder)
    if not folder.is_dir():
        raise HeldoutError(
            folder,
            "a folder of recordings",
            "a file" if folder.exists() else "nothing there",
            "Correct the path.",
        )
    own = beats == "codes"
    described = (folder / METADATA).is_file()
    if context and not described:
        raise HeldoutError(
            folder / METADATA,
            f"a table with the columns path, {', '.join(context)}, as folder.context says",
            "no such file",
            "Write it, or remove the context.",
        )
    table = (
        _described(folder, labels=not own, context=context)
        if described
        else _by_place(folder, labels=not own)
    )
    if own and table.empty:
        raise HeldoutError(
            folder,
            "WFDB records (.hea) with annotated beats (.atr)",
            "no recording",
            "Correct the path.",
        )
    if not own and table["label"].nunique() < 2:
        raise HeldoutError(
            folder,
            f"recordings ({', '.join(sorted(SUFFIXES))}) of at least 2 classes",
            ", ".join(sorted(set(table["label"]))) or "none",
            f"Make a folder for each class and put its recordings there, or write {METADATA} with "
            f"the columns path and label.{_advice_on_beats(folder)}",
        )
    if groups is not None and not (table["group"] != "").any():
        table["group"] = _groups(table["path"].tolist(), groups)
    return table.sort_values("path", ignore_index=True)


def labelled_by_beats(folder: str | Path) -> bool:
    """Tell whether nothing but the annotations of its records gives a folder its classes.

    That is so where there are annotations, and no recording has a label: `metadata.csv` has no
    column of that name or, without it, no recording lies in a folder of its class.

    Parameters
    ----------
    folder : str or Path
        As for `list_folder`.
    """
    folder = Path(folder)
    if (folder / METADATA).is_file():
        table = _read_metadata(folder / METADATA)
        if "path" not in table or "label" in table:
            return False
        paths = [_with_suffix(folder, path) for path in table["path"] if safe_path(path)]
    else:
        paths = recordings_below(folder)
        if any("/" in path for path in paths):
            return False
    return any(has_annotations(folder / path) for path in paths)


def _advice_on_beats(folder: Path) -> str:
    if not any(has_annotations(folder / path) for path in recordings_below(folder)):
        return ""
    return (
        " Where the classes are the annotation codes of the beats, say so: `--beats codes` for "
        "new-study, `folder: {beats: codes}` in the settings."
    )


def _by_place(folder: Path, *, labels: bool) -> pd.DataFrame:
    rows = [
        {"path": path, "label": path.partition("/")[0] if labels else "", "group": "", "split": ""}
        for path in recordings_below(folder)
        if "/" in path or not labels
    ]
    return pd.DataFrame(rows, columns=["path", "label", "group", "split"])


def _read_metadata(file: Path, *, context: Sequence[str] = ()) -> pd.DataFrame:
    try:
        table = read_table(file, text=("path", "label", "group", "split", *context))
    except HeldoutError as error:
        # A person wrote it, and nothing makes it anew.
        raise HeldoutError(
            error.place,
            error.expected,
            error.got,
            "Save it as UTF-8, with commas between its columns and a row for each file.",
        ) from error
    if "path" in table:
        table["path"] = table["path"].str.removeprefix("./")  # as `find` writes them
    return table


def _with_suffix(folder: Path, path: str) -> str:
    """Name the header of a record that is named as WFDB does, without suffix."""
    named = Path(path).suffix.lower() in SUFFIXES or not safe_path(path)
    return path if named or not is_file(folder / f"{path}.hea") else f"{path}.hea"


def _described(folder: Path, *, labels: bool, context: Sequence[str]) -> pd.DataFrame:
    file = folder / METADATA
    table = _read_metadata(file, context=context)
    needed = ("path", "label") if labels else ("path",)
    missing = [name for name in needed if name not in table]
    if missing:
        raise HeldoutError(
            file,
            "the columns path and label, and perhaps group and split, with commas between them",
            ", ".join(map(str, table.columns)),
            f"Add {' and '.join(missing)}.",
        )
    table["path"] = [_with_suffix(folder, path) for path in table["path"]]
    if not labels:
        table["label"] = ""
    for name in ("group", "split"):
        if name not in table:
            table[name] = ""
    unknown = sorted({text for text in table["split"] if text and not part_of(text)})
    outside = [path for path in table["path"] if not safe_path(path)]
    twice = sorted(set(table.loc[table["path"].duplicated(), "path"]))
    unlabelled = table.loc[table["label"] == "", "path"].tolist() if labels else []
    partly = 0 < (table["group"] == "").sum() < len(table)
    ungrouped = table.loc[table["group"] == "", "path"].tolist() if partly else []
    for wrong, wanted in (
        (unknown, "train, validation or test in the column split"),
        (outside, "paths within the folder"),
        (twice, "each path once"),
        (unlabelled, "a label for each path"),
        (ungrouped, "a group for every path"),
    ):
        if wrong:
            raise HeldoutError(file, wanted, ", ".join(wrong[:4]), "Correct it.")
    table["split"] = [part_of(text) if text else "" for text in table["split"]]
    for name in context:
        table[name] = _numbers(file, table, name)
    return table[["path", "label", "group", "split", *context]]


def _numbers(file: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """Read a column of a context, and name the recordings without a number."""
    if name not in table:
        raise HeldoutError(
            file,
            f"the column {name}, which folder.context names",
            ", ".join(map(str, table.columns)),
            "Add it, or remove it from the context.",
        )
    numbers = pd.to_numeric(table[name], errors="coerce")
    bad = ~is_context(numbers)
    if bad.any():
        some = table.loc[bad, ["path", name]].head(4).itertuples(index=False)
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


def _groups(paths: Sequence[str], pattern: str) -> list[str]:
    compiled = compile_pattern(pattern, "group")
    names = [match[1] if (match := compiled.search(path)) else None for path in paths]
    lost = [path for path, name in zip(paths, names, strict=True) if not name]
    if lost:
        raise HeldoutError(
            f"group pattern {pattern!r}",
            "it in every path",
            f"none in {', '.join(lost[:4])} ({len(lost)} of {len(paths)})",
            "Correct the pattern or the names.",
        )
    return [str(name) for name in names]
