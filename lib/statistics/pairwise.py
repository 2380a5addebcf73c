"""Tests between models: corrections for many of them, letters, and a t test over folds."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lib.errors import HeldoutError
from lib.metrics.confusion import Array
from lib.statistics.bootstrap import LEVEL, SMALLEST_SPREAD, Difference


def holm(p: ArrayLike) -> Array:
    """Adjust p values for the number of tests (Holm 1979); NaN stays NaN and counts as no test.

    Parameters
    ----------
    p : array_like of float
        Unadjusted p values.

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


def letters(names: Sequence[str], differ: Collection[tuple[str, str]]) -> dict[str, str]:
    """Assign letters, as a compact display: names that share a letter were not shown to differ.

    By insertion and absorption (Piepho 2004, J. Comput. Graph. Stat. 13:456): a group of names that
    holds a differing pair is split in two, and a group that lies within another is dropped.

    Parameters
    ----------
    names : sequence of str
        Best first: the first has the letter a.
    differ : collection of (str, str)
        The pairs that differ, in either order.

    Returns
    -------
    dict of str to str
        Name to letters, in alphabetical order.

    Raises
    ------
    HeldoutError
        A pair has a name that is not among the names.
    """
    groups = [frozenset(names)]
    for a, b in sorted(differ):
        if a not in names or b not in names:
            raise HeldoutError(
                "letters",
                f"pairs of {', '.join(names)}",
                f"{a} and {b}",
                "Pass every name that a pair has.",
            )
        split = []
        for group in groups:
            split += [group - {a}, group - {b}] if {a, b} <= group else [group]
        split = list(dict.fromkeys(split))
        groups = [g for g in split if not any(g < other for other in split)]
    place = {name: number for number, name in enumerate(names)}
    groups.sort(key=lambda group: sorted(place[name] for name in group))
    marks = [_letter(number) for number in range(len(groups))]
    return {
        name: "".join(m for m, group in zip(marks, groups, strict=True) if name in group)
        for name in names
    }


def _letter(number: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[number] if number < len(alphabet) else alphabet[-1] + _letter(number - 26)


def corrected_resampled_t(differences: ArrayLike, *, test_per_train: float) -> Difference:
    """Test a mean difference over folds (Nadeau and Bengio 2003, Mach. Learn. 52:239).

    The folds share training examples, so their variance says too little. t is the mean over
    √((1/J + n₂/n₁) s²) with J − 1 degrees of freedom, J folds of n₁ training and n₂ test examples,
    and s² the variance of the differences; Bouckaert and Frank (2004) apply it to cross-validation.

    Parameters
    ----------
    differences : array_like, shape (fold,)
        Of two models, a − b, one a fold; seeds averaged within it.
    test_per_train : float
        n₂/n₁: test examples for each training example.

    Returns
    -------
    Difference
        `groups` counts the folds.

    Raises
    ------
    HeldoutError
        The ratio is not a positive number.
    """
    from scipy.stats import t as student

    if not 0 < test_per_train < math.inf:
        raise HeldoutError(
            "test examples for each training example",
            "a positive number",
            f"{test_per_train:g}",
            "Count the training examples in run.json.",
        )
    d = np.asarray(differences, dtype=float)
    folds, mean = len(d), float(d.mean()) if len(d) else math.nan
    reason = ""
    if folds < 2:
        reason = "one fold: no test over folds can be made"
    elif math.isnan(mean):
        reason = "not defined in some folds"
    elif np.ptp(d) < SMALLEST_SPREAD:
        reason = "every fold gives the same difference: no test can be made"
    if reason:
        return Difference(mean, math.nan, math.nan, folds, reason)
    error = math.sqrt((1 / folds + test_per_train) * float(d.var(ddof=1)))
    wide = float(student.ppf((1 + LEVEL) / 2, folds - 1)) * error
    p = float(2 * student.sf(abs(mean) / error, folds - 1))
    return Difference(mean, mean - wide, mean + wide, folds, "", p)
