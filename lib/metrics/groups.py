"""Scores of single groups, of all groups but one, and which group holds most of a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.metrics import confusion
from lib.metrics.confusion import Array, ratio
from lib.metrics.sample import Sample


def group_scores(sample: Sample) -> dict[str, Array]:
    """Score each group by its own examples.

    Parameters
    ----------
    sample : Sample
        What was predicted.

    Returns
    -------
    dict of str to ndarray, shape (seed, group)
        `accuracy`; and `macro_f1` over those scored classes that the group has, NaN where these are
        fewer than two: of one class, F1 says no more than the accuracy does.
    """
    matrices = sample.matrices
    each = confusion.f1(matrices)[..., [sample.classes.index(name) for name in sample.scored]]
    there = np.isfinite(each)
    count = there.sum(-1)
    mean = ratio(np.where(there, each, 0).sum(-1), count)
    return {"macro_f1": np.where(count > 1, mean, np.nan), "accuracy": _accuracy(matrices)}


def scores_without(sample: Sample) -> dict[str, Array]:
    """Score all examples but those of one group, for each group.

    This is what deletion diagnostics do with a fit (Cook 1977, Technometrics 19:15), and the
    jackknife with an estimate (Efron and Tibshirani 1993, ch. 11). The network is not trained anew.

    Parameters
    ----------
    sample : Sample
        What was predicted.

    Returns
    -------
    dict of str to ndarray, shape (seed, group)
        `accuracy` and `macro_f1`, the latter NaN where a scored class has no example in the other
        groups.
    """
    matrices = sample.matrices
    rest = matrices.sum(1, keepdims=True) - matrices
    return {"macro_f1": confusion.macro_f1(rest, sample.counted), "accuracy": _accuracy(rest)}


def _accuracy(matrices: Array) -> Array:
    return ratio(np.trace(matrices, axis1=-2, axis2=-1), matrices.sum((-2, -1)))


def class_counts(sample: Sample) -> NDArray[np.int64]:
    """Count the examples that each group has of each class.

    Parameters
    ----------
    sample : Sample
        What was predicted.

    Returns
    -------
    ndarray of int, shape (group, class)
    """
    sizes = len(sample.names), len(sample.classes)
    counts = np.bincount(sample.group * sizes[1] + sample.truth, minlength=sizes[0] * sizes[1])
    return counts.reshape(sizes)
