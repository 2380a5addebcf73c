"""A folder of recordings: what is in it, what of it can be used, and what its study should know."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.audit.listening import MISSING, Heard, listen, same_recordings
from lib.datasets.files import files_below
from lib.datasets.signal import Header
from lib.datasets.waveform_database import files_of
from lib.errors import HeldoutError
from lib.examples.assembly import join_duplicates
from lib.explore import left_out_caution
from lib.features.copies import contradict, contradictions
from lib.files import sha256, symlink
from lib.own.headers import by_key, named, odd_recordings
from lib.own.layout import listed
from lib.own.table import NAMED, Contents, examine

NO_GROUPS = (
    "No groups are known: each recording counts as a group of its own. Where one person, patient "
    "or device gave several recordings, they appear in both train and test of the split that is "
    "called honest here, and its numbers overestimate. State the groups: a column group in "
    "metadata.csv, or a pattern over file names (folder: groups in the study)."
)

# Pairs of copies that are told each in a line.
_MOST = 8


def listing(folder: str | Path) -> str:
    """Name the state of a folder by a hash: names, sizes and times of all its files."""
    digest = hashlib.sha256()
    for name in sorted(files_below(folder)):
        # A link to nowhere, or to itself, is no file.
        with suppress(OSError):
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116
            digest.update(os.fsencode(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\0"))
    return digest.hexdigest()[:16]


def survey(
    folder: str | Path,
    *,
    dataset: str,
    groups: str | None = None,
    beats: str | None = None,
    context: Sequence[str] = (),
    exclude: Sequence[str] = (),
    asked: Mapping[str, Any] | None = None,
    columns: Sequence[str] = (),
    faulty: str = "leave_out",
    reading: Mapping[str, Any] | None = None,
    threads: int = 4,
) -> dict[str, Any]:
    """Read every recording of a folder, and say what can be used.

    Those that may hold the same audio as another one are read twice.

    Parameters
    ----------
    folder : str or Path
        As for `lib.own.table.examine`.
    dataset : str
        What the folder is called in results.
    groups, beats, context, exclude : optional
        As for `lib.own.table.examine`.
    asked : mapping, optional
        `Kind.demands` of the features, and their `rate` (Hz): a recording that lacks it cannot be
        used, nor can the few that are unlike all others (`lib.own.headers.odd_recordings`).
    columns : sequence of str
        As for `lib.own.table.examine`.
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
        `numbers` (columns of `metadata.csv` that no network is told, by recording), `left_out`
        (`path` and `reason`), `cautions`, which the page shows beside the verdict, and `notes`,
        which it shows with the data. Recordings that hold the same audio are joined into one group;
        under two labels all of them are left out, since one label is wrong and nobody knows which.

    Raises
    ------
    HeldoutError
        As `lib.own.table.examine`; or something is to be left out and `faulty` is `stop`.
    """
    folder = Path(folder)
    stated: dict[str, Any] = {"groups": groups, "beats": beats, "context": context}
    contents = examine(folder, **stated, exclude=exclude, columns=columns)
    table = contents.table
    heard, band = listen(table["path"].tolist(), folder, threads=threads, reading=reading)
    odd = _odd(heard, **(asked or {}))
    reasons = {
        item.path: _reason(item) or odd.get(item.path) or _lacks(item, **(asked or {}))
        for item in heard
    }
    reasons = contents.left_out | {path: reason for path, reason in reasons.items() if reason}
    left_out = [{"path": path, "reason": reason} for path, reason in reasons.items()]
    grouped = bool((table["group"] != "").all())
    if not grouped:
        table["group"] = table["path"]
    whole = [item for item in heard if item.path not in reasons]
    copies = same_recordings(whole, band=band, root=folder, reading=reading)
    contradicting, joined, moved = _join(table, [(copy.first, copy.second) for copy in copies])
    left_out += contradicting
    if left_out and faulty == "stop":
        lines = "\n".join(f"  - {item['path']}: {item['reason']}" for item in left_out)
        raise HeldoutError(
            folder,
            "recordings that can all be used",
            f"{len(left_out)} that cannot:\n{lines}",
            "Fix or remove them, or set `faulty: leave_out` to go on without them.",
        )
    gone = {item["path"] for item in left_out}
    of = {item.path: item for item in whole}
    kept = table[~table["path"].isin(gone)]
    count = len(table) + len(contents.left_out)
    return {
        "dataset": dataset,
        "title": folder.resolve().name,
        "source": "folder",
        "simulated": False,
        "version": f"{len(kept)} of {count} recordings",
        "licence": "not stated (own recordings)",
        "landing_page": "",
        "citation": [],
        "files": _files(folder, kept["path"].tolist()),
        "missing": len(left_out),
        "recordings": [_row(row, of[row["path"]], context) for row in kept.to_dict("records")],
        "numbers": {
            name: column[column.index.isin(kept["path"])].dropna().to_dict()
            for name, column in contents.numbers.items()
        },
        "left_out": left_out,
        "cautions": [
            *_cautions(contents, grouped=grouped, left_out=len(left_out), of=count),
            *moved,
            *_slow([of[path] for path in kept["path"]], **(asked or {})),
        ],
        "notes": [
            *_notes(joined=joined, left_out=left_out),
            *_read_with_notes(whole),
            *contents.notes,
        ],
    }


def _reason(item: Heard) -> str:
    """Say why a file cannot be read; nothing where it can."""
    return "there is no such file" if item.fault == MISSING else item.fault


def _odd(
    heard: Sequence[Heard], *, rate: float = math.inf, channels: Sequence[str] = (), **_: Any
) -> dict[str, str]:
    """Say why recordings are unlike all others; one of the rate of the features fits them."""
    headers = {
        item.path: Header(item.rate, 0, item.channels, item.names, (), item.sound)
        for item in heard
        if not item.fault
    }
    odd = odd_recordings(headers, sounds=False if channels else None)
    return {
        path: reason
        for path, reason in odd.items()
        if headers[path].rate < rate or headers[path].sound == bool(channels)
    }


def _slow(kept: Sequence[Heard], *, rate: float = 0.0, **_: Any) -> list[str]:
    """Warn of recordings that are resampled up: what they lack can give their class away."""
    slow = [item for item in kept if item.rate < rate * (1 - 1e-5)]
    if not slow:
        return []
    lowest = min(slow, key=lambda item: item.rate)
    return [
        f"{len(slow):,} of {len(kept):,} recordings have a rate below the {rate:,g} Hz of the "
        f"features, the lowest {lowest.rate:,g} Hz ({lowest.path}). They hold nothing above half "
        "their own rate, which can give their class away. Set the rate of the features to "
        f"{lowest.rate:g} Hz or less, or leave them out."
    ]


def _read_with_notes(heard: Sequence[Heard]) -> list[str]:
    """Say what was odd about files that were read, once for each oddity."""
    paths = by_key((item.path, note) for item in heard for note in item.notes)
    return [
        f"{named(some)} ({len(some):,} of {len(heard):,} recordings): {note}."
        for note, some in paths.items()
    ]


def _lacks(
    item: Heard,
    *,
    channels: Sequence[str] = (),
    instead: str = "",
    seconds: float = 0.0,
    beats: bool = False,
    rate: float = 0.0,
) -> str:
    """Say why no example can be made of a whole recording; nothing where one can."""
    if beats and not item.beats:
        return "it has no annotated beats (.atr beside the header)"
    missing = [name for name in channels if name not in item.names]
    if missing and instead not in item.names:
        return f"it has no channel {', '.join(missing)}, but {', '.join(item.names)}"
    # As many samples as a window has; the last one may be cut into.
    if item.duration < seconds - 1 / item.rate:
        return f"it lasts {item.duration:g} s, and a window {seconds:g} s"
    return ""


def _join(
    table: pd.DataFrame, pairs: list[tuple[str, str]]
) -> tuple[list[dict[str, str]], list[tuple[str, str]], list[str]]:
    """Join the groups of recordings with the same audio; list those with contradicting labels.

    Where that would put most recordings into one group, as of sites beside which there is a folder
    of copies from each, only the copies change their group. What was done is the last result.
    """
    label = dict(zip(table["path"], table["label"], strict=True))
    group = dict(zip(table["path"], table["group"], strict=True))
    joined = [(a, b) for a, b in pairs if not contradict(label[a], label[b])]
    apart = [(a, b) for a, b in joined if group[a] != group[b]]
    merged = _merged(table["group"], [(group[a], group[b]) for a, b in apart])
    sizes, whole = table["group"].value_counts(), pd.Series(merged).value_counts().max()
    told = []
    if len(sizes) > 2 and whole > len(table) / 2 >= sizes.max():
        copied = pd.Series([group[path] for path in {path for pair in apart for path in pair}])
        share = copied.value_counts() / sizes
        # Each copy goes where the fewest recordings are copies: that is where it comes from.
        table["same"] = _merged(table["path"], apart)
        ranked = table.assign(share=table["group"].map(share).fillna(0.0))
        ranked = ranked.sort_values(["share", "group"], kind="stable")
        home = ranked.groupby("same")["group"].first()
        merged = table.pop("same").map(home).to_numpy()
        moved = table.loc[merged != table["group"]]
        told.append(
            f"{len(moved):,} recordings ({listed(moved['path'])}) are copies from other groups. "
            f"Joined as a whole, these groups would hold {whole:,} of all {len(table):,} "
            "recordings, so each copy alone counts to the group that it comes from. Where groups "
            "are persons, look whether two of them are one."
        )
    table["group"] = merged
    reasons = contradictions(pairs, label)
    return [{"path": path, "reason": reason} for path, reason in reasons.items()], joined, told


def _merged(names: pd.Series, pairs: list[tuple[str, str]]) -> np.ndarray:
    """Give each name that of the first of all that pairs join with it."""
    apart = np.arange(len(names)), np.ones(len(names), dtype=bool)
    return join_duplicates(names.to_numpy(dtype=np.str_), *apart, same=pairs)


def _files(folder: Path, paths: list[str]) -> list[dict[str, Any]]:
    """Describe the files of recordings: of a WFDB record all that belong to it."""
    names = set()
    for path in paths:
        file = folder / path
        some = files_of(file) if file.suffix == ".hea" else [file]
        names |= {one.relative_to(folder).as_posix() for one in some}
    return [
        {"path": name, "bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in sorted(names)
    ]


def _row(row: Mapping[Any, Any], item: Heard, context: Sequence[str]) -> dict[str, Any]:
    return {
        "recording": row["path"],
        "label": row["label"],
        "group": row["group"],
        "split": row["split"],
        "rate": item.rate,
        "duration": item.duration,
        "channels": item.channels,
        "context": {name: float(row[name]) for name in context},
        "about": {str(name): row[name] for name in row if name not in {*NAMED, *context}},
    }


def _cautions(contents: Contents, *, grouped: bool, left_out: int, of: int) -> list[str]:
    cautions = [*contents.cautions, *([] if grouped else [NO_GROUPS])]
    if left_out:
        cautions.append(left_out_caution(left_out, of=of))
    return cautions


def _notes(*, joined: list[tuple[str, str]], left_out: list[dict[str, str]]) -> list[str]:
    notes = [
        f"{first} and {second} hold the same audio: they count as one group."
        for first, second in joined
    ]
    if len(joined) > _MOST:
        some = named([f"{first} and {second}" for first, second in joined])
        notes = [f"{len(joined):,} pairs hold the same audio ({some}): each counts as one group."]
    return notes + left_out_notes({item["path"]: item["reason"] for item in left_out})


def left_out_notes(left_out: Mapping[str, str]) -> list[str]:
    """Say what was left out, and why: once for each reason."""
    return [
        f"Left out: {listed(some)}{f' ({len(some)} files)' * (len(some) > 1)}: {reason}."
        for reason, some in by_key(left_out.items()).items()
    ]


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
            place, "nothing, or a link to the folder", "something else", "Move it away."
        )
    symlink(place, Path(folder).resolve())
