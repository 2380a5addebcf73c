"""The recordings of a study: those of its dataset that belong to one of its classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.datasets.dataset import COLUMNS
from lib.datasets.registry import get_dataset
from lib.errors import HeldoutError
from lib.files import read_table

# Columns that are text even where all of them look like numbers (record 100, group 100).
_TEXT = ("recording", "path", "label", "group", "split", "source_label", "sha256")


def read_recordings(path: str | Path, *, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a `recordings.csv` or a shard of it, text as text; `text` names further columns."""
    return read_table(path, text=(*_TEXT, *text))


def recordings_table(
    dataset: str,
    folder: str | Path,
    *,
    classes: Mapping[str, Sequence[str]],
    exclude: Iterable[str] = (),
    manifest: Mapping[str, Any] | None = None,
    min_groups: int = 2,
) -> pd.DataFrame:
    """Choose the recordings of a study and give each its class.

    Parameters
    ----------
    dataset : str
        A name in `lib.datasets.DATASETS`.
    folder : str or Path
        Where the dataset lies.
    classes : mapping of str to sequence of str
        Each class and the dataset's labels in it. A recording with several labels (joined by `|`)
        has the class that they agree on; where they name two classes it is left out.
    exclude : iterable of str
        Recordings to leave out, by name, before anything of them is read; names that are not
        there are passed over.
    manifest : mapping, optional
        The manifest of the dataset, for the column `sha256`.
    min_groups : int
        The least number of groups in a class.

    Returns
    -------
    pd.DataFrame
        As `lib.datasets.recordings`, but `label` is the class (empty where each example has its
        own); then `source_label`, the dataset's label; and `sha256`, of all the files of a
        recording, empty without a manifest.

    Raises
    ------
    HeldoutError
        A label is in two classes; nothing is left; a class has no recording, or too few groups; or
        a file is not in the manifest.
    """
    labels = class_of(classes)
    source = get_dataset(dataset)
    # What cannot be decoded is left out, or refused, where it is read.
    excluded = frozenset(map(str, exclude))
    table = source.recordings(folder, exclude=excluded, undecodable=True)
    # What the publisher set aside to predict on has no part in a comparison.
    table = table[table["split"] != "predict"].reset_index(drop=True)
    table["source_label"] = table["label"]
    of_examples = source.examples_have_labels
    if of_examples is None:
        of_examples = not table["label"].any()
    if not of_examples:
        chosen = table["label"].map(lambda label: _class(label, labels))
        left_out = (manifest or {}).get("left_out", [])
        _require_classes(dataset, table, chosen, left_out, classes=classes, min_groups=min_groups)
        table = table.assign(label=chosen)[chosen != ""].reset_index(drop=True)
    elif table.empty or table["group"].nunique() < min_groups:
        raise HeldoutError(
            f"{dataset} in {folder}",
            f"recordings of at least {min_groups} groups",
            f"{table['group'].nunique()} after exclusions",
            "Exclude less, or add recordings.",
        )
    table["sha256"] = "" if manifest is None else _checksums(table, folder, manifest)
    first = [*COLUMNS, "source_label"]
    return table[[*first, *(name for name in table.columns if name not in first)]]


def class_of(classes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Map each label to its class.

    Raises
    ------
    HeldoutError
        A label is in two classes.
    """
    class_of: dict[str, str] = {}
    for name, labels in classes.items():
        for label in map(str, labels):
            if label in class_of:
                raise HeldoutError(
                    "classes",
                    "each label in one class",
                    f"{label!r} in {class_of[label]} and {name}",
                    "Correct the study's classes.",
                )
            class_of[label] = name
    return class_of


def _class(label: str, class_of: Mapping[str, str]) -> str:
    if label in class_of:
        return class_of[label]
    named = {class_of[part] for part in label.split("|") if part in class_of}
    return named.pop() if len(named) == 1 else ""


def _require_classes(
    dataset: str,
    table: pd.DataFrame,
    chosen: pd.Series,
    left_out: Sequence[Mapping[str, str]],
    *,
    classes: Mapping[str, Sequence[str]],
    min_groups: int,
) -> None:
    counts = table["label"].replace("", "(none)").value_counts()
    # Speakers may type what they like as their accent, so the list can be long.
    there = ", ".join(f"{label} ({count})" for label, count in counts.head(20).items()) or "none"
    there += f" and {len(counts) - 20} more" if len(counts) > 20 else ""
    missing = [name for name in classes if not (chosen == name).any()]
    if missing:
        wanted = (" or ".join(map(str, classes[name])) for name in missing)
        first = [f"{item['path']}: {item['reason']}" for item in left_out[:1]]
        gone = f" {len(left_out)} were left out, the first: {first[0]}." if first else ""
        raise HeldoutError(
            f"{dataset}, class {', '.join(missing)}",
            f"recordings labelled {'; and '.join(wanted)}",
            f"none; labels found: {there}",
            f"Add recordings of it, or correct or drop the class.{gone}",
        )
    for name in classes:
        groups = sorted(table.loc[chosen == name, "group"].unique())
        if len(groups) < min_groups:
            raise HeldoutError(
                f"{dataset}, class {name}",
                f"recordings of at least {min_groups} groups",
                f"{len(groups)} ({', '.join(groups)}): they cannot be in both train and test",
                "Add recordings of others, or merge or drop the class.",
            )


def _checksums(table: pd.DataFrame, folder: str | Path, manifest: Mapping[str, Any]) -> list[str]:
    sums = {str(file["path"]): str(file["sha256"]) for file in manifest["files"]}
    # The files of a WFDB record are told by their common name.
    stems: dict[str, list[str]] = {}
    for name in sorted(sums):
        stems.setdefault(name.rpartition(".")[0], []).append(name)
    digests = []
    for path in table["path"]:
        name = Path(path).relative_to(Path(folder)).as_posix()
        if name not in sums:
            raise HeldoutError(
                path,
                "it in the manifest of the dataset",
                f"{len(sums)} other files",
                f"Move it out of the folder, or delete {folder}.json and run again.",
            )
        if not name.endswith(".hea"):
            digests.append(sums[name])
            continue
        parts = "".join(f"{part} {sums[part]}\n" for part in stems[name.removesuffix(".hea")])
        digests.append(hashlib.sha256(parts.encode()).hexdigest())
    return digests
