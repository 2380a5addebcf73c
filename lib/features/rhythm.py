"""Rhythm: when a beat comes, by the times of the beats of its recording alone."""

from __future__ import annotations

import numpy as np

RHYTHM = (
    *("rr_before", "rr_after"),
    *("rr_before_recent", "rr_after_recent"),
    *("rr_before_near", "rr_after_near"),
    *("rr_ratio", "rr_score"),
)
"""The names of what `rhythm` computes, in its order."""

INTERVALS = ("rr_before_mean", "rr_after_mean", "rr_before_s", "rr_after_s", "rr_mean_s")
"""The names of what `intervals` computes, in its order."""

# RR intervals before a beat, and those around it with its own.
_RECENT, _NEAR = 10, 41
# The median absolute deviation of a normal distribution is this share of its standard deviation.
_MAD = 0.6745
# Of the median RR interval: the least deviation that is divided by, since a paced heart has none.
_STEADY = 0.02
# Standard deviations at which `rr_score` begins to saturate.
_UNUSUAL = 3.0


def rhythm(positions: np.ndarray) -> np.ndarray:
    """Compute for each beat how its RR intervals compare with those of its recording.

    The first and the last beat take the interval that they lack from their neighbour.

    Parameters
    ----------
    positions : np.ndarray, shape (beats,)
        When the beats are, ascending, in samples at any rate.

    Returns
    -------
    np.ndarray, shape (beats, len(RHYTHM))
        float32. The natural logarithms of the RR intervals before and after a beat, over the median
        of the recording, over that of the 10 intervals that precede the one before, and over that
        of the 41 around it; the logarithm of the interval before over the one after; and how far
        the interval before lies from the median of the recording in standard deviations, estimated
        by the median absolute deviation, divided by 3 and through tanh. All are 0 in a recording of
        fewer than three beats, which has no rhythm.

    Examples
    --------
    >>> early = rhythm(np.array([0, 100, 200, 250, 400]))[3]
    >>> dict(zip(RHYTHM, early.round(2).tolist(), strict=True))["rr_before"]
    -0.69
    """
    import pandas as pd

    if len(positions) < 3:
        return np.zeros((len(positions), len(RHYTHM)), np.float32)
    between, before, after = _around(positions)
    median = np.median(between)
    series = pd.Series(before)
    recent = series.rolling(_RECENT, min_periods=1).median().shift(1).bfill().to_numpy()
    near = series.rolling(_NEAR, center=True, min_periods=1).median().to_numpy()
    deviation = max(np.median(np.abs(between - median)) / _MAD, _STEADY * median)
    logarithms = [
        np.log(interval / usual) for usual in (median, recent, near) for interval in (before, after)
    ]
    score = np.tanh((before - median) / deviation / _UNUSUAL)
    columns = [*logarithms, np.log(before / after), score]
    return np.stack(columns, axis=1).astype(np.float32)


def intervals(positions: np.ndarray, rate: float) -> np.ndarray:
    """Compute for each beat its RR intervals themselves, as the literature has them.

    In a record whose beats mostly come early the usual interval is that of early beats; in seconds
    they are short all the same. But how fast a heart beats also tells patients apart.

    Parameters
    ----------
    positions : np.ndarray, shape (beats,)
        When the beats are, ascending, in samples.
    rate : float
        Of the samples, in Hz.

    Returns
    -------
    np.ndarray, shape (beats, len(INTERVALS))
        float32. The natural logarithms of the RR intervals before and after a beat, over the mean
        of the recording and in seconds, and of that mean in seconds (de Chazal et al., 2004;
        Mondéjar-Guerra et al., 2019, who take no logarithm). All are 0 in a recording of fewer than
        three beats.

    Examples
    --------
    >>> intervals(np.array([0, 250, 500, 750]), 250.0).any()
    False
    """
    if len(positions) < 3:
        return np.zeros((len(positions), len(INTERVALS)), np.float32)
    between, before, after = _around(positions)
    mean = between.mean()
    columns = [before / mean, after / mean, before / rate, after / rate]
    columns.append(np.full(len(positions), mean / rate))
    return np.log(np.stack(columns, axis=1)).astype(np.float32)


def _around(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute the intervals between beats, and those before and after each."""
    # Two beats at one sample are a slip of annotation; a logarithm needs some time between them.
    between = np.maximum(np.diff(positions), 1).astype(np.float64)
    return between, between[[0, *range(len(between))]], np.append(between, between[-1])
