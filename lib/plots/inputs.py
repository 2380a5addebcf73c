"""Choose which examples of a study its pictures of the data show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lib.plots.data import Mean

EXAMPLES_PER_CLASS = 3

# More would not change the mean of a class visibly, and reading them from disk is slow.
MOST_GROUPS = 200
MOST_OF_GROUP = 20


def some_examples(
    study: Mapping[str, Any], examples: pd.DataFrame, x: np.ndarray
) -> dict[str, np.ndarray]:
    """Select a few examples of each class from different groups, (example, time, channel).

    They are spread evenly over the groups, not drawn at random, so the picture stays the same.
    """
    chosen = {}
    for name in study["classes"]:
        some = examples[examples["label"] == name].drop_duplicates("group")["example"].to_numpy()
        if len(some):
            chosen[str(name)] = np.asarray(x[some[_spread(len(some), EXAMPLES_PER_CLASS)]], float)
    return chosen


def class_means(study: Mapping[str, Any], examples: pd.DataFrame, x: np.ndarray) -> dict[str, Mean]:
    """Compute the mean example of each class, with every group weighted equally.

    Parameters
    ----------
    study : dict
        Its `classes`.
    examples : DataFrame
        With `example`, `group` and `label`.
    x : ndarray, shape (example, time, channel)
        All examples.

    Returns
    -------
    dict of str to Mean
        Mean and standard deviation of the means of up to `MOST_GROUPS` groups, of up to
        `MOST_OF_GROUP` examples each. The spread of a single group is 0.
    """
    of_class = {}
    for name in study["classes"]:
        some = examples[examples["label"] == name]
        groups = [rows.to_numpy() for _, rows in some.groupby("group", sort=True)["example"]]
        if not groups:
            continue
        means = np.stack(
            [
                np.asarray(x[np.sort(rows[_spread(len(rows), MOST_OF_GROUP)])], float).mean(0)
                for rows in (groups[k] for k in _spread(len(groups), MOST_GROUPS))
            ]
        )
        of_class[str(name)] = Mean(means.mean(0), means.std(0))
    return of_class


def _spread(count: int, most: int) -> np.ndarray:
    """Select up to `most` of the positions 0 … count - 1, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))
