"""Which of many fingerprints may hold the same audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lib.features.fingerprint import BANDS, BITS, Band, Fingerprint

# Share of differing bits, below which samples decide (`lib.features.likeness`). On 38 heart sounds,
# 25 clips of voices and 25 read sentences, copies as mp3 or ogg, resampled, cut and louder had at
# most 0.13, different recordings 0.36 and more; copies with noise at 20 to 10 dB, or driven far
# into clipping, lie between, as do signals that repeat by nature, such as an ECG.
DIFFERENT = 0.35

# The least overlap of two recordings, in frames: fewer bits agree by chance.
LEAST = 15
ENOUGH = 50

# Where so few differ in so many frames, and at any other shift so many more, one was made from the
# other. Of the 832 heart sounds of PASCAL, 110 clips of voices and 100 read sentences, copies had
# at most 0.09, different recordings 0.29 and more, and at another shift 0.06 more at most.
_FEWER, _APART_BY, _MANY = 0.25, 0.1, 80

# Of equal stretches of bits so many neighbours are looked at: a hundred copies still make a chain.
_NEIGHBOURS = 12
# Of more words than there are values of 20 bits, too many are equal by chance: two words are looked
# up together, so many frames apart.
_FEW = 1 << 20
_APART = 2


class Match(NamedTuple):
    """Two recordings that may hold the same audio.

    `first` and `second` are their numbers; `shift` (s) is where the second begins in the first,
    `overlap` (s) how long they agree, `differing` the share of bits that differ.
    """

    first: int
    second: int
    shift: float
    overlap: float
    differing: float


def find_matches(prints: Sequence[Fingerprint], *, band: Band = BANDS[0]) -> list[Match]:
    """Find every pair of recordings that may hold the same audio.

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


def find_same(
    prints: Sequence[Fingerprint],
    contents: Sequence[str],
    durations: Sequence[float],
    *,
    band: Band,
) -> list[Match]:
    """Find every pair of recordings that may hold the same audio, short and silent ones too.

    Parameters
    ----------
    prints : sequence of Fingerprint
        As for `find_matches`.
    contents : sequence of str
        A hash of the samples of each recording: what is too short for a fingerprint, or silent, is
        compared by it.
    durations : sequence of float
        In s.
    band : Band
        For the times.

    Returns
    -------
    list of Match
        As `find_matches`.
    """
    matches = {match[:2]: match for match in find_matches(prints, band=band)}
    first_of: dict[str, int] = {}
    for number, content in enumerate(contents):
        first = first_of.setdefault(content, number)
        if first != number:
            matches.setdefault(
                (first, number), Match(first, number, 0.0, durations[number], differing=0.0)
            )
    return [match for _, match in sorted(matches.items())]


def _candidates(prints: Sequence[Fingerprint]) -> list[tuple[int, int, int]]:
    """List pairs of recordings, with a shift in frames, at which several stretches agree."""
    if not prints:
        return []
    sizes = [len(one.bits) for one in prints]
    longest = max(sizes) + 1
    number = np.repeat(np.arange(len(prints), dtype=np.int32), sizes)
    place = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
    words, heard = (
        np.concatenate([getattr(p, name) for p in prints]) for name in ("bits", "heard")
    )
    apart = 0 if len(words) <= _FEW else _APART
    late = slice(apart, None)
    early = slice(None, len(words) - apart if apart else None)
    whole = heard[early] & heard[late] & (number[early] == number[late])
    number, place = number[early][whole], place[early][whole]
    votes = []
    # 20 bits of the lower and of the upper bands: one of them is likely to be without an error.
    for part in (words & 0xFFFFF, words >> 12):
        keys = part[late][whole].astype(np.int64)
        if apart:
            keys |= part[early][whole].astype(np.int64) << 20
        # Neighbouring frames share most of their audio: one of a stretch of equals is enough.
        kept = np.unique(keys * len(prints) + number, return_index=True)[1]
        key, who, where = keys[kept], number[kept], place[kept]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(key[:-step] == key[step:])
            shift = where[same] - where[same + step] + longest
            # One number is sorted much faster than a row of three.
            pair = who[same].astype(np.int64) * len(prints) + who[same + step]
            votes.append(pair * 2 * longest + shift)
    codes, counts = np.unique(np.concatenate(votes), return_counts=True)
    pair, shift = np.divmod(codes[counts >= 2], 2 * longest)
    first, second = np.divmod(pair, len(prints))
    return list(zip(first.tolist(), second.tolist(), (shift - longest).tolist(), strict=True))


def _compare(
    prints: Sequence[Fingerprint], first: int, second: int, shift: int, band: Band
) -> Match | None:
    """Count the bits that differ with the second recording moved by `shift` frames."""
    a, b = prints[first], prints[second]
    heard = min(np.count_nonzero(one.heard) for one in (a, b))
    least = min(ENOUGH, max(LEAST, int(0.6 * heard)))
    best: Match | None = None
    for offset in (shift - 1, shift, shift + 1):
        start, end = max(0, offset), min(len(a.bits), len(b.bits) + offset)
        if end - start < LEAST:
            continue
        both = a.heard[start:end] & b.heard[start - offset : end - offset]
        count = np.count_nonzero(both)
        if count < least:
            continue
        unlike = a.bits[start:end][both] ^ b.bits[start - offset : end - offset][both]
        differing = float(np.bitwise_count(unlike).sum() / (BITS * count))
        if differing < DIFFERENT and (best is None or differing < best.differing):
            # A word hears a whole frame, so the audio that agrees is longer than its words.
            overlap = (end - start) * band.hop + band.frame
            best = Match(first, second, offset * band.hop, overlap, differing)
    return best


def unmistakable(first: Fingerprint, second: Fingerprint, shift: float) -> bool:
    """Tell whether two fingerprints agree at one shift alone, and there almost wholly.

    A filter may move each frequency by another time, which leaves the energies of bands as they
    are, and no correlation between samples.

    Parameters
    ----------
    first, second : Fingerprint
        Made in the highest of `BANDS`: in lower ones signals repeat by nature.
    shift : float
        Where the second begins in the first, s.
    """
    band = BANDS[0]
    if min(np.count_nonzero(one.heard) for one in (first, second)) < _MANY:
        return False
    match = _compare((first, second), 0, 1, round(shift / band.hop), band)
    if match is None or match.differing > _FEWER or match.overlap < _MANY * band.hop + band.frame:
        return False
    best = round(match.shift / band.hop)
    frames = round(match.overlap / band.hop)
    # Neighbouring frames share audio, so that the nearest shifts agree in part.
    near = round(band.frame / band.hop)
    lags = [
        lag
        for lag in range(frames // 2 - len(second.bits), len(first.bits) - frames // 2)
        if abs(lag - best) > near
    ]
    # Each comparison looks one frame to either side.
    return all(
        other is None or other.differing > match.differing + _APART_BY
        for other in (_compare((first, second), 0, 1, lag, band) for lag in lags[::3])
    )
