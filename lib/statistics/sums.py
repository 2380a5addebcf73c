"""Scores as functions of sums over groups, which a resample of groups only has to weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.metrics.aami import jk_index
from lib.metrics.registry import kappa

Array = NDArray[np.float64]
Score = Callable[[Array], Array]


def group_matrices(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    group: NDArray[np.int64],
    *,
    groups: int,
    classes: int,
) -> Array:
    """Give one confusion matrix a group, shape (group, class, class), row the label.

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
        Counts.

    Examples
    --------
    >>> truth, predicted, group = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0, 0, 1])
    >>> group_matrices(truth, predicted, group, groups=2, classes=2).tolist()
    [[[1.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]]
    """
    cell = (group * classes + truth) * classes + predicted
    flat = np.bincount(cell, minlength=groups * classes * classes)
    return flat.reshape(groups, classes, classes).astype(float)


def group_sums(values: ArrayLike, group: NDArray[np.int64], *, groups: int) -> Array:
    """Add up the statistics of the examples of each group, and count the examples.

    Parameters
    ----------
    values : array_like, shape (example, value)
        Statistics of single examples.
    group : ndarray of int, shape (example,)
        Numbers of their groups.
    groups : int
        Number of groups.

    Returns
    -------
    ndarray, shape (group, value + 1)
        The last column counts.
    """
    x = np.asarray(values, dtype=float)
    columns = [np.bincount(group, weights=column, minlength=groups) for column in x.T]
    return np.stack([*columns, np.bincount(group, minlength=groups).astype(float)], axis=-1)


def group_areas(
    positive: NDArray[np.bool_],
    score: NDArray[np.float64],
    group: NDArray[np.int64],
    *,
    groups: int,
) -> tuple[Array, Array, Array]:
    """Give what the area under the ROC of any mixture of groups is made of.

    The area is the share of pairs of a positive and a negative example in which the positive one
    has the higher score, ties counting one half (Hanley and McNeil 1982). Pairs add up over pairs
    of groups, so groups drawn w times have the area wᵀUw / (wᵀp · wᵀn) (Obuchowski 1997).

    Parameters
    ----------
    positive : ndarray of bool, shape (example,)
        Whether each example is of the class.
    score : ndarray of float, shape (example,)
        Its probability for the class.
    group : ndarray of int, shape (example,)
        Numbers of the groups.
    groups : int
        How many there are.

    Returns
    -------
    wins : ndarray, shape (group, group)
        U: pairs won by positives of the row's group over negatives of the column's.
    positives, negatives : ndarray, shape (group,)
        p and n, the examples of each.
    """
    mine, value = group[positive], score[positive]
    wins = np.zeros((groups, groups))
    others, other_values = group[~positive], score[~positive]
    order = np.lexsort((other_values, others))
    others, other_values = others[order], other_values[order]
    edges = np.searchsorted(others, np.arange(groups + 1))
    for other in np.unique(others):
        rivals = other_values[edges[other] : edges[other + 1]]
        below = np.searchsorted(rivals, value, side="left")
        won = (below + np.searchsorted(rivals, value, side="right")) / 2
        wins[:, other] = np.bincount(mine, weights=won, minlength=groups)
    p = np.bincount(mine, minlength=groups).astype(float)
    n = np.bincount(others, minlength=groups).astype(float)
    return wins, p, n


def weighted_area(areas: tuple[Array, Array, Array], weights: Array) -> Array:
    """Give the area under the ROC of every resample; NaN where it lacks positives or negatives.

    Parameters
    ----------
    areas : tuple
        From `group_areas`.
    weights : ndarray, shape (resample, group)
        How often each resample holds each group.

    Returns
    -------
    ndarray, shape (resample,)
    """
    wins, p, n = areas
    # Only few groups hold a rare class: the others' rows are zero.
    rows = np.flatnonzero(p)
    total = ((weights[:, rows] @ wins[rows]) * weights).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / ((weights @ p) * (weights @ n))


def accuracy_score(matrix: Array) -> Array:
    """Accuracy of confusion matrices, shape (..., class, class) to (...).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (...)
        0 to 1; NaN without an example.

    Examples
    --------
    >>> float(accuracy_score(np.array([[8.0, 2.0], [1.0, 9.0]])))
    0.85
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum((-2, -1))


def sensitivity_scores(matrix: Array) -> Array:
    """Sensitivity of each class, (..., class, class) to (..., class); NaN without an example.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (..., class)
        0 to 1, or NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diagonal(matrix, axis1=-2, axis2=-1) / matrix.sum(-1)


def ppv_scores(matrix: Array) -> Array:
    """Positive predictive value of each class; NaN where it is never predicted.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (..., class)
        0 to 1, or NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.diagonal(matrix, axis1=-2, axis2=-1) / matrix.sum(-2)


def f1_scores(matrix: Array) -> Array:
    """F1 of each class; NaN where it has no example, 0 where it is never predicted.

    From counts, 2 TP / (2 TP + FP + FN), it is defined where the class is never predicted, unlike
    the harmonic mean (van Rijsbergen 1979).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (..., class)
        0 to 1, or NaN.

    Examples
    --------
    >>> f1_scores(np.array([[8.0, 2.0], [2.0, 0.0]])).tolist()
    [0.8, 0.0]
    """
    support = matrix.sum(-1)
    total = support + matrix.sum(-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(support > 0, 2 * np.diagonal(matrix, axis1=-2, axis2=-1) / total, np.nan)


def macro_f1_score(counted: Sequence[int]) -> Score:
    """Give the macro-F1 over the classes `counted`; NaN where one of them has no example.

    A resample without a class cannot say how well it is told: it is dropped, not scored.

    Parameters
    ----------
    counted : sequence of int
        Numbers of the classes.

    Returns
    -------
    callable
        From confusion matrices, shape (..., class, class), to scores, shape (...).

    Examples
    --------
    >>> score = macro_f1_score([0, 1])
    >>> float(score(np.array([[8.0, 2.0], [2.0, 0.0]])))
    0.4
    """
    keep = list(counted)
    return lambda matrix: f1_scores(matrix)[..., keep].mean(-1)


def balanced_accuracy_score(counted: Sequence[int]) -> Score:
    """Give the mean sensitivity of the classes `counted`; NaN where one has no example.

    Parameters
    ----------
    counted : sequence of int
        Numbers of the classes.

    Returns
    -------
    callable
        From confusion matrices, shape (..., class, class), to scores, shape (...).
    """
    keep = list(counted)
    return lambda matrix: sensitivity_scores(matrix)[..., keep].mean(-1)


def kappa_score(matrix: Array) -> Array:
    """Cohen's kappa of confusion matrices, shape (..., class, class) to (...).

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (...)
        As `lib.metrics.registry.kappa`.
    """
    return kappa(matrix)


def mcc_score(matrix: Array) -> Array:
    """Matthews correlation for many classes (Gorodkin 2004) of confusion matrices.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (...)
        −1 to 1; NaN where all examples are, or are called, of one class.
    """
    total = matrix.sum((-2, -1))
    support, called = matrix.sum(-1), matrix.sum(-2)
    covariance = np.trace(matrix, axis1=-2, axis2=-1) * total - (support * called).sum(-1)
    spread = (total**2 - (support**2).sum(-1)) * (total**2 - (called**2).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, covariance / np.sqrt(spread), np.nan)


def jk_score(classes: Sequence[str]) -> Score:
    """Give the jκ index (`lib.metrics.aami.jk_index`) as a score of confusion matrices.

    Parameters
    ----------
    classes : sequence of str
        Names of the rows and columns: those of the AAMI.

    Returns
    -------
    callable
        From confusion matrices, shape (..., class, class), to scores, shape (...).
    """
    names = list(classes)
    return lambda matrix: jk_index(matrix, classes=names)


def mean_score(column: int = 0) -> Score:
    """Give the mean of one column of `group_sums`, shape (..., value + 1) to (...).

    Parameters
    ----------
    column : int
        Which value.

    Returns
    -------
    callable
        From sums, shape (..., value + 1), to means, shape (...).
    """

    def score(sums: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return sums[..., column] / sums[..., -1]

    return score


def calibration_score(sums: Array) -> Array:
    """Give the expected calibration error of `group_sums` of `calibration_gaps`.

    Parameters
    ----------
    sums : ndarray, shape (..., bin + 1)
        The last column counts examples.

    Returns
    -------
    ndarray, shape (...)
        0 to 1; NaN without an example.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(sums[..., :-1]).sum(-1) / sums[..., -1]
