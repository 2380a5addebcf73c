"""Calibration: how far the confidence of a classifier and the share that is right lie apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 15


def calibration_bin(confidence: NDArray[np.float64], *, bins: int) -> NDArray[np.int64]:
    """Give the bin of each confidence: equally wide, and each holds its upper edge.

    Parameters
    ----------
    confidence : ndarray of float, shape (example,)
        Probabilities of the top class.
    bins : int
        How many.

    Returns
    -------
    ndarray of int, shape (example,)
        From 0.

    Examples
    --------
    >>> calibration_bin(np.array([0.5, 0.51, 1.0]), bins=2).tolist()
    [0, 1, 1]
    """
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _top(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Give of each example the confidence of its top class, whether that is right, and its bin."""
    confidence = x.max(1)
    return confidence, x.argmax(1) == truth, calibration_bin(confidence, bins=bins)


def calibration_gaps(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int = BINS
) -> NDArray[np.float64]:
    """Give right − confidence of the top class of each example, in the column of its bin.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Number of the true class.
    x : ndarray of float, shape (example, class)
        Probabilities.
    bins : int
        Equally wide, from 0 to 1.

    Returns
    -------
    ndarray, shape (example, bin)
        Summed over examples and divided by their number, it is what the expected calibration error
        adds up (Guo et al. 2017, ICML, eq. 3).
    """
    confidence, right, where = _top(truth, x, bins=bins)
    gaps = np.zeros((len(truth), bins))
    gaps[np.arange(len(truth)), where] = right - confidence
    return gaps


def calibration_hits(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int = BINS
) -> NDArray[np.float64]:
    """Give for each example and bin of confidence whether it is right and in it, and whether in it.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Class numbers.
    x : ndarray, shape (example, class)
        Probabilities.
    bins : int
        Of equal width, over 0 to 1.

    Returns
    -------
    ndarray, shape (example, 2 × bin)
        Summed over examples, columns 2b and 2b + 1 are the right ones and all of bin b: their ratio
        is its accuracy in a reliability diagram.
    """
    _, right, where = _top(truth, x, bins=bins)
    rows, hits = np.arange(len(truth)), np.zeros((len(truth), 2 * bins))
    hits[rows, 2 * where] = right
    hits[rows, 2 * where + 1] = 1
    return hits


def expected_calibration_error(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int = BINS
) -> float:
    """Give the expected calibration error of the top class (Guo et al. 2017, ICML).

    The mean over equally wide bins of |accuracy − confidence|, weighted by the examples in each.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Number of the true class.
    x : ndarray of float, shape (example, class)
        Probabilities.
    bins : int
        Equally wide, from 0 to 1.

    Returns
    -------
    float
        0 to 1; 0 where confidence is what is right.

    Examples
    --------
    >>> chance = np.array([[0.75, 0.25]] * 4)
    >>> expected_calibration_error(np.array([0, 0, 0, 1]), chance)
    0.0
    """
    return float(np.abs(calibration_gaps(truth, x, bins=bins).mean(0)).sum())


def calibration(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int = BINS
) -> pd.DataFrame:
    """Give what a reliability diagram shows (DeGroot and Fienberg 1983): a row a bin.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Number of the true class.
    x : ndarray of float, shape (example, class)
        Probabilities.
    bins : int
        Equally wide, from 0 to 1.

    Returns
    -------
    DataFrame
        `bin` (from 0), `bin_low` and `bin_high` (of the confidence; the upper edge is in the bin),
        `confidence` and `accuracy` (means of the bin, NaN where it is empty), `count`.
    """
    confidence, right, where = _top(truth, x, bins=bins)
    count = np.bincount(where, minlength=bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [
            np.bincount(where, weights=values, minlength=bins) / count
            for values in (confidence, right)
        ]
    edges = np.arange(bins + 1) / bins
    return pd.DataFrame(
        {
            "bin": np.arange(bins),
            "bin_low": edges[:-1],
            "bin_high": edges[1:],
            "confidence": means[0],
            "accuracy": means[1],
            "count": count,
        }
    )
