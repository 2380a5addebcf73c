"""Listening to the files of a split: each is read once, and what is the same audio is found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.datasets.files import read_file, read_file_header, recording_file
from lib.datasets.signal import Header, cutoff, level, quiet_start
from lib.errors import HeldoutError
from lib.features.copies import Candidate, Copy, confirm
from lib.features.fingerprint import Band, Fingerprint, band_of, content_of, fingerprint
from lib.features.matches import find_same

MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Heard:
    """What one file is like; `fault` says what is wrong with it, without its path and advice.

    `notes` say what is odd about a file that can be read, and `sound` whether it is a sound;
    `quiet` is its quiet start, s, and `cutoff` where its band ends, Hz.
    """

    path: str
    fault: str = ""
    rate: float = float("nan")
    duration: float = float("nan")
    channels: int = 0
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sound: bool = False
    beats: int = 0
    level: float = float("nan")
    quiet: float = float("nan")
    cutoff: float = float("nan")
    size: int = 0
    content: str = ""
    bits: Fingerprint | None = None


def listen(
    paths: Sequence[str], root: Path, *, threads: int, reading: Mapping[str, Any] | None = None
) -> tuple[list[Heard], Band]:
    """Read every file once, in parallel.

    Parameters
    ----------
    paths : sequence of str
        Within `root`; an absolute path stays as it is.
    root : Path
        The folder of the files.
    threads : int
        Files read at once.
    reading : mapping, optional
        What `lib.datasets.files.read_file` takes beside the path.

    Returns
    -------
    heard : list of Heard
        In the order of `paths`; a file that cannot be read has a `fault`, `MISSING` where there
        is none.
    band : Band
        Of the fingerprints: the highest that all files hold.
    """
    options = dict(reading or {})

    def header(path: str) -> Header | None:
        try:
            return read_file_header(root / path, **options)
        except HeldoutError:
            return None

    with ThreadPoolExecutor(threads) as pool:
        # The band must be known before the first file is read, since samples are not kept.
        headers = list(pool.map(header, paths))
        band = band_of([known.rate for known in headers if known is not None])
        sounds = [known is not None and known.sound for known in headers]
        heard = pool.map(lambda path, s: _hear(path, root / path, band, options, s), paths, sounds)
        return list(heard), band


def _hear(path: str, file: Path, band: Band, options: Mapping[str, Any], sound: bool) -> Heard:
    try:
        # The header of a record that is named as WFDB does, without suffix.
        file = recording_file(file)
        signal = read_file(file, **options)
    except HeldoutError as error:
        # As in `recording_file`, the name may be too long.
        there = os.path.exists(file)  # noqa: PTH110
        return Heard(path, fault=fault_of(error, file) if there else MISSING)
    return Heard(
        path,
        rate=signal.rate,
        duration=signal.duration,
        channels=len(signal.channels),
        names=signal.channels,
        notes=signal.notes,
        sound=sound,
        beats=len(signal.positions),
        level=level(signal),
        quiet=quiet_start(signal),
        cutoff=cutoff(signal),
        size=file.stat().st_size,
        content=content_of(signal),
        bits=fingerprint(signal, band=band),
    )


def fault_of(error: HeldoutError, file: Path) -> str:
    """Say what is wrong with a file, and name the one beside it whose fault it is.

    Parameters
    ----------
    error : HeldoutError
        Of reading the file.
    file : Path
        The file that was read.

    Returns
    -------
    str
        Without the path of the file, and without advice.
    """
    if not (error.expected or error.got):
        return str(error)
    return error.fact if error.place == str(file) else f"{Path(error.place).name}: {error.fact}"


def same_recordings(
    heard: Sequence[Heard], *, band: Band, root: Path, reading: Mapping[str, Any] | None = None
) -> list[Copy]:
    """Find the pairs of recordings that hold the same audio.

    Parameters
    ----------
    heard : sequence of Heard
        Without a fault. Those whose fingerprints agree are read again.
    band : Band
        Of their fingerprints.
    root, reading
        As for `listen`.

    Returns
    -------
    list of Copy
        Their names are paths, in the order of `heard`.
    """
    matches = find_same(
        [item.bits for item in heard if item.bits is not None],
        [item.content for item in heard],
        [item.duration for item in heard],
        band=band,
    )
    pairs = [(heard[match.first], heard[match.second], match.shift) for match in matches]
    candidates = [Candidate(a.path, b.path, shift, a.content == b.content) for a, b, shift in pairs]
    options = dict(reading or {})
    return list(confirm(candidates, lambda path: read_file(recording_file(root / path), **options)))
