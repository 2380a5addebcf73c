"""What a model reaches with permuted labels, which cannot be learned: the scores of chance."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lib.metrics.confusion import group_matrices, macro_f1
from lib.splits.parts import PARTS
from lib.statistics.permutation import deal_labels, mean_of_folds, ways_to_deal
from lib.train.data import Data

if TYPE_CHECKING:
    import pandas as pd

# Of the linear model: of 1 to 300 what was about the best for the five studies.
_RIDGE = 30.0


class Places(NamedTuple):
    """What is permuted: the label of each example, and its part in each fold.

    Attributes
    ----------
    names : list of str
        The labels, in alphabetical order.
    labels, groups : np.ndarray of int [shape=(examples,)]
        Number of the label in `names`, and of the group.
    parts : np.ndarray of int [shape=(folds, examples)]
        Place of the part in `lib.splits.parts.PARTS`; -1 where the example is in none.
    """

    names: list[str]
    labels: np.ndarray
    groups: np.ndarray
    parts: np.ndarray


def places(examples: pd.DataFrame, split: pd.DataFrame) -> Places:
    """Read labels, groups and parts from `examples.parquet` and `split.parquet`."""
    import pandas as pd

    labels, names = pd.factorize(examples["label"].astype(str), sort=True)
    folds, _ = pd.factorize(split["fold"], sort=True)
    parts = np.full((folds.max() + 1, len(examples)), -1)
    part = pd.Index(split["part"].astype(str))
    parts[folds, split["example"]] = pd.Index(PARTS).get_indexer(part)
    groups, _ = pd.factorize(examples["group"], sort=True)
    return Places([*map(str, names)], labels, groups, parts)


def deal_anew(given: Places, *, number: int, seed: int) -> Places:
    """Deal the labels of a study anew between its groups, with their places in the split.

    A group of one label takes the label of another such group, and the part that this is in, so
    that every part keeps as many groups of each class as it has: a split is balanced by class, and
    scores of labels that were dealt across its parts would not be those of chance. A group of
    several labels stays in its part, and its labels are dealt within it.

    Parameters
    ----------
    given : Places
        Of a split in which no group is in two parts of a fold.
    number : int
        Which permutation, from 1.
    seed : int
        Of all of them.

    Returns
    -------
    Places
        Examples that are in no part of any fold are as they were.
    """
    used = np.flatnonzero((given.parts >= 0).any(axis=0))
    groups = np.unique(given.groups[used], return_inverse=True)[1]
    rng = np.random.default_rng([seed, number])
    labels, parts = given.labels.copy(), given.parts.copy()
    labels[used], source = deal_labels(given.labels[used], groups, rng)
    place = np.full((len(parts), len(source)), -1)
    for fold, here in enumerate(given.parts[:, used]):
        place[fold, groups[here >= 0]] = here[here >= 0]
    moved = source[groups] != groups
    parts[:, used[moved]] = place[:, source[groups[moved]]]
    return given._replace(labels=labels, parts=parts)


def linear_scores(
    told: np.ndarray, given: Places, *, scored: Collection[str], permutations: int, seed: int
) -> dict[str, Any]:
    """Score a linear model, with the labels as they are and permuted.

    Parameters
    ----------
    told : np.ndarray [shape=(examples, n)]
        What it is told of each example, from `lib.train.baselines.described`.
    given : Places
        Of the split of an honest protocol.
    scored : collection of str
        The classes that macro averages count.
    permutations : int
        How often labels are permuted.
    seed : int
        Of the dealing.

    Returns
    -------
    dict
        `score`, and `permuted`, a list of them: the macro-F1 on the test part, mean over those
        folds that have one; None where none has. And `ways`, in how many ways the labels of
        groups can be dealt; None where a group has several labels.
    """

    def score(dealt: Places) -> float | None:
        each, labels = [], dealt.labels
        for part in dealt.parts:
            train, test = (np.flatnonzero(part == [*PARTS].index(n)) for n in ("train", "test"))
            guess, alone = guessed(told, labels, train, test), np.zeros(len(test), dtype=int)
            sizes = {"groups": 1, "classes": len(given.names)}
            matrix = group_matrices(labels[test], guess, alone, **sizes)[0]
            counted = [k for k, name in enumerate(given.names) if name in scored]
            each.append(float(macro_f1(matrix, [k for k in counted if matrix[k].any()])))
        return mean_of_folds(each)

    used = (given.parts >= 0).any(axis=0)
    ways = ways_to_deal(given.labels[used], given.groups[used])
    numbers = range(1, permutations + 1)
    return {
        "score": score(given),
        "permuted": [score(deal_anew(given, number=number, seed=seed)) for number in numbers],
        "ways": ways if np.isfinite(ways) else None,
    }


def deal_data(
    data: Data, examples: pd.DataFrame, split: pd.DataFrame, *, fold: int, number: int, seed: int
) -> Data:
    """Return what a network is given of a fold, with permuted labels and places.

    Parameters
    ----------
    data : Data
        Of the labels as they are.
    examples, split : pd.DataFrame
        As for `places`.
    fold : int
        Which fold, from 0.
    number, seed : int
        As for `deal_anew`.
    """
    dealt = deal_anew(places(examples, split), number=number, seed=seed)
    class_of = np.array([data.classes.index(name) for name in dealt.names])
    rows = {part: np.flatnonzero(dealt.parts[fold] == [*PARTS].index(part)) for part in data.rows}
    return replace(data, labels=class_of[dealt.labels], rows=rows)


def guessed(
    told: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Guess labels by least squares with a ridge, which is as good here as logistic regression.

    It takes a twentieth of the time: it is fitted some hundred times for every study.

    Parameters
    ----------
    told : np.ndarray [shape=(examples, n)]
        What it is told of each example.
    labels : np.ndarray [shape=(examples,)]
        What it is to guess; each value counts the same, however often it comes.
    train, test : np.ndarray of int
        Rows to learn from, and to guess.

    Returns
    -------
    np.ndarray [shape=(rows of test,)]
        The one label that there is, where the train rows have no other.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(set(labels[train].tolist())) == 1:
        return np.full(len(test), labels[train][0])
    model = RidgeClassifier(alpha=_RIDGE, class_weight="balanced")
    fitted = make_pipeline(StandardScaler(), model).fit(told[train], labels[train])
    return np.asarray(fitted.predict(told[test]))
