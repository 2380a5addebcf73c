"""Fingerprints that tell the same audio when it was re-encoded, resampled, cut or made louder.

The bits are those of Haitsma and Kalker (A Highly Robust Audio Fingerprinting System, ISMIR 2002):
whether the difference in energy of two neighbouring bands grows from one frame to the next. Level
and encoding change few of them; of two different recordings half differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.datasets.signal import Signal
from lib.features.resampling import resample

BITS = 32

# Share of differing bits. On 38 heart sounds, 25 clips of voices and 25 read sentences, copies
# as mp3 or ogg, resampled, cut and louder had at most 0.13, different recordings 0.36 and
# more; copies that were driven far into clipping lie between.
DIFFERENT = 0.25

# The least overlap of two recordings, in frames: fewer bits agree by chance.
LEAST = 15
ENOUGH = 50

# A frame below this share of the power of the loudest one (-60 dB) is silence: bits of noise.
_SILENCE = 1e-6
# Of equal stretches of bits so many neighbours are looked at: a hundred copies still make a chain.
_NEIGHBOURS = 12
# Frames transformed at once.
_BLOCK = 4096


class Band(NamedTuple):
    """Where to look in a signal: limits and rate in Hz, length of a frame and its hop in s."""

    low: float
    high: float
    rate: float
    frame: float
    hop: float


BANDS = (
    Band(40, 1900, 4000, 0.37, 0.02),
    Band(10, 450, 1000, 0.5, 0.02),
    Band(0.5, 45, 100, 2.0, 0.1),
)
"""From sounds to slow signals such as an ECG; two fingerprints compare in the same band only."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Bits of one recording.

    Attributes
    ----------
    bits : np.ndarray [shape=(frames,), dtype=uint32]
        One word for each frame.
    heard : np.ndarray [shape=(frames,), dtype=bool]
        False where the frame is silent.
    """

    bits: np.ndarray
    heard: np.ndarray


class Match(NamedTuple):
    """Two recordings that hold the same audio.

    `first` and `second` are their numbers; `shift` (s) is where the second begins in the first,
    `overlap` (s) how long they agree, `differing` the share of bits that differ.
    """

    first: int
    second: int
    shift: float
    overlap: float
    differing: float


def band_of(rates: Sequence[float]) -> Band:
    """Choose the band that every one of some sampling rates (Hz) holds; the lowest where none."""
    lowest = min(rates, default=BANDS[0].rate)
    return next((band for band in BANDS if band.rate <= lowest), BANDS[-1])


def fingerprint(signal: Signal, *, band: Band = BANDS[0]) -> Fingerprint:
    """Compute the fingerprint of a recording.

    Parameters
    ----------
    signal : Signal
        Its channels are averaged.
    band : Band
        Where to look.

    Returns
    -------
    Fingerprint
        One word for each hop of the band; none for a recording that is shorter than a frame.
    """
    wave = resample(signal.samples.mean(axis=1), rate=signal.rate, new_rate=band.rate)
    length, hop = round(band.frame * band.rate), round(band.hop * band.rate)
    if len(wave) < length:
        return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, bool))
    size = 1 << (length - 1).bit_length()
    window = np.hanning(length).astype(np.float32)
    edges = np.rint(np.geomspace(band.low, band.high, BITS + 2) * size / band.rate).astype(int)
    # Narrow bands at the low end would share a bin.
    edges = np.maximum.accumulate(np.maximum(edges, edges[0] + np.arange(BITS + 2)))
    frames = np.lib.stride_tricks.sliding_window_view(wave, length)[::hop]
    blocks = []
    for start in range(0, len(frames), _BLOCK):
        power = np.abs(np.fft.rfft(frames[start : start + _BLOCK] * window, size)) ** 2
        blocks.append(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))
    energy = np.concatenate(blocks)
    difference = energy[:, :-1] - energy[:, 1:]
    grown = difference[1:] > difference[:-1]
    words = (grown.astype(np.uint32) << np.arange(BITS, dtype=np.uint32)).sum(axis=1)
    total = energy.sum(axis=1)[1:]
    heard = total > _SILENCE * max(float(total.max(initial=0)), 1e-12)
    return Fingerprint(words.astype(np.uint32), heard)


def find_matches(prints: Sequence[Fingerprint], *, band: Band = BANDS[0]) -> list[Match]:
    """Find every pair of recordings that hold the same audio.

    Parameters
    ----------
    prints : sequence of Fingerprint
        All made in `band`.
    band : Band
        For the times.

    Returns
    -------
    list of Match
        Sorted by `first` and `second`. Where a recording has very many copies, not every pair of
        them, but every copy in at least one.
    """
    best: dict[tuple[int, int], Match] = {}
    for first, second, shift in _candidates(prints):
        match = _compare(prints, first, second, shift, band)
        if match is None:
            continue
        known = best.get((first, second))
        if known is None or match.overlap > known.overlap:
            best[first, second] = match
    return [best[pair] for pair in sorted(best)]


def _candidates(prints: Sequence[Fingerprint]) -> list[tuple[int, int, int]]:
    """List pairs of recordings, with a shift in frames, at which several stretches agree."""
    numbers = [np.full(len(p.bits), i) for i, p in enumerate(prints)]
    places = [np.arange(len(p.bits)) for p in prints]
    if not numbers:
        return []
    heard = np.concatenate([p.heard for p in prints])
    words = np.concatenate([p.bits for p in prints])[heard].astype(np.int64)
    number, place = np.concatenate(numbers)[heard], np.concatenate(places)[heard]
    votes = []
    # 20 bits of the lower and of the upper bands: one of them is likely to be without an error.
    for keys in (words & 0xFFFFF, words >> 12):
        # Neighbouring frames share most of their audio: one of a stretch of equals is enough.
        _, kept = np.unique(keys * (len(prints) + 1) + number, return_index=True)
        key, who, where = keys[kept], number[kept], place[kept]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(key[:-step] == key[step:])
            shift = where[same] - where[same + step]
            votes.append(np.column_stack([who[same], who[same + step], shift]))
    pairs, counts = np.unique(np.concatenate(votes), axis=0, return_counts=True)
    several = counts >= 2
    return [(int(a), int(b), int(shift)) for a, b, shift in pairs[several]]


def _compare(
    prints: Sequence[Fingerprint], first: int, second: int, shift: int, band: Band
) -> Match | None:
    """Count the bits that differ with the second recording moved by `shift` frames."""
    a, b = prints[first], prints[second]
    best: Match | None = None
    for offset in (shift - 1, shift, shift + 1):
        start, end = max(0, offset), min(len(a.bits), len(b.bits) + offset)
        if end - start < LEAST:
            continue
        both = a.heard[start:end] & b.heard[start - offset : end - offset]
        count = int(both.sum())
        if count < min(ENOUGH, max(LEAST, int(0.6 * min(a.heard.sum(), b.heard.sum())))):
            continue
        unlike = a.bits[start:end][both] ^ b.bits[start - offset : end - offset][both]
        differing = float(np.bitwise_count(unlike).sum() / (BITS * count))
        if differing < DIFFERENT and (best is None or differing < best.differing):
            # A word hears a whole frame, so the audio that agrees is longer than its words.
            overlap = (end - start) * band.hop + band.frame
            best = Match(first, second, offset * band.hop, overlap, differing)
    return best
