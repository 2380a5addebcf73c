"""Permuted labels, as chance would deal them, and the p value of a score among such scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def deal_labels(
    labels: NDArray[np.int64], groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Deal labels anew: between the groups of one label each, and within all others.

    All examples of a patient with one label are one draw, so their labels move together. Where a
    patient has several, each keeps as many of every label as before: how often a class comes
    belongs to the patient, and what is tested is which of the examples it is.

    Parameters
    ----------
    labels, groups : ndarray of int, shape (example,)
        Numbers of the class and of the group, from 0.
    rng : numpy.random.Generator
        Draws.

    Returns
    -------
    labels : ndarray of int, shape (example,)
        Dealt anew.
    source : ndarray of int, shape (group,)
        The group whose label each has now: itself where its labels were dealt within it.
    """
    first = np.zeros(groups.max() + 1, dtype=int)
    first[groups] = labels
    source = np.arange(len(first))
    mixed = np.isin(groups, groups[first[groups] != labels])
    one = np.unique(groups[~mixed])
    source[one] = rng.permutation(one)
    dealt = first[source][groups]
    if mixed.any():
        # Sorting by group, at random within each, keeps the labels of a group in it.
        places = np.flatnonzero(mixed)
        order = np.lexsort((rng.random(len(places)), groups[places]))
        dealt[places[np.argsort(groups[places], kind="stable")]] = labels[places[order]]
    return dealt, source


def ways_to_deal(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> float:
    """Count the ways to deal labels to groups: where they are few, none is rare by chance.

    Parameters
    ----------
    labels, groups : ndarray of int, shape (example,)
        As for `deal_labels`.

    Returns
    -------
    float
        Infinite where a group has several labels: the ways within it are many.
    """
    import pandas as pd
    from scipy.special import gammaln

    of_group = pd.Series(labels).groupby(groups)
    if (of_group.nunique() > 1).any():
        return np.inf
    counts = of_group.first().value_counts().to_numpy()
    return float(np.exp(gammaln(counts.sum() + 1) - gammaln(counts + 1).sum()))


def permutation_p(score: float, permuted: ArrayLike) -> float:
    """Compute the p value of a score among those of permuted labels.

    (k + 1) / (n + 1), where k of n are at least as high: the labels as they are count as one way to
    deal them, without which p would be too small, and 0 where k is (Phipson and Smyth 2010, Stat.
    Appl. Genet. Mol. Biol. 9:39; Ojala and Garriga 2010, J. Mach. Learn. Res. 11:1833).

    Parameters
    ----------
    score : float
        With the labels as they are; higher is better.
    permuted : array_like of float, shape (n,)
        With permuted labels, computed in the same way.

    Returns
    -------
    float
        NaN without a score. A permutation without one counts as one that is as high.

    Examples
    --------
    >>> permutation_p(0.9, [0.5] * 19)
    0.05
    """
    scores = np.asarray(permuted, dtype=float)
    if not np.isfinite(score) or not len(scores):
        return float("nan")
    # What differs by rounding alone is as high.
    as_high = int((~(scores < score - 1e-9)).sum())
    return (1 + as_high) / (1 + len(scores))


def mean_of_folds(scores: Sequence[float | None]) -> float | None:
    """Average the scores of those folds that have one.

    Parameters
    ----------
    scores : sequence of float or None
        Of each fold; None or NaN where it has none.

    Returns
    -------
    float or None
        None where no fold has a score.
    """
    there = [one for one in scores if one is not None and np.isfinite(one)]
    return float(np.mean(there)) if there else None
