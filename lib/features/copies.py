"""Recordings that are there under several names: fingerprints propose, samples decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.datasets.registry import get_dataset
from lib.datasets.signal import Signal, constant
from lib.examples.assembly import read_shard, undecodable
from lib.features.fingerprint import BANDS, Fingerprint, band_of, fingerprint, mono, unpack
from lib.features.likeness import likeness
from lib.features.matches import find_same, unmistakable

# Recordings kept for the next pairs: those of one recording follow each other.
_KEPT = 4


class Candidate(NamedTuple):
    """Two recordings that may hold the same audio; `exact` where all their samples are the same.

    `shift` (s) is where the second probably begins in the first.
    """

    first: str
    second: str
    shift: float
    exact: bool


class Copy(NamedTuple):
    """Two recordings that hold the same audio.

    `shift` (s) is where the second begins in the first, `overlap` (s) how much they share, and
    `correlation` that of their samples there; below 0 where one is the other upside down. `exact`
    says that all their samples are the same.
    """

    first: str
    second: str
    shift: float
    overlap: float
    correlation: float
    exact: bool


def confirm(candidates: Iterable[Candidate], read: Callable[[str], Signal]) -> Iterator[Copy]:
    """Read the recordings of candidates again, and pass on those that hold the same audio.

    Parameters
    ----------
    candidates : iterable of Candidate
        Those of one recording should follow each other.
    read : callable
        Reads the recording of a name.

    Yields
    ------
    Copy
        Decided by `lib.features.likeness`, in the highest band that both recordings hold, or else
        by `lib.features.matches.unmistakable`. Constant recordings are copies of nothing.

    Raises
    ------
    HeldoutError
        A recording cannot be read.
    """
    signal = lru_cache(maxsize=_KEPT)(read)

    @lru_cache(maxsize=_KEPT)
    def wave(name: str, rate: float) -> np.ndarray:
        samples = signal(name).samples
        # Filters let a constant through with a ripple: nothing is left of it beforehand.
        return np.zeros(0, np.float32) if constant(samples).all() else mono(signal(name), rate=rate)

    for first, second, shift, exact in candidates:
        one = signal(first)
        if exact:
            if not constant(one.samples).all():
                yield Copy(first, second, 0.0, one.duration, 1.0, exact)
            continue
        band = band_of([one.rate, signal(second).rate])
        alike = likeness(wave(first, band.rate), wave(second, band.rate), shift=shift, band=band)
        if alike.same:
            yield Copy(first, second, alike.shift, alike.overlap, alike.correlation, exact)
            continue
        # In lower bands signals repeat by nature: there the samples alone decide.
        if band != BANDS[0]:
            continue
        prints = [fingerprint(signal(name), band=band) for name in (first, second)]
        if unmistakable(prints[0], prints[1], shift):
            overlap = min(one.duration, signal(second).duration + shift) - max(0.0, shift)
            yield Copy(first, second, shift, overlap, alike.correlation, exact)


def find_copies(
    shards: Iterable[str | Path],
    recordings: pd.DataFrame,
    *,
    dataset: str,
    reading: Mapping[str, Any] | None = None,
) -> list[Copy]:
    """Find the recordings of a study that are one, and that it would not treat as one.

    Parameters
    ----------
    shards : iterable of str or Path
        Files of `lib.features.write_shard`, which hold the fingerprints.
    recordings : pd.DataFrame
        The study's table of recordings: all that the shards hold.
    dataset : str
        As for `lib.datasets.get_dataset`.
    reading : mapping, optional
        What `lib.datasets.read` takes beside the path.

    Returns
    -------
    list of Copy
        Pairs of two groups, or of two labels, in the order of the table. Two recordings are read
        again where their fingerprints agree. Constant and silent stretches are no copies.

    Raises
    ------
    HeldoutError
        A shard or a recording cannot be read.
    """
    source = get_dataset(dataset)
    table = recordings.assign(recording=recordings["recording"].astype(str)).set_index("recording")
    label, group, path = (table[name].to_dict() for name in ("label", "group", "path"))
    candidates = (
        one
        for one in _candidates(shards, table["duration"])
        if group[one.first] != group[one.second] or contradict(label[one.first], label[one.second])
    )
    return list(confirm(candidates, lambda name: source.read(path[name], **(reading or {}))))


def settle(
    shards: Sequence[str | Path],
    recordings: pd.DataFrame,
    *,
    dataset: str,
    reading: Mapping[str, Any] | None = None,
) -> tuple[list[Copy], dict[str, str]]:
    """Decide which recordings count as one, and which have no part in a study.

    Parameters
    ----------
    shards, recordings, dataset, reading
        As for `find_copies`.

    Returns
    -------
    copies : list of Copy
        Of recordings that stay.
    left_out : dict of str to str
        The reason for each recording that could not be decoded, or whose label contradicts that of
        a copy.

    Raises
    ------
    HeldoutError
        As `find_copies`.
    """
    copies = find_copies(shards, recordings, dataset=dataset, reading=reading)
    label = dict(zip(recordings["recording"].astype(str), recordings["label"], strict=True))
    pairs = [(copy.first, copy.second) for copy in copies]
    left_out = undecodable(shards) | contradictions(pairs, label)
    return [copy for copy in copies if not {copy.first, copy.second} & set(left_out)], left_out


def contradict(label: str, other: str) -> bool:
    """Tell whether two labels cannot both be true; an empty one says nothing."""
    return bool(label and other and label != other)


def contradictions(pairs: Iterable[tuple[str, str]], label: Mapping[str, str]) -> dict[str, str]:
    """Say why recordings with the same audio and two labels cannot be used.

    One label is wrong, and nobody knows which.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Names of recordings with the same audio.
    label : mapping of str to str
        Of each recording; may be empty.

    Returns
    -------
    dict of str to str
        The reason for each recording of a pair whose labels contradict each other.
    """
    reasons: dict[str, str] = {}
    for pair in pairs:
        for this, other in (pair, pair[::-1]):
            if contradict(label[this], label[other]):
                reasons.setdefault(
                    this,
                    f"it holds the same audio as {other}, which is labelled {label[other]}, and "
                    f"this one {label[this]}: one of the two is wrong",
                )
    return reasons


def _candidates(shards: Iterable[str | Path], duration: pd.Series) -> Iterator[Candidate]:
    """Find the pairs whose fingerprints, or all samples, agree."""
    known: dict[str, tuple[int, str, Fingerprint]] = {}
    for path in shards:
        arrays = read_shard(path, ["recordings", "band", "content", "frames", "bits", "heard"])
        rows = zip(arrays["band"], arrays["content"], unpack(arrays), strict=True)
        known |= dict(zip(map(str, arrays["recordings"]), rows, strict=True))
    for number, band in enumerate(BANDS):
        # What could not be decoded has no content.
        names = [name for name in duration.index if known[name][0] == number and known[name][1]]
        matches = find_same(
            [known[name][2] for name in names],
            [known[name][1] for name in names],
            [duration[name] for name in names],
            band=band,
        )
        for match in matches:
            first, second = names[match.first], names[match.second]
            yield Candidate(first, second, match.shift, known[first][1] == known[second][1])
