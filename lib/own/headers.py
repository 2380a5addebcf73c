"""What the headers of all recordings of a folder say, and which of them are unlike the others.

One file must not decide for a thousand: a header that claims 4 Hz, a stray ECG among sounds. So the
few that are unlike the rest are left out and named, and settings follow from all others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from lib.audit.listening import fault_of
from lib.datasets.files import read_file_header
from lib.datasets.signal import Header
from lib.errors import HeldoutError

AUDIO_RATE, MEASURED_RATE = 16000.0, 250.0
"""The highest rates (Hz) that a new study has, of sounds and of measured signals."""

LOWEST_SOUND = 200.0
"""Hz. What is sampled more slowly is no sound, whatever its format."""

_THREADS = 8
# A value below this share of what most recordings have is odd, where few have it: a rate that loses
# seven eighths of the band.
_ODD = 1 / 8
_FEW = 20  # one in so many, or a single one among at least five

Value = TypeVar("Value")


def read_headers(folder: Path, paths: list[str], reading: Mapping[str, Any]) -> dict[str, Header]:
    """Read the header of every recording; one that is damaged is not in the result.

    Parameters
    ----------
    folder : Path
        What the paths are within.
    paths : list of str
        The recordings.
    reading : mapping
        What `lib.datasets.files.read_file` takes beside the path.

    Raises
    ------
    HeldoutError
        None can be read.
    """
    results = for_each(paths, lambda path: read_file_header(folder / path, **reading))
    headers = {path: one for path, one in results.items() if isinstance(one, Header)}
    if not headers:
        path, first = next(iter(results.items()))
        assert isinstance(first, HeldoutError)
        got = f"none among {len(paths)}, the first: {path}: {fault_of(first, folder / path)}"
        raise HeldoutError(folder, "recordings that can be read", got, first.advice) from first
    return headers


def for_each(paths: Iterable[str], read: Callable[[str], Value]) -> dict[str, Value | HeldoutError]:
    """Read something of every recording at once, with a bar where that takes long."""

    def attempt(path: str) -> Value | HeldoutError:
        try:
            return read(path)
        except HeldoutError as error:
            return error

    paths = list(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        bar = tqdm(pool.map(attempt, paths), "reading headers", len(paths), disable=None, delay=2)
        return dict(zip(paths, bar, strict=True))


def few(count: int, *, of: int) -> bool:
    """Tell whether so many recordings are too few to decide for the others.

    Examples
    --------
    >>> few(1, of=13), few(2, of=13), few(10, of=1000), few(1, of=2)
    (True, False, True, False)
    """
    return count <= of // _FEW or (count == 1 and of >= 5)


def named(paths: Collection[str], *, most: int = 4) -> str:
    """Name some paths, and count them where they are more.

    Examples
    --------
    >>> named(["a.wav", "b.wav", "c.wav"], most=2)
    'a.wav, b.wav and 1 more'
    """
    some = ", ".join(list(paths)[:most])
    return some if len(paths) <= most else f"{some} and {len(paths) - most:,} more"


def by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Collect what has each key, such as paths and a reason, from pairs of one and its key.

    Examples
    --------
    >>> by_key([("a.wav", "short"), ("b.wav", "slow"), ("c.wav", "short")])
    {'short': ['a.wav', 'c.wav'], 'slow': ['b.wav']}
    """
    held: dict[str, list[str]] = {}
    for one, key in pairs:
        held.setdefault(key, []).append(one)
    return held


def far_below(values: Mapping[str, float], *, cap: float, share: float = _ODD) -> list[str]:
    """Name the few recordings with a value far below that of most, or of `cap` where that is less.

    Parameters
    ----------
    values : mapping of str to float
        A rate or a duration of each recording.
    cap : float
        The highest value that matters.
    share : float
        Of the median or `cap`: what is less is far below.

    Examples
    --------
    >>> far_below({"a": 8000, "b": 8000, "c": 4, "d": 4000, "e": 8000}, cap=16000)
    ['c']
    """
    if not values:
        return []
    limit = share * min(cap, float(np.median(list(values.values()))))
    low = [path for path, value in values.items() if value < limit]
    return low if few(len(low), of=len(values)) else []


def odd_recordings(headers: Mapping[str, Header], *, sounds: bool | None = None) -> dict[str, str]:
    """Name recordings that are unlike the others, each with a reason to leave it out.

    These are the few (one in twenty, or a single one) that are measured signals among sounds or
    the reverse, or whose rate is below an eighth of that of most; and, where most sounds are above
    200 Hz, all that are below.

    Parameters
    ----------
    headers : mapping of str to Header
        Of the recordings that can be read, by their paths.
    sounds : bool, optional
        Whether sounds are asked for; what most are without it.

    Returns
    -------
    dict of str to str
        Paths and reasons.
    """
    if sounds is None:
        sounds = 2 * sum(header.sound for header in headers.values()) >= len(headers)
    others = [path for path, header in headers.items() if header.sound != sounds]
    what = ("a measured signal", "sounds") if sounds else ("a sound", "measured signals")
    odd = {}
    if few(len(others), of=len(headers)):
        odd = dict.fromkeys(others, f"it is {what[0]}, and the others are {what[1]}")
    kept = {path: header.rate for path, header in headers.items() if path not in odd}
    low = far_below(kept, cap=AUDIO_RATE if sounds else MEASURED_RATE)
    usual = float(np.median(list(kept.values()))) if kept else 0.0
    if sounds and usual >= LOWEST_SOUND:
        low += [path for path in kept if headers[path].sound and kept[path] < LOWEST_SOUND]
    return odd | {
        path: f"its rate is {kept[path]:,g} Hz by its header, and that of most {usual:,g} Hz"
        for path in low
    }
