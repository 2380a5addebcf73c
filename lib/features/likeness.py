"""Whether two signals hold the same samples somewhere, or only repeat in the same way.

A heart, a breath and a hum repeat by nature: two of them correlate wherever their beats fall
together. What a copy has beyond that is one shift at which all agrees, far better than a beat away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lib.features.fingerprint import Band
from lib.features.matches import ENOUGH, LEAST

# A correlation is believed where it is nearer to 1 than that of any other shift, since a periodic
# signal is about as alike a period away (PASCAL: with 0.73 of the distance from 1 or more), and in
# one of two ways. Each limit lies beyond what different recordings came to: pieces of 5 to 60 s of
# the 48 records of MIT-BIH at 100 Hz and 1 kHz, the 832 sounds of PASCAL, speech.
#
# By its distance from what is reached by chance, in standard deviations: those came to 18.5 at
# most, copies of sounds with noise at 20 dB, or as mp3 or ogg, come to 23 and more.
_CERTAIN, _NEARER = 22.0, 0.5
# By its size, since a baseline that wanders leaves an ECG of some seconds few independent samples:
# correlation, seconds (three beats, ten beats), and how much nearer. Those came to 0.989 and 0.05,
# or in ten beats to 0.985 and 0.15; copies with noise at 20 dB come to 0.995 and 0.05, at 10 dB in
# ten beats to 0.98 and 0.08. Of a single beat, 0.994 is nothing.
_ALIKE = ((0.9965, 3.5, 0.4), (0.993, 3.5, 0.12), (0.95, 8.0, 0.08))
# Less than this share of the shorter signal says too little, unless it is long.
_SHARE = 0.6
# Correlations are no more exact than this.
_EXACT = 1e-4
# An overlap so far below the rest of its recording (-40 dB) is silence, alike in any two.
_SILENCE = 0.01
# Moves within half a sample that are tried: a copy may be resampled from another start.
_MOVES = np.linspace(-0.5, 0.5, 21)
# Samples compared at most: half a minute of sound, twenty minutes of an ECG.
_MOST = 1 << 17


class Likeness(NamedTuple):
    """How alike two signals are where they are most alike.

    Attributes
    ----------
    shift : float
        Where the second begins in the first, to a sample, s.
    overlap : float
        How much they share there, s; of long recordings, how much of it was compared.
    correlation : float
        From -1 to 1; below 0 where one is the other upside down.
    certainty : float
        Standard deviations between the correlation and 0, given how many of the samples are
        independent.
    elsewhere : float
        The best correlation at any other shift, with half the overlap or more.
    """

    shift: float = 0.0
    overlap: float = 0.0
    correlation: float = 0.0
    certainty: float = 0.0
    elsewhere: float = 0.0

    @property
    def same(self) -> bool:
        """Whether both hold the same samples, as far as can be told."""
        correlation = abs(self.correlation)
        # What repeats exactly has no shift that could be told from others.
        nearer = (1 - correlation + _EXACT) / (1 - self.elsewhere + _EXACT)
        return (self.certainty >= _CERTAIN and nearer <= _NEARER) or any(
            correlation >= least and self.overlap >= seconds and nearer <= much
            for least, seconds, much in _ALIKE
        )


def likeness(first: np.ndarray, second: np.ndarray, *, shift: float, band: Band) -> Likeness:
    """Compare two signals at every shift.

    Parameters
    ----------
    first, second : np.ndarray [shape=(time,)]
        At the rate of the band.
    shift : float
        Where the second probably begins in the first, s. It decides which stretch of long signals
        is compared, and nothing else: a fingerprint may be wrong by a beat.
    band : Band
        Two signals share as many frames of it as `lib.features.matches` asks for, or nothing.

    Returns
    -------
    Likeness
        All 0 where either is too short, constant or silent wherever they overlap.
    """
    skipped, first, second = _stretch(first, second, round(shift * band.rate))
    frames = (min(len(first), len(second)) / band.rate - band.frame) / band.hop
    if frames < LEAST:
        return Likeness()
    frames = min(ENOUGH, max(LEAST, _SHARE * frames))
    least = round((frames * band.hop + band.frame) * band.rate)
    lags, sizes, correlations = _correlations(first, second, least)
    certain = np.arctanh(np.minimum(np.abs(correlations), 1 - 1e-9)) * np.sqrt(sizes)
    best = int(certain.argmax())
    if not certain[best]:
        return Likeness()
    correlation, certainty = _between_samples(*_shared(first, second, int(lags[best])))
    # The peak ends where the sign changes; what lies beyond it are other shifts.
    upright = correlations * np.sign(correlations[best])
    other = np.flatnonzero(upright <= 0)
    left = other[other < best].max(initial=-1)
    right = other[other > best].min(initial=len(lags))
    upright[left + 1 : right] = 0
    upright[sizes < sizes[best] / 2] = 0
    next_best = int(upright.argmax())
    elsewhere = 0.0
    if upright[next_best] > 0:
        elsewhere = abs(_between_samples(*_shared(first, second, int(lags[next_best])))[0])
    shift, overlap = (int(lags[best]) + skipped) / band.rate, int(sizes[best]) / band.rate
    return Likeness(shift, overlap, correlation, certainty, elsewhere)


def _shared(first: np.ndarray, second: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut out what both share where the second begins at sample `lag` of the first, less means."""
    x, y = first[max(0, lag) :], second[max(0, -lag) :]
    size = min(len(x), len(y))
    return x[:size] - x[:size].mean(), y[:size] - y[:size].mean()


def _stretch(first: np.ndarray, second: np.ndarray, lag: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Cut long signals to where both are loudest together, at the same place of each.

    Returns how many samples more of the first are cut off at the start, and both.
    """
    start, end = max(0, lag), min(len(first), len(second) + lag)
    if max(len(first), len(second)) > _MOST and end > start:
        places = np.arange(start, max(start + 1, end - _MOST + 1), _MOST // 4)
        energy = [
            float(np.square(first[place : place + _MOST], dtype=np.float64).sum())
            * float(np.square(second[place - lag : place - lag + _MOST], dtype=np.float64).sum())
            for place in places
        ]
        start = int(places[np.argmax(energy)])
        return lag, first[start : start + _MOST], second[start - lag : start - lag + _MOST]
    return 0, first, second


def _correlations(
    first: np.ndarray, second: np.ndarray, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlate two signals at each lag with `least` samples of overlap, less their means there.

    Returns the lags, the samples of overlap, and the correlations, 0 where either is silent.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    x, y = (wave.astype(np.float64) - wave.mean(dtype=np.float64) for wave in (first, second))
    length = next_fast_len(len(x) + len(y))
    products = irfft(rfft(x, length) * np.conj(rfft(y, length)), length)
    lags = np.arange(least - len(y), len(x) - least + 1)
    start, end = np.maximum(0, lags), np.minimum(len(x), len(y) + lags)
    sizes = end - start
    sums, spreads, loud = [], [], np.ones(len(lags), bool)
    for wave, low, high in ((x, start, end), (y, start - lags, end - lags)):
        total, squares = (np.concatenate([[0], np.cumsum(part)]) for part in (wave, wave * wave))
        sums.append(total[high] - total[low])
        spreads.append(squares[high] - squares[low] - sums[-1] ** 2 / sizes)
        loud &= spreads[-1] > _SILENCE**2 * wave.var() * sizes
    products = products[lags % length] - sums[0] * sums[1] / sizes
    scale = np.sqrt(np.where(loud, spreads[0] * spreads[1], 1))
    return lags, sizes, np.clip(np.where(loud, products / scale, 0), -1, 1)


def _between_samples(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Compute the largest correlation of moves of less than a sample, and how certain it is."""
    from scipy.fft import rfft, rfftfreq

    # By Parseval's theorem; the means are 0, and what is exactly at half the rate does not matter.
    of_x, of_y, turn = rfft(x), rfft(y), 2j * np.pi * rfftfreq(len(x))
    cross = of_x * np.conj(of_y)
    products = np.array([(cross * np.exp(turn * move)).real.sum() for move in _MOVES])
    products *= 2 / (len(x) * float(np.linalg.norm(x) * np.linalg.norm(y)))
    correlation = float(np.clip(products[np.abs(products).argmax()], -1, 1))
    # Bartlett's: correlations of signals that are alike only by chance have a variance of the sum
    # of the products of their autocorrelations, which counts the frequencies that both consist of.
    p, q = np.abs(of_x) ** 2, np.abs(of_y) ** 2
    independent = float(p.sum() * q.sum() / (p * q).sum())
    return correlation, float(np.arctanh(min(abs(correlation), 1 - 1e-9)) * independent**0.5)
