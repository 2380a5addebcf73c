"""A folder of recordings: what is in it, what of it can be used, and what its study should know."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from lib.audit.listening import Heard, listen, same_recordings
from lib.audit.tables import compile_pattern, part_of
from lib.datasets.files import SUFFIXES, files_below, recordings_below
from lib.errors import HeldoutError
from lib.files import read_table, safe_path, sha256
from lib.fingerprint import Band

METADATA = "metadata.csv"

NO_GROUPS = (
    "No groups are known: each recording counts as a group of its own. Where one person, patient "
    "or device gave several recordings, they stand on both sides of the split that is called "
    "honest here, and its numbers promise too much. State the groups: a column group in "
    "metadata.csv, or a pattern over file names (folder: groups in the study)."
)


def list_folder(folder: str | Path, *, groups: str | None = None) -> pd.DataFrame:
    """List the recordings of a folder by their names; no file but `metadata.csv` is read.

    Parameters
    ----------
    folder : str or Path
        Holds `metadata.csv` with the columns `path`, `label` and perhaps `group` and `split`, or a
        folder for each class.
    groups : str, optional
        Where no column says it: a regular expression with one group in brackets, searched in the
        path of each file within the folder; what stands in the brackets is the group.

    Returns
    -------
    pd.DataFrame
        `path` (within the folder), `label`, `group` and `split`, the latter two empty where they
        are not known; sorted by `path`.

    Raises
    ------
    HeldoutError
        There is no such folder, fewer than two classes, a wrong table, or a pattern that is wrong
        or is not in every path.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise HeldoutError(
            f"{folder}: expected a folder of recordings, got "
            f"{'a file' if folder.exists() else 'nothing there'}. Correct the path."
        )
    table = _described(folder) if (folder / METADATA).is_file() else _by_class(folder)
    if table["label"].nunique() < 2:
        raise HeldoutError(
            f"{folder}: expected recordings ({', '.join(sorted(SUFFIXES))}) of at least 2 classes, "
            f"got {', '.join(sorted(set(table['label']))) or 'none'}. Make a folder for each class "
            f"and put its recordings there, or write {METADATA} with the columns path and label."
        )
    if groups is not None and not (table["group"] != "").any():
        table["group"] = _groups(table["path"].tolist(), groups)
    return table.sort_values("path", ignore_index=True)


def _by_class(folder: Path) -> pd.DataFrame:
    rows = [
        {"path": path, "label": path.partition("/")[0], "group": "", "split": ""}
        for path in recordings_below(folder)
        if "/" in path and not path.startswith(".")
    ]
    return pd.DataFrame(rows, columns=["path", "label", "group", "split"])


def _described(folder: Path) -> pd.DataFrame:
    file = folder / METADATA
    table = read_table(file, text=("path", "label", "group", "split"))
    if "path" in table:
        table["path"] = table["path"].str.removeprefix("./")  # as `find` writes them
    missing = [name for name in ("path", "label") if name not in table]
    if missing:
        raise HeldoutError(
            f"{file}: expected the columns path and label, and perhaps group and split, got "
            f"{', '.join(map(str, table.columns))}. Add {' and '.join(missing)}."
        )
    for name in ("group", "split"):
        if name not in table:
            table[name] = ""
    unknown = sorted({text for text in table["split"] if text and not part_of(text)})
    outside = [path for path in table["path"] if not safe_path(path)]
    twice = sorted(set(table.loc[table["path"].duplicated(), "path"]))
    unlabelled = table.loc[table["label"] == "", "path"].tolist()
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
            raise HeldoutError(
                f"{file}: expected {wanted}, got {', '.join(wrong[:4])}. Correct it."
            )
    table["split"] = [part_of(text) if text else "" for text in table["split"]]
    return table[["path", "label", "group", "split"]]


def _groups(paths: Sequence[str], pattern: str) -> list[str]:
    compiled = compile_pattern(pattern, "group")
    found = [match[1] if (match := compiled.search(path)) else None for path in paths]
    lost = [path for path, name in zip(paths, found, strict=True) if not name]
    if lost:
        raise HeldoutError(
            f"group pattern {pattern!r}: expected it in every path, found none in "
            f"{', '.join(lost[:4])} ({len(lost)} of {len(paths)}). Correct the pattern or the "
            "names."
        )
    return [str(name) for name in found]


def listing(folder: str | Path) -> str:
    """Give one short name to the state of a folder: names, sizes and times of all its files."""
    digest = hashlib.sha256()
    for name in sorted(files_below(folder)):
        # A link to nowhere is no file.
        with suppress(FileNotFoundError):
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:16]


def survey(
    folder: str | Path,
    *,
    dataset: str,
    groups: str | None = None,
    faulty: str = "leave_out",
    reading: Mapping[str, Any] | None = None,
    threads: int = 4,
) -> dict[str, Any]:
    """Read every recording of a folder once, and say what can be used.

    Parameters
    ----------
    folder : str or Path
        As for `list_folder`.
    dataset : str
        What the folder is called in results.
    groups : str, optional
        As for `list_folder`.
    faulty : {"leave_out", "stop"}
        Whether recordings that cannot be used are left out and listed, or stop the run.
    reading : mapping, optional
        What `lib.datasets.files.read_file` takes beside the path.
    threads : int
        Files read at once.

    Returns
    -------
    dict
        A manifest as that of `lib.retrieve`, and `recordings` (a row for each that is kept),
        `left_out` (`path` and `reason`), `cautions`, which the page shows beside the verdict, and
        `notes`, which it shows with the data. Recordings that hold the same audio are joined into
        one group; under two labels all of them are left out, since one label is wrong and nobody
        knows which.

    Raises
    ------
    HeldoutError
        As `list_folder`; or something is to be left out and `faulty` is `stop`.
    """
    folder = Path(folder)
    table = list_folder(folder, groups=groups)
    heard, band = listen(table["path"].tolist(), folder, threads=threads, reading=reading)
    left_out = [
        {"path": item.path, "reason": _reason(item, folder)} for item in heard if item.fault
    ]
    grouped = bool((table["group"] != "").all())
    if not grouped:
        table["group"] = table["path"]
    whole = [item for item in heard if not item.fault]
    contradicting, joined = _join(table, whole, band)
    left_out += contradicting
    if left_out and faulty == "stop":
        lines = "\n".join(f"  - {item['path']}: {item['reason']}" for item in left_out)
        raise HeldoutError(
            f"{folder}: expected recordings that can all be used, got {len(left_out)} that cannot:"
            f"\n{lines}\nMend or remove them, or set `faulty: leave_out` to go on without them."
        )
    gone = {item["path"] for item in left_out}
    of = {item.path: item for item in whole}
    kept = table[~table["path"].isin(gone)]
    return {
        "dataset": dataset,
        "title": folder.resolve().name,
        "source": "folder",
        "simulated": False,
        "version": f"{len(kept)} of {len(table)} recordings",
        "licence": "your own recordings",
        "landing_page": "",
        "citation": [],
        "files": _files(folder, kept["path"].tolist()),
        "missing": len(left_out),
        "recordings": [_row(row, of[row["path"]]) for row in kept.to_dict("records")],
        "left_out": left_out,
        "cautions": _cautions(grouped=grouped, left_out=len(left_out), of=len(table)),
        "notes": _notes(joined=joined, left_out=left_out),
    }


def _reason(item: Heard, folder: Path) -> str:
    """Give what is wrong with a file, without its path and what to do if it were fetched."""
    if item.fault == "missing":
        return "there is no such file"
    return item.fault.removeprefix(f"{folder / item.path}: ").partition(". ")[0]


def _join(
    table: pd.DataFrame, whole: list[Heard], band: Band
) -> tuple[list[dict[str, str]], list[tuple[str, str]]]:
    """Join the groups of recordings with the same audio; list those with contradicting labels."""
    label = dict(zip(table["path"], table["label"], strict=True))
    group = dict(zip(table["path"], table["group"], strict=True))
    contradicting: dict[str, str] = {}
    joined = []
    for match, _ in same_recordings(whole, band=band):
        a, b = whole[match.first].path, whole[match.second].path
        if label[a] != label[b]:
            for this, other in ((a, b), (b, a)):
                contradicting.setdefault(
                    this,
                    f"it holds the same audio as {other}, which is labelled {label[other]}, and "
                    f"this one {label[this]}: one of the two is wrong",
                )
            continue
        joined.append((a, b))
        one, two = group[a], group[b]
        group = {path: one if name == two else name for path, name in group.items()}
    table["group"] = table["path"].map(group)
    return [{"path": path, "reason": reason} for path, reason in contradicting.items()], joined


def _files(folder: Path, paths: list[str]) -> list[dict[str, Any]]:
    """Describe the files of recordings: of a WFDB record all that share its name."""
    names = set()
    for path in paths:
        file = folder / path
        some = file.parent.glob(f"{file.stem}.*") if file.suffix == ".hea" else [file]
        names |= {one.relative_to(folder).as_posix() for one in some}
    return [
        {"path": name, "bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in sorted(names)
    ]


def _row(row: Mapping[Any, Any], item: Heard) -> dict[str, Any]:
    return {
        "recording": row["path"],
        "label": row["label"],
        "group": row["group"],
        "split": row["split"],
        "rate": item.rate,
        "duration": item.duration,
        "channels": item.channels,
    }


def _cautions(*, grouped: bool, left_out: int, of: int) -> list[str]:
    cautions = [] if grouped else [NO_GROUPS]
    if left_out:
        cautions.append(f"{left_out} of {of} recordings were left out; see Data for which and why.")
    return cautions


def _notes(*, joined: list[tuple[str, str]], left_out: list[dict[str, str]]) -> list[str]:
    notes = [
        f"{first} and {second} hold the same audio: they count as one group."
        for first, second in joined
    ]
    return notes + [f"Left out: {item['path']}: {item['reason']}." for item in left_out]


def link(folder: str | Path, place: str | Path) -> None:
    """Let `place` be a link to a folder, so that the paths of recordings do not depend on it.

    Raises
    ------
    HeldoutError
        Something else is at that place.
    """
    place = Path(place)
    if place.exists() and not place.is_symlink():
        raise HeldoutError(
            f"{place}: expected nothing, or a link to the folder, got something else. Move it away."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(Path(folder).resolve(), target_is_directory=True)
    os.replace(part, place)
