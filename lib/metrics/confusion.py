"""Scores of confusion matrices, of any number at once: shape (..., class, class), row the label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ratio(part: Array, whole: Array) -> Array:
    """Divide; what is not defined is NaN, without a warning.

    Parameters
    ----------
    part, whole : ndarray
        Of one shape.

    Returns
    -------
    ndarray
        Of that shape.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(part / whole)


def group_matrices(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    group: NDArray[np.int64],
    *,
    groups: int,
    classes: int,
) -> Array:
    """Count one confusion matrix a group.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (example,)
        Numbers of the true and the predicted class.
    group : ndarray of int, shape (example,)
        Numbers of the groups.
    groups, classes : int
        How many there are.

    Returns
    -------
    ndarray, shape (group, class, class)
        Counts, row the label.

    Examples
    --------
    >>> truth, predicted, group = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0, 0, 1])
    >>> group_matrices(truth, predicted, group, groups=2, classes=2).tolist()
    [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]]
    """
    cell = (group * classes + truth) * classes + predicted
    counts = np.bincount(cell, minlength=groups * classes * classes)
    return counts.reshape(groups, classes, classes).astype(float)


def _hits(matrix: Array) -> Array:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def sensitivity(matrix: Array) -> Array:
    """Compute the sensitivity of each class.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.

    Returns
    -------
    ndarray, shape (..., class)
        NaN where it has no example.
    """
    return ratio(_hits(matrix), matrix.sum(-1))


def ppv(matrix: Array) -> Array:
    """Compute the positive predictive value of each class.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.

    Returns
    -------
    ndarray, shape (..., class)
        NaN where it is never predicted.
    """
    return ratio(_hits(matrix), matrix.sum(-2))


def f1(matrix: Array) -> Array:
    """Compute the F1 of each class (van Rijsbergen 1979).

    From counts, 2 TP / (2 TP + FP + FN), it is defined where the class is never predicted, unlike
    the harmonic mean.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.

    Returns
    -------
    ndarray, shape (..., class)
        NaN where the class has no example, 0 where it is never predicted.

    Examples
    --------
    >>> f1(np.array([[8.0, 2.0], [2.0, 0.0]])).tolist()
    [0.8, 0.0]
    """
    support = matrix.sum(-1)
    return np.where(support > 0, ratio(2 * _hits(matrix), support + matrix.sum(-2)), np.nan)


def macro_f1(matrix: Array, counted: Sequence[int]) -> Array:
    """Average the F1 of some classes (Sokolova and Lapalme 2009).

    A class without a true example has no sensitivity, and so no F1: leave it out of `counted`, for
    which `lib.metrics.sample.Sample.counted` holds the scored classes that the whole sample has.
    What is taken for such a class still counts, as an error of the true one.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.
    counted : sequence of int
        Numbers of the classes.

    Returns
    -------
    ndarray, shape (...)
        0 to 1. NaN where fewer than two classes are counted, or one of them has no example: a
        resample without a class cannot say how well it is told from others.

    Examples
    --------
    >>> float(macro_f1(np.array([[8.0, 2.0], [2.0, 0.0]]), [0, 1]))
    0.4
    """
    return _mean_of(f1(matrix), counted)


def balanced_accuracy(matrix: Array, counted: Sequence[int]) -> Array:
    """Average the sensitivity of some classes (Brodersen et al. 2010).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.
    counted : sequence of int
        Numbers of the classes, as for `macro_f1`.

    Returns
    -------
    ndarray, shape (...)
        0 to 1, NaN as in `macro_f1`.
    """
    return _mean_of(sensitivity(matrix), counted)


def _mean_of(each: Array, counted: Sequence[int]) -> Array:
    if len(counted) < 2:
        return np.full(each.shape[:-1], np.nan)
    return each[..., list(counted)].mean(-1)


def kappa(matrix: Array) -> Array:
    """Compute Cohen's kappa (Cohen 1960).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.

    Returns
    -------
    ndarray, shape (...)
        NaN where all examples are of one class.

    Examples
    --------
    >>> round(float(kappa(np.array([[8.0, 2.0], [1.0, 9.0]]))), 3)
    0.7
    """
    support, called, total = matrix.sum(-1), matrix.sum(-2), matrix.sum((-2, -1))
    agreed = ratio(_hits(matrix).sum(-1), total)
    by_chance = ratio((support * called).sum(-1), total**2)
    several = (support > 0).sum(-1) > 1
    return np.where(several, ratio(agreed - by_chance, 1 - by_chance), np.nan)


def mcc(matrix: Array) -> Array:
    """Compute the Matthews correlation of many classes (Gorodkin 2004).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Row the label.

    Returns
    -------
    ndarray, shape (...)
        NaN where all examples are, or are called, of one class.
    """
    support, called, total = matrix.sum(-1), matrix.sum(-2), matrix.sum((-2, -1))
    covariance = _hits(matrix).sum(-1) * total - (support * called).sum(-1)
    spread = (total**2 - (support**2).sum(-1)) * (total**2 - (called**2).sum(-1))
    return np.where(spread > 0, ratio(covariance, np.sqrt(spread)), np.nan)
