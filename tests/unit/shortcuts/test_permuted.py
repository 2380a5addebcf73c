"""Permuted labels between groups: the parts stay balanced, and p is uniform under chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from lib.shortcuts.permuted import deal_anew, deal_data, guessed, linear_scores, places
from lib.splits import make_split
from lib.statistics.permutation import permutation_p
from lib.train.data import open_data

CLASSES = ["a", "b"]


def make(seed, *, groups=16, each=3, mixed=False, folds=1, effect=0.0):
    """Return what is told of examples, and their tables; groups differ from each other."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(groups), each)
    label = rng.integers(0, 2, len(of)) if mixed else rng.permutation(np.arange(groups) % 2)[of]
    told = rng.normal(size=(groups, 4))[of] + 0.3 * rng.normal(size=(len(of), 4))
    told[:, 0] += effect * label
    examples = pd.DataFrame(
        {"example": np.arange(len(of)), "group": [f"p{g}" for g in of], "label": label}
    )
    examples["label"] = examples["label"].map(dict(enumerate(CLASSES)))
    split = make_split(examples, kind="grouped", seed=seed, folds=folds, validation=0.2)
    return told, examples, split


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("mixed", [False, True])
def test_parts_keep_their_groups_of_each_class(mixed, folds):
    _, examples, split = make(0, mixed=mixed, folds=folds)
    given = places(examples, split)
    changed = 0
    for number in range(1, 9):
        dealt = deal_anew(given, number=number, seed=3)
        changed += int((dealt.labels != given.labels).any())
        for fold in range(folds):
            for part in range(3):
                count = [
                    sorted(
                        tuple(np.bincount(one.labels[one.groups == group], minlength=2) > 0)
                        for group in set(one.groups[one.parts[fold] == part])
                    )
                    for one in (given, dealt)
                ]
                assert count[0] == count[1]
        for group in set(given.groups):
            assert all(len(set(part[given.groups == group])) == 1 for part in dealt.parts)
    assert changed == 8


def test_what_is_in_no_part_stays_out_of_it():
    _, examples, split = make(1)
    gone = examples.loc[examples["group"].isin(["p0", "p1"]), "example"]
    given = places(examples, split[~split["example"].isin(gone)])
    for number in range(1, 6):
        dealt = deal_anew(given, number=number, seed=0)
        assert (dealt.parts[:, gone] == -1).all()
        assert ((dealt.parts >= 0).sum() == (given.parts >= 0).sum()).all()
        np.testing.assert_array_equal(dealt.labels[gone], given.labels[gone])


def test_a_network_is_given_the_same_dealing_as_the_linear_model():
    _, examples, split = make(2, folds=2)
    classes = ["b", "c", "a"]  # in the study's order, one without examples
    data = open_data(
        np.zeros((len(examples), 2, 1), np.float32), examples, split,
        fold=1, classes=classes, scored=classes, digest="d",
    )  # fmt: skip
    dealt = deal_anew(places(examples, split), number=4, seed=7)
    given = deal_data(data, examples, split, fold=1, number=4, seed=7)
    assert [classes[k] for k in given.labels] == [dealt.names[k] for k in dealt.labels]
    np.testing.assert_array_equal(given.rows["test"], np.flatnonzero(dealt.parts[1] == 2))
    assert sum(map(len, given.rows.values())) == len(examples)


@pytest.mark.parametrize("mixed", [False, True])
def test_p_is_uniform_where_features_tell_nothing(mixed):
    """Examples of a group resemble each other: dealt one by one, p would be far too small."""
    values = []
    for seed in range(60):
        told, examples, split = make(seed, mixed=mixed)
        made = linear_scores(
            told, places(examples, split), scored=CLASSES, permutations=19, seed=seed
        )
        values.append(permutation_p(made["score"], made["permuted"]))
    values = np.array(values)
    # Equal scores count as high, so that p is at least uniform.
    assert np.mean(values <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(values))
    # Spread over the steps of 1/20, it is.
    spread = values - np.random.default_rng(0).uniform(0, 1 / 20, len(values))
    assert kstest(spread, "uniform", alternative="greater").pvalue > 0.01


def test_what_can_be_learned_is_found():
    told, examples, split = make(5, groups=40, effect=4.0)
    made = linear_scores(told, places(examples, split), scored=CLASSES, permutations=39, seed=0)
    assert permutation_p(made["score"], made["permuted"]) == pytest.approx(1 / 40)
    assert made["ways"] > 1e6


def test_train_rows_of_one_label_guess_that():
    told = np.random.default_rng(0).normal(size=(6, 2))
    guess = guessed(told, np.zeros(6, int), np.arange(3), np.arange(3, 6))
    assert guess.tolist() == [0, 0, 0]


def test_a_test_part_of_one_class_has_no_score():
    told, examples, split = make(6)
    examples["label"] = "a"
    made = linear_scores(told, places(examples, split), scored=CLASSES, permutations=2, seed=0)
    assert made["score"] is None
    assert made["permuted"] == [None, None]
    assert round(made["ways"]) == 1
