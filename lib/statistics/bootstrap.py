"""Intervals: percentiles of a bootstrap over groups, or exact ones of independent examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lib.errors import HeldoutError
from lib.metrics.confusion import Array, ratio
from lib.metrics.registry import UNDEFINED

# With fewer groups a percentile interval is far too narrow to be shown.
FEWEST_GROUPS = 5

# With fewer, a nominal 95 % covers noticeably less; it is shown, and said to be narrow.
FEW_GROUPS = 10

# Draws that differ by less differ by rounding alone.
SMALLEST_SPREAD = 1e-12

# The coverage of every interval, and the p at which a difference counts as one.
LEVEL = 0.95
ALPHA = 0.05

EXACT = "exact (Clopper–Pearson)"


@dataclass(frozen=True)
class Interval:
    """A score with its 95 % interval; `low` and `high` are NaN where `note` says why."""

    estimate: float
    low: float
    high: float
    groups: int
    note: str = ""


@dataclass(frozen=True)
class Difference(Interval):
    """A difference of two scores.

    `p` is the two-sided p value that it is zero, and `error` its standard error over the resamples
    (Efron and Tibshirani 1993, ch. 6); NaN where there is no interval.
    """

    p: float = math.nan
    error: float = math.nan


class Resampled(NamedTuple):
    """A score, the mean over seeds, with its value in every resample of groups.

    Two of them that were drawn with the same weights can be subtracted draw by draw.
    """

    estimate: float
    draws: Array
    groups: int


def draw_weights(names: Sequence[str], *, resamples: int, seed: int) -> Array:
    """Draw groups with replacement, as many as there are.

    Parameters
    ----------
    names : sequence of str
        The groups. What is drawn depends on the names and not on their order.
    resamples, seed : int
        How many draws, from which seed of the generator.

    Returns
    -------
    ndarray, shape (1 + resample, group)
        How often each resample holds each group, in the order of `names`. The first row is no
        resample: it holds each group once, so that what is scored with these weights has the
        score of all examples first.
    """
    count = len(names)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(count, size=(resamples, count))
    flat = np.bincount((drawn + np.arange(resamples)[:, None] * count).ravel())
    weights = np.zeros(resamples * count)
    weights[: len(flat)] = flat
    # The draw is of the groups in alphabetical order.
    place = np.empty(count, dtype=int)
    place[np.argsort(np.asarray(names, dtype=object), kind="stable")] = np.arange(count)
    return np.vstack([np.ones(count), weights.reshape(resamples, count)[:, place]])


def draw_weights_of_two(
    names_a: Sequence[str], names_b: Sequence[str], *, resamples: int, seed: int
) -> tuple[Array, Array]:
    """Draw the groups of two samples, together where both hold them.

    Groups that both hold are drawn together; those that only one holds (another protocol tests
    others) are drawn apart, as many as there are.

    Parameters
    ----------
    names_a, names_b : sequence of str
        The groups of each sample.
    resamples, seed : int
        As for `draw_weights`.

    Returns
    -------
    ndarray, ndarray, shape (1 + resample, group)
        The weights of each, in the order of its names; as of `draw_weights`.
    """
    shared = set(names_a) & set(names_b)
    both = sorted(shared)
    together = dict(
        zip(both, draw_weights(both, resamples=resamples, seed=seed).T, strict=True) if both else ()
    )

    def of(names: Sequence[str], number: int) -> Array:
        alone = sorted(set(names) - shared)
        weights = dict(together)
        if alone:
            # A stream of its own, or two lists of equal length would be drawn as if paired.
            apart = np.random.SeedSequence([seed, number]).generate_state(1)[0]
            drawn = draw_weights(alone, resamples=resamples, seed=int(apart))
            weights |= dict(zip(alone, drawn.T, strict=True))
        return np.stack([weights[name] for name in names], axis=1)

    return of(names_a, 1), of(names_b, 2)


def resampled(values: Array, groups: int) -> Resampled:
    """Average scores over seeds: the interval is then that of an average run.

    Parameters
    ----------
    values : ndarray, shape (1 + resample, seed)
        Scores with the weights of `draw_weights`: first those of all groups.
    groups : int
        How many there are.

    Returns
    -------
    Resampled
    """
    return Resampled(float(values[0].mean()), values[1:].mean(1), groups)


def mean_over_groups(scores: Array, weights: Array) -> Resampled:
    """Average the scores of groups, each group counting once.

    ANSI/AAMI EC57 calls this the average statistic, and the score of all examples together, in
    which a group counts by its examples, the gross one.

    Parameters
    ----------
    scores : ndarray, shape (seed, group)
        NaN where a group has none: it is left out, for all seeds.
    weights : ndarray, shape (1 + resample, group)
        From `draw_weights`.

    Returns
    -------
    Resampled
        `groups` counts those that have a score.
    """
    there = np.isfinite(scores).all(0)
    drawn = weights[:, there]
    values = ratio(drawn @ scores[:, there].T, drawn.sum(1, keepdims=True))
    return resampled(values, int(there.sum()))


def interval(score: Resampled, *, lacks: str = "a score", reflected: bool = False) -> Interval:
    """Compute a score with its percentile interval (Efron and Tibshirani 1993, ch. 13).

    Parameters
    ----------
    score : Resampled
        From `resampled`.
    lacks : str
        What a resample without a score lacks, for the note: a metric need not say.
    reflected : bool
        For an error that chance can only raise, such as the expected calibration error: resamples
        are as much above the estimate as the estimate is above the truth, so the interval is
        mirrored at the estimate (the basic bootstrap; Davison and Hinkley 1997, section 5.2) and
        cut at 0.

    Returns
    -------
    Interval
        Widened to hold the estimate where skewness would leave it outside.
    """
    draws = 2 * score.estimate - score.draws if reflected else score.draws
    low, high, note = _ends(score.estimate, draws, score.groups, lacks=lacks)
    if reflected:
        low = np.maximum(low, 0.0)
    return Interval(score.estimate, low, high, score.groups, note)


def difference(a: Resampled, b: Resampled) -> Difference:
    """Compute the difference of two scores, a − b, with its percentile interval.

    Parameters
    ----------
    a, b : Resampled
        Drawn with the same weights, so that the draws are paired by group, or with those of
        `draw_weights_of_two`.

    Returns
    -------
    Difference
        `p` is twice the smaller share of draws on one side of zero, and never below
        2/(resamples + 1) (Davison and Hinkley 1997, eq. 4.11).
    """
    estimate, draws = a.estimate - b.estimate, a.draws - b.draws
    fewest = min(a.groups, b.groups)
    low, high, note = _ends(estimate, draws, fewest, lacks="a score")
    if math.isnan(low):
        return Difference(estimate, low, high, fewest, note)
    good = draws[np.isfinite(draws)]
    tail = min((good <= 0).sum(), (good >= 0).sum())
    p = min(1.0, 2 * (1 + tail) / (1 + len(good)))
    return Difference(estimate, low, high, fewest, note, float(p), float(good.std(ddof=1)))


def _ends(estimate: float, draws: Array, groups: int, *, lacks: str) -> tuple[float, float, str]:
    """Find the ends of an interval, or NaN, and what is to be said of it."""
    reason = ""
    if math.isnan(estimate):
        reason = UNDEFINED
    elif groups == 1:
        reason = "one group: no interval can be given"
    elif groups < FEWEST_GROUPS:
        reason = f"{groups} groups: too few for an interval"
    if reason:
        return math.nan, math.nan, reason
    good = draws[np.isfinite(draws)]
    dropped = 1 - len(good) / len(draws)
    if dropped > 0.5:
        return math.nan, math.nan, f"most resamples lack {lacks}: no interval can be given"
    if np.ptp(good) < SMALLEST_SPREAD:
        return math.nan, math.nan, "every resample gives the same: no interval can be given"
    low, high = np.quantile(good, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    notes = []
    if groups < FEW_GROUPS:
        notes.append(f"{groups} groups: the interval is likely too narrow")
    if dropped > 0.01:
        notes.append(f"{dropped:.0%} of the resamples lack {lacks} and are left out")
    return min(float(low), estimate), max(float(high), estimate), "; ".join(notes)


def exact_interval(right: float, examples: float) -> tuple[float, float]:
    """Compute the interval of a share of independent examples (Clopper and Pearson 1934).

    Of 25 right out of 25 it says .863 to 1; Wilson's interval, which is narrower because it covers
    95 % on average only, would say .867 to 1. Both counts may be means over seeds: the interval is
    then that of a single run.

    Parameters
    ----------
    right, examples : float
        How many are right, of how many.

    Returns
    -------
    low, high : float
        The ends of the interval.

    Raises
    ------
    HeldoutError
        There are no examples, or more are right than there are.

    Examples
    --------
    >>> low, high = exact_interval(25, 25)
    >>> f"{low:.3f} to {high:.3f}"
    '0.863 to 1.000'
    """
    from scipy.stats import beta

    if examples <= 0 or not 0 <= right <= examples:
        raise HeldoutError(
            "share of right examples",
            f"0 to {examples:g} right of at least 1",
            f"{right:g} of {examples:g}",
            "Count the right ones among the same examples.",
        )
    tail = (1 - LEVEL) / 2
    low = 0.0 if right == 0 else float(beta.ppf(tail, right, examples - right + 1))
    high = 1.0 if right == examples else float(beta.ppf(1 - tail, right + 1, examples - right))
    return low, high


def exact_share(right: Array, of: Array, *, examples: Array, estimate: float) -> Interval | None:
    """Compute the exact interval of a share where every group is one example.

    Only then are the examples independent. It needs no resamples, and so can be given for few
    groups, and where all are right.

    Parameters
    ----------
    right, of : ndarray, shape (seed, group)
        What the share counts in each group, and of how many: 0 or 1.
    examples : ndarray, shape (seed, group)
        All examples of each group.
    estimate : float
        The share, the mean over seeds.

    Returns
    -------
    Interval or None
        None where a group has several examples, or nothing is counted.
    """
    groups = examples.shape[1]
    if not (examples == 1).all() or not of.sum() or math.isnan(estimate):
        return None
    low, high = exact_interval(float(right.sum(1).mean()), float(of.sum(1).mean()))
    return Interval(estimate, min(low, estimate), max(high, estimate), groups, EXACT)
