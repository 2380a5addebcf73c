"""How sure a score is: bootstraps over groups, exact intervals, and corrected tests.

Examples of one patient or speaker resemble each other, so they say less than as many examples of
strangers. What is resampled is therefore the group. A group enters as its sufficient statistics
(a confusion matrix, or a sum of losses), so that a resample costs a matrix product, whatever the
number of examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.errors import HeldoutError
from lib.metrics import jk_index, kappa

Array = NDArray[np.float64]
Score = Callable[[Array], Array]

# With fewer groups a percentile interval is far too narrow to be shown.
FEWEST_GROUPS = 5

# Draws that differ by less differ by rounding alone.
SMALLEST_SPREAD = 1e-12

# As many weights as fit in about 80 MB.
LARGEST_BLOCK = 10_000_000


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
    """A difference of two scores, and the two-sided p value that it is zero (NaN where none)."""

    p: float = math.nan


def accuracy_score(matrix: Array) -> Array:
    """Accuracy of confusion matrices, shape (..., class, class) to (...).

    Examples
    --------
    >>> float(accuracy_score(np.array([[8.0, 2.0], [1.0, 9.0]])))
    0.85
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum((-2, -1))


def macro_f1_score(counted: Sequence[int]) -> Score:
    """Give the macro-F1 over the classes `counted`; NaN where one of them has no example.

    A resample without a class cannot say how well it is told: it is dropped, not scored.
    """
    keep = list(counted)

    def score(matrix: Array) -> Array:
        hit = np.diagonal(matrix, axis1=-2, axis2=-1)[..., keep]
        support, called = matrix.sum(-1)[..., keep], matrix.sum(-2)[..., keep]
        with np.errstate(divide="ignore", invalid="ignore"):
            f1 = np.where(support > 0, 2 * hit / (support + called), np.nan)
        return f1.mean(-1)

    return score


def balanced_accuracy_score(counted: Sequence[int]) -> Score:
    """Give the mean sensitivity of the classes `counted`; NaN where one has no example."""
    keep = list(counted)

    def score(matrix: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            sensitivity = np.diagonal(matrix, axis1=-2, axis2=-1) / matrix.sum(-1)
        return sensitivity[..., keep].mean(-1)

    return score


def kappa_score(matrix: Array) -> Array:
    """Cohen's kappa of confusion matrices, shape (..., class, class) to (...)."""
    return kappa(matrix)


def mcc_score(matrix: Array) -> Array:
    """Matthews correlation for many classes (Gorodkin 2004) of confusion matrices."""
    total = matrix.sum((-2, -1))
    support, called = matrix.sum(-1), matrix.sum(-2)
    covariance = np.trace(matrix, axis1=-2, axis2=-1) * total - (support * called).sum(-1)
    spread = (total**2 - (support**2).sum(-1)) * (total**2 - (called**2).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, covariance / np.sqrt(spread), np.nan)


def jk_score(classes: Sequence[str]) -> Score:
    """Give the jκ index (`lib.metrics.jk_index`) as a score of confusion matrices."""
    names = list(classes)
    return lambda matrix: jk_index(matrix, classes=names)


def mean_score(sums: Array) -> Array:
    """Mean of a loss: statistics of shape (..., 2) are the sum over examples and their number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[..., 0] / sums[..., 1]


def by_group(values: ArrayLike, group: ArrayLike, *, groups: Sequence[str]) -> NDArray[np.float64]:
    """Add up the statistics of the examples of each group.

    Parameters
    ----------
    values : array_like, shape (example, ...)
        Statistics of single examples.
    group : array_like of str, shape (example,)
        Their groups.
    groups : sequence of str
        All groups, in the order of the result.

    Returns
    -------
    ndarray, shape (group, ...)
    """
    place = {name: number for number, name in enumerate(groups)}
    values = np.asarray(values, dtype=float)
    where = np.array([place[name] for name in np.asarray(group, dtype=object)], dtype=int)
    total = np.zeros((len(groups), *values.shape[1:]))
    np.add.at(total, where, values)
    return total


def group_matrices(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    group: NDArray[np.int64],
    *,
    groups: int,
    classes: int,
) -> Array:
    """Give one confusion matrix a group, shape (group, class, class), row the label."""
    cell = (group * classes + truth) * classes + predicted
    flat = np.bincount(cell, minlength=groups * classes * classes)
    return flat.reshape(groups, classes, classes).astype(float)


def _resampled(statistics: Array, *, resamples: int, rng: np.random.Generator) -> Array:
    """Draw groups with replacement and add them up.

    Statistics have shape (seed, group, ...), the result (resample, seed, ...).
    """
    count = statistics.shape[1]
    rest = statistics.shape[2:]
    rows = np.moveaxis(statistics, 1, 0).reshape(count, -1)
    # Groups with equal statistics are interchangeable: a draw from the distinct ones, weighted by
    # how many there are, is the same draw, and takes no time where every example is its own group.
    # It also makes the result free of the groups' order and names.
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    share = repeats / repeats.sum()
    block = max(1, LARGEST_BLOCK // max(len(distinct), 1))
    parts = []
    for start in range(0, resamples, block):
        weights = rng.multinomial(count, share, size=min(block, resamples - start))
        parts.append(weights.astype(float) @ distinct)
    return np.concatenate(parts).reshape(resamples, statistics.shape[0], *rest)


def _no_interval(groups: int) -> str:
    if groups == 1:
        return "one group: no interval can be given"
    if groups < FEWEST_GROUPS:
        return f"{groups} groups: too few for an interval"
    return ""


def _percentiles(draws: Array, *, level: float) -> tuple[float, float, str]:
    """Give the percentile interval of the draws that are numbers, or a reason why there is none."""
    good = draws[np.isfinite(draws)]
    dropped = 1 - len(good) / len(draws)
    if dropped > 0.5:
        return math.nan, math.nan, "most resamples lack a class: no interval can be given"
    low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2])
    if np.ptp(good) < SMALLEST_SPREAD:
        return math.nan, math.nan, "every resample gives the same: no interval can be given"
    note = f"{dropped:.0%} of the resamples lack a class and are left out" if dropped > 0.01 else ""
    return float(low), float(high), note


def group_bootstrap(
    statistics: ArrayLike,
    score: Score,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Give a score with a percentile interval over groups (Efron and Tibshirani 1993, ch. 13).

    Parameters
    ----------
    statistics : array_like, shape (seed, group, ...)
        Sufficient statistics, folds added up: a confusion matrix, or a sum and a count.
    score : callable
        Takes statistics of shape (..., ...) to scores of shape (...).
    resamples, seed, level
        How many draws, from which seed of the generator, and the coverage.

    Returns
    -------
    Interval
        The estimate is the mean over seeds; each resample is averaged over seeds too, so that the
        interval is that of an average run. It is widened to hold the estimate where skewness
        would leave it outside.

    Raises
    ------
    HeldoutError
        The statistics are not (seed, group, ...) with at least one of each.
    """
    x = np.asarray(statistics, dtype=float)
    _check(x)
    groups = x.shape[1]
    estimate = float(score(x.sum(1)).mean())
    if math.isnan(estimate):
        return Interval(math.nan, math.nan, math.nan, groups, "not defined for these examples")
    reason = _no_interval(groups)
    if reason:
        return Interval(estimate, math.nan, math.nan, groups, reason)
    draws = score(_resampled(x, resamples=resamples, rng=np.random.default_rng(seed))).mean(1)
    low, high, note = _percentiles(draws, level=level)
    if math.isnan(low):
        return Interval(estimate, low, high, groups, note)
    return Interval(estimate, min(low, estimate), max(high, estimate), groups, note)


def _check(x: Array) -> None:
    if x.ndim < 3 or 0 in x.shape[:2]:
        raise HeldoutError(
            "group statistics: expected shape (seed, group, ...) with at least one seed and one "
            f"group, got {x.shape}. Pass the predictions of at least one run and one group."
        )


def paired_group_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    score_a: Score,
    score_b: Score | None = None,
    *,
    groups_a: Sequence[str],
    groups_b: Sequence[str],
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Give the difference of two scores, a − b, with an interval paired by group.

    Groups that both were tested on are drawn together; those that only one was tested on (another
    protocol tests others) are drawn apart, as many as there are.

    Parameters
    ----------
    a, b : array_like, shape (seed, group, ...)
        Sufficient statistics of the two.
    score_a, score_b : callable
        Their scores; the same for both by default.
    groups_a, groups_b : sequence of str
        The names of their groups.
    resamples, seed, level
        As in `group_bootstrap`.

    Returns
    -------
    Difference
        `p` is twice the smaller share of draws on one side of zero, and never below
        1/(resamples + 1) (Davison and Hinkley 1997, eq. 4.11).
    """
    x, y = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    _check(x)
    _check(y)
    score_b = score_b or score_a
    estimate = float(score_a(x.sum(1)).mean() - score_b(y.sum(1)).mean())
    fewest = min(x.shape[1], y.shape[1])
    reason = "not defined for these examples" if math.isnan(estimate) else _no_interval(fewest)
    if reason:
        return Difference(estimate, math.nan, math.nan, fewest, reason)
    place_a = {name: number for number, name in enumerate(groups_a)}
    place_b = {name: number for number, name in enumerate(groups_b)}
    shared = sorted(place_a.keys() & place_b.keys())
    only_a = [place_a[name] for name in sorted(place_a.keys() - place_b.keys())]
    only_b = [place_b[name] for name in sorted(place_b.keys() - place_a.keys())]
    rng = np.random.default_rng(seed)
    draws_a = np.zeros((resamples, x.shape[0], *x.shape[2:]))
    draws_b = np.zeros((resamples, y.shape[0], *y.shape[2:]))
    if shared:
        both_a = x[:, [place_a[name] for name in shared]]
        both_b = y[:, [place_b[name] for name in shared]]
        # Side by side along the seeds, one draw serves both.
        flat = np.concatenate([_flat(both_a), _flat(both_b)], axis=0)
        drawn = _resampled(flat, resamples=resamples, rng=rng)
        draws_a += drawn[:, : x.shape[0]].reshape(draws_a.shape)
        draws_b += drawn[:, x.shape[0] :].reshape(draws_b.shape)
    if only_a:
        draws_a += _resampled(x[:, only_a], resamples=resamples, rng=rng)
    if only_b:
        draws_b += _resampled(y[:, only_b], resamples=resamples, rng=rng)
    draws = score_a(draws_a).mean(1) - score_b(draws_b).mean(1)
    low, high, note = _percentiles(draws, level=level)
    if math.isnan(low):
        return Difference(estimate, low, high, fewest, note)
    good = draws[np.isfinite(draws)]
    tail = min((good <= 0).sum(), (good >= 0).sum())
    p = min(1.0, 2 * (1 + tail) / (1 + len(good)))
    return Difference(estimate, min(low, estimate), max(high, estimate), fewest, note, float(p))


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:2], -1)


def exact_interval(right: float, examples: int, *, level: float = 0.95) -> tuple[float, float]:
    """Give the interval of a share of independent examples (Clopper and Pearson 1934).

    Of 25 right out of 25 it says .863 to 1; Wilson's interval, which is narrower because it covers
    95 % on average only, would say .867 to 1. `right` may be a mean over seeds: the interval is
    then that of a single run.

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

    if examples < 1 or not 0 <= right <= examples:
        raise HeldoutError(
            f"share of right examples: expected 0 to {examples} right of at least 1, got {right} "
            f"of {examples}. Count the right ones among the same examples."
        )
    tail = (1 - level) / 2
    low = 0.0 if right == 0 else float(beta.ppf(tail, right, examples - right + 1))
    high = 1.0 if right == examples else float(beta.ppf(1 - tail, right + 1, examples - right))
    return low, high


def accuracy_interval(matrices: ArrayLike, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """Give accuracy with its interval: exact where every example is its own group.

    Parameters
    ----------
    matrices : array_like, shape (seed, group, class, class)
        Confusion matrices of each group.
    resamples, seed
        As in `group_bootstrap`.
    """
    x = np.asarray(matrices, dtype=float)
    _check(x)
    per_group = x.sum((2, 3))
    if not (per_group == 1).all():
        return group_bootstrap(x, accuracy_score, resamples=resamples, seed=seed)
    examples = x.shape[1]
    right = float(np.trace(x.sum(1), axis1=-2, axis2=-1).mean())
    low, high = exact_interval(right, examples)
    return Interval(right / examples, low, high, examples, "exact (Clopper–Pearson)")


def holm(p: ArrayLike) -> Array:
    """Adjust p values for the number of tests (Holm 1979); NaN stays NaN and counts as no test.

    Returns
    -------
    ndarray, shape as `p`
        Each is significant at α where it is at most α.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=float)
    adjusted = np.full(values.shape, np.nan)
    there = np.flatnonzero(np.isfinite(values))
    order = there[np.argsort(values[there], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted
