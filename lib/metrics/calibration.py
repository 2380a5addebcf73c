"""Calibration: how far the confidence of a classifier and the share that is right lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.metrics.confusion import Array, ratio

BINS = 15


def group_bins(
    truth: NDArray[np.int64], probability: Array, group: NDArray[np.int64], *, groups: int
) -> Array:
    """Add up, for each group, what a reliability diagram shows (DeGroot and Fienberg 1983).

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Number of the true class.
    probability : ndarray of float, shape (example, class)
        Of each class.
    group : ndarray of int, shape (example,)
        Numbers of the groups.
    groups : int
        How many there are.

    Returns
    -------
    ndarray, shape (group, bin, 3)
        Of the examples in each bin of the top class's probability: how many are right, the sum of
        that probability, and how many there are. Bins are equally wide, from 0 to 1, and each holds
        its upper edge.
    """
    confidence = probability.max(1)
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    cell = group * BINS + bins
    right = probability.argmax(1) == truth
    values = np.stack([right, confidence, np.ones(len(truth))])
    sums = [np.bincount(cell, weights=each, minlength=groups * BINS) for each in values]
    return np.stack(sums, axis=-1).astype(float).reshape(groups, BINS, 3)


def expected_calibration_error(sums: Array) -> Array:
    """Mean over bins of ``|accuracy − confidence|``, weighted by examples (Guo et al. 2017, eq. 3).

    Parameters
    ----------
    sums : ndarray, shape (..., bin, 3)
        From `group_bins`, groups added up.

    Returns
    -------
    ndarray, shape (...)
        0 to 1; 0 where confidence is what is right, NaN without an example.

    Examples
    --------
    >>> sums = group_bins(np.array([0, 0, 0, 1]), np.array([[0.75, 0.25]] * 4), np.zeros(4, int),
    ...                   groups=1)
    >>> expected_calibration_error(sums).tolist()
    [0.0]
    """
    gaps = np.abs(sums[..., 0] - sums[..., 1]).sum(-1)
    return ratio(gaps, sums[..., 2].sum(-1))
