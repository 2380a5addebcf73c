"""Permuted labels: what stays as it was, and p values that are uniform where nothing is told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import KFold, permutation_test_score

from lib.statistics.permutation import (
    deal_labels,
    mean_of_folds,
    permutation_p,
    ways_to_deal,
)


@pytest.mark.parametrize("seed", range(20))
def test_a_group_of_one_label_keeps_one_and_another_keeps_its_own(seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(12), rng.integers(1, 9, 12)))
    labels = np.where(groups < 8, groups % 3, rng.integers(0, 3, len(groups)))
    dealt, source = deal_labels(labels, groups, rng)
    one = [g for g in range(12) if len(set(labels[groups == g])) == 1]
    for group in range(12):
        before, after = (np.sort(which[groups == group]) for which in (labels, dealt))
        if group in one:
            assert set(after) == set(labels[groups == source[group]])
        else:
            assert source[group] == group
            np.testing.assert_array_equal(before, after)
    assert sorted(source[one]) == one


def test_every_way_to_deal_is_as_likely():
    groups, labels = np.arange(4), np.array([0, 0, 1, 1])
    rng, ways = np.random.default_rng(0), ways_to_deal(np.array([0, 0, 1, 1]), np.arange(4))
    assert round(ways) == 6
    seen, counts = np.unique(
        [deal_labels(labels, groups, rng)[0] for _ in range(3000)], axis=0, return_counts=True
    )
    assert len(seen) == 6
    np.testing.assert_allclose(counts / 3000, 1 / 6, atol=0.035)  # five standard errors


def test_ways_to_deal_are_without_end_within_groups_and_one_where_all_are_alike():
    assert ways_to_deal(np.array([0, 1, 1]), np.array([0, 0, 1])) == np.inf
    assert round(ways_to_deal(np.zeros(5, int), np.arange(5))) == 1


def test_p_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    x[:, 0] += 0.5 * y
    score, permuted, p = permutation_test_score(
        RidgeClassifier(), x, y, cv=KFold(4), n_permutations=49, random_state=0
    )
    assert permutation_p(score, permuted) == pytest.approx(p)


def test_p_is_never_0_and_what_has_no_score_is_as_high():
    assert permutation_p(1.0, np.zeros(99)) == pytest.approx(0.01)
    assert permutation_p(0.0, np.zeros(99)) == 1
    assert permutation_p(1.0, [np.nan, 0.0, 0.0]) == pytest.approx(0.5)
    assert np.isnan(permutation_p(np.nan, [0.0]))
    assert np.isnan(permutation_p(0.5, []))


def test_folds_without_a_score_are_left_out():
    assert mean_of_folds([0.2, None, 0.4]) == pytest.approx(0.3)
    assert mean_of_folds([None, float("nan")]) is None
