"""Choose, from the examples of a study, what its pictures of the data show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lib.plots.data import Mean

EXAMPLES_PER_CLASS = 3

# The mean of a class does not change to the eye beyond these, and a disk is slow.
MOST_GROUPS = 200
MOST_OF_GROUP = 20


def some_examples(
    study: Mapping[str, Any], examples: pd.DataFrame, x: np.ndarray
) -> dict[str, np.ndarray]:
    """Give a few examples of each class, of as many groups as there are, (example, time, channel).

    They are spread evenly over the groups, without chance, so that the picture stays the same.
    """
    found = {}
    for name in study["classes"]:
        some = examples[examples["label"] == name].drop_duplicates("group")["example"].to_numpy()
        if len(some):
            found[str(name)] = np.asarray(x[some[_spread(len(some), EXAMPLES_PER_CLASS)]], float)
    return found


def class_means(study: Mapping[str, Any], examples: pd.DataFrame, x: np.ndarray) -> dict[str, Mean]:
    """Give the mean example of each class: every group counts once, however many it has.

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
    found = {}
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
        found[str(name)] = Mean(means.mean(0), means.std(0))
    return found


def _spread(count: int, most: int) -> np.ndarray:
    """Give up to `most` of the positions 0 … count - 1, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))
