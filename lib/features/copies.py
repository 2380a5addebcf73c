"""Recordings that a dataset holds under several names: fingerprints propose, samples decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.datasets.registry import get_dataset
from lib.datasets.signal import constant
from lib.examples.assembly import read_shard, undecodable
from lib.features.fingerprint import BANDS, Band, Fingerprint, mono, unpack
from lib.features.matches import Match, find_same

LEAST_CORRELATION = 0.995
"""Of the samples of two copies. The twelve pairs of PASCAL reach 1.0000 over all that they share;
stretches of 5 s from different patients of MIT-BIH, wherever they are most alike, 0.9915."""

# An overlap so far below the rest of its recording (-40 dB) is silence, alike in any two.
_SILENCE = 0.01
# How far from where fingerprints agree the samples may, in hops of a band.
_HOPS = 2
# Moves within half a sample that are tried: a copy may be resampled from another start.
_MOVES = np.linspace(-0.5, 0.5, 21)


class Copy(NamedTuple):
    """Two recordings that hold the same audio.

    `shift` (s) is where the second begins in the first, `overlap` (s) how much they share, and
    `correlation` that of their samples there; below 0 where one is the other upside down.
    """

    first: str
    second: str
    shift: float
    overlap: float
    correlation: float


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

    @lru_cache(maxsize=2)
    def wave(name: str, rate: float) -> np.ndarray:
        signal = source.read(path[name], **(reading or {}))
        # Filters let a constant through with a ripple: nothing is left of it beforehand.
        flat = constant(signal.samples).all()
        return np.zeros(0, np.float32) if flat else mono(signal, rate=rate)

    copies = []
    for band, first, second, shift in _candidates(shards, table["duration"]):
        if group[first] != group[second] or contradict(label[first], label[second]):
            a, b = wave(first, band.rate), wave(second, band.rate)
            shift, overlap, correlation = align(a, b, shift=shift, band=band)
            if abs(correlation) >= LEAST_CORRELATION:
                copies.append(Copy(first, second, shift, overlap, correlation))
    return copies


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


def align(
    first: np.ndarray, second: np.ndarray, *, shift: float, band: Band
) -> tuple[float, float, float]:
    """Find where the samples of two recordings agree best, near a shift.

    Parameters
    ----------
    first, second : np.ndarray [shape=(time,)]
        At the rate of the band.
    shift : float
        About where the second begins in the first, s.
    band : Band
        Of the fingerprints that agree there.

    Returns
    -------
    shift : float
        To a sample, s.
    overlap : float
        In s.
    correlation : float
        The largest by its size, from -1 to 1; 0 where either is constant or silent there.
    """
    middle, slack = round(shift * band.rate), round(_HOPS * band.hop * band.rate)
    loud = [_SILENCE * float(wave.std()) if len(wave) else 0.0 for wave in (first, second)]
    best, lag = 0.0, middle
    for start in range(middle - slack, middle + slack + 1):
        x, y = _overlap(first, second, start)
        size = float(np.linalg.norm(x) * np.linalg.norm(y))
        if size and abs(float(x @ y)) / size > best:
            best, lag = abs(float(x @ y)) / size, start
    x, y = _overlap(first, second, lag)
    silent = not best or x.std() <= loud[0] or y.std() <= loud[1]
    return lag / band.rate, len(x) / band.rate, 0.0 if silent else _between_samples(x, y)


def _overlap(first: np.ndarray, second: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut out what both share where the second begins at sample `lag` of the first, less means."""
    x, y = first[max(0, lag) :], second[max(0, -lag) :]
    size = min(len(x), len(y))
    x, y = x[:size], y[:size]
    return (x - x.mean(), y - y.mean()) if size else (x, y)


def _between_samples(x: np.ndarray, y: np.ndarray) -> float:
    """Compute the largest correlation, by its size, of moves of less than a sample."""
    from scipy.fft import rfft, rfftfreq

    # By Parseval's theorem; the means are 0, and what is exactly at half the rate does not matter.
    cross, turn = rfft(x) * np.conj(rfft(y)), 2j * np.pi * rfftfreq(len(x))
    products = np.array([(cross * np.exp(turn * move)).real.sum() for move in _MOVES])
    products *= 2 / (len(x) * float(np.linalg.norm(x) * np.linalg.norm(y)))
    return float(np.clip(products[np.abs(products).argmax()], -1, 1))


def _candidates(
    shards: Iterable[str | Path], duration: pd.Series
) -> Iterator[tuple[Band, str, str, float]]:
    """Find the pairs whose fingerprints agree: band, names, and shift (s)."""
    known: dict[str, tuple[int, str, Fingerprint]] = {}
    for path in shards:
        arrays = read_shard(path, ["recordings", "band", "content", "frames", "bits", "heard"])
        rows = zip(arrays["band"], arrays["content"], unpack(arrays), strict=True)
        known |= dict(zip(map(str, arrays["recordings"]), rows, strict=True))
    for number, band in enumerate(BANDS):
        # What could not be decoded has no content.
        names = [name for name in duration.index if known[name][0] == number and known[name][1]]
        matches: list[Match] = find_same(
            [known[name][2] for name in names],
            [known[name][1] for name in names],
            [duration[name] for name in names],
            band=band,
        )
        for match in matches:
            yield band, names[match.first], names[match.second], match.shift
