"""The area under the ROC of any mixture of groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.areas import group_areas, mean_area, weighted_area
from lib.metrics.sample import Weighted, make_sample


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_area_of_a_mixture_of_groups_agrees_with_scikit_learn(seed):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    group, positive = rng.integers(0, 6, 80), rng.random(80) < 0.4
    # Few different scores, so that there are ties.
    score = np.round(rng.random(80) + 0.3 * positive, 1)
    weights = rng.integers(0, 4, 6)
    areas = group_areas(positive, score, group, groups=6)
    times = weights[group]
    rows = np.repeat(np.arange(80), times)
    assert weighted_area(areas, np.ones((1, 6))) == pytest.approx(roc_auc_score(positive, score))
    if 0 < positive[rows].sum() < len(rows):
        theirs = roc_auc_score(positive[rows], score[rows])
        assert weighted_area(areas, weights[None].astype(float)) == pytest.approx(theirs)


def test_area_without_positives_is_not_defined():
    areas = group_areas(np.zeros(4, bool), np.arange(4.0), np.arange(4), groups=4)
    assert np.isnan(weighted_area(areas, np.ones((2, 4)))).all()


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_the_mean_is_over_the_scored_classes_of_each_seed(seed):
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    truth, x = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), (2, 60))
    label = np.array(["a", "b", "c"])[truth]
    sample = make_sample(label, x, classes=["a", "b", "c"], scored=["a", "c"])
    theirs = [[roc_auc_score(truth == k, one[:, k]) for k in (0, 2)] for one in x]
    assert mean_area(Weighted(sample, np.ones((1, 1))))[0] == pytest.approx(np.mean(theirs, axis=1))
