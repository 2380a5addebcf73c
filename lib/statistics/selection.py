"""Choices among runs: by ranks on another part, and by the part that they are judged on."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.confusion import Array
from lib.statistics.bootstrap import LEVEL, Interval, Resampled, interval

# Of fewer pairs a rank correlation may be anything.
FEWEST_RUNS = 5


def rank_correlation(a: ArrayLike, b: ArrayLike) -> Interval:
    """Compute Spearman's correlation of two scores of the same runs.

    Parameters
    ----------
    a, b : array_like, shape (run,)
        Runs of which one is NaN are left out.

    Returns
    -------
    Interval
        By Fisher's z with the standard error of Bonett and Wright (2000, Psychometrika 65:23),
        √((1 + r²/2) / (n − 3)). `groups` counts the runs; none of fewer than five, nor where all
        runs score the same.
    """
    from scipy.stats import norm, spearmanr

    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    reason = ""
    if len(x) < FEWEST_RUNS:
        runs = "1 run" if len(x) == 1 else f"{len(x)} runs"
        reason = f"{runs}: too few for a rank correlation"
    elif not np.ptp(x) or not np.ptp(y):
        reason = "all runs score the same: they have no ranks"
    if reason:
        return Interval(math.nan, math.nan, math.nan, len(x), reason)
    r = float(spearmanr(x, y).statistic)
    if abs(r) > 1 - 1e-9:
        return Interval(r, math.nan, math.nan, len(x), "the ranks agree fully: no interval")
    wide = norm.ppf((1 + LEVEL) / 2) * math.sqrt((1 + r * r / 2) / (len(x) - 3))
    low, high = np.tanh(np.arctanh(r) + np.array([-wide, wide]))
    return Interval(r, float(low), float(high), len(x))


class Selected(NamedTuple):
    """The best of several runs on the part that they are judged on.

    Attributes
    ----------
    run : int
        Which is best; the first of several.
    reported : float
        Its score: what would be reported.
    corrected : Interval, optional
        What such a choice is worth on other groups, where that is known.
    """

    run: int
    reported: float
    corrected: Interval | None


def select_best(inside: Array, outside: Array | None, groups: int) -> Selected:
    """Choose a run by its score, and correct that score for the choice.

    By the bootstrap bias correction of Tsamardinos, Greasidou and Borboudakis (2018, Mach. Learn.
    107:1895), over groups: in each resample the run is chosen that is best on the groups drawn, and
    judged on those that were not.

    Parameters
    ----------
    inside : ndarray, shape (1 + resample, run)
        Scores with the weights of `lib.statistics.bootstrap.draw_weights`: first of all groups.
    outside : ndarray, shape (resample, run), optional
        Scores of the groups that each resample lacks, NaN where there is none. Without them the
        score is not corrected.
    groups : int
        How many there are.

    Returns
    -------
    Selected
        `corrected` is the mean over resamples with their percentiles; a resample in which no run
        has a score chooses none. It needs at least one run with a score.
    """
    best = int(np.nanargmax(inside[0]))
    if outside is None:
        return Selected(best, float(inside[0, best]), None)
    # A run without a score is never the best.
    scored = np.isfinite(inside[1:])
    chosen = np.where(scored, inside[1:], -np.inf).argmax(1)
    draws = np.where(scored.any(axis=1), outside[np.arange(len(outside)), chosen], np.nan)
    mean = float(np.nanmean(draws)) if np.isfinite(draws).any() else math.nan
    corrected = interval(Resampled(mean, draws, groups))
    return Selected(best, float(inside[0, best]), corrected)
