"""Choices: the correlation of ranks covers the truth; a choice by the test part is corrected."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from lib.metrics.confusion import ratio
from lib.statistics.bootstrap import draw_weights
from lib.statistics.selection import FEWEST_RUNS, rank_correlation, select_best


@given(st.integers(0, 1000), st.integers(FEWEST_RUNS, 30))
def test_it_is_spearmans_and_lies_within_its_interval(seed, runs):
    a, b = np.random.default_rng(seed).normal(size=(2, runs))
    found = rank_correlation(a, b)
    assert found.estimate == pytest.approx(spearmanr(a, b).statistic)
    if not found.note:
        assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert rank_correlation(np.append(a, np.nan), np.append(b, 1.0)) == found


@pytest.mark.parametrize(("runs", "truth"), [(10, 0.0), (10, 0.6), (40, 0.6)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(runs, truth):
    rng = np.random.default_rng(runs)
    # Of normal scores with this correlation, Spearman's is (Kruskal 1958):
    expected = 6 / math.pi * math.asin(truth / 2)
    covered = []
    for _ in range(600):
        a = rng.normal(size=runs)
        b = truth * a + math.sqrt(1 - truth**2) * rng.normal(size=runs)
        found = rank_correlation(a, b)
        covered.append(found.low <= expected <= found.high)
    assert 0.92 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ([0.1], [0.2], "1 run: too few"),
        ([0.1, 0.2, 0.3, 0.4, math.nan], [1, 2, 3, 4, 5], "4 runs: too few"),
        ([0.5] * 6, range(6), "all runs score the same"),
        (range(6), range(6), "the ranks agree fully"),
    ],
)
def test_where_there_is_no_interval_a_sentence_stands(a, b, words):
    found = rank_correlation(a, b)
    assert math.isnan(found.low)
    assert words in found.note


def _selected(scores, seed):
    """Select among runs that score so on each group, shape (group, run)."""
    groups = len(scores)
    weights = draw_weights([f"p{g:03}" for g in range(groups)], resamples=200, seed=seed)
    absent = (weights[1:] == 0).astype(float)
    inside = weights @ scores / groups
    return select_best(inside, ratio(absent @ scores, absent.sum(1, keepdims=True)), groups)


def test_a_choice_among_equals_is_corrected_to_what_it_is_worth():
    rng = np.random.default_rng(0)
    found = [_selected(rng.normal(0.7, 0.2, (25, 8)), seed) for seed in range(150)]
    reported = np.mean([one.reported for one in found])
    corrected = np.array([one.corrected.estimate for one in found])
    error = corrected.std() / math.sqrt(len(found))
    # None of the eight is better than .7, but the best of them seems to be.
    assert reported > 0.74
    assert abs(corrected.mean() - 0.7) < 3 * error


def test_a_choice_of_what_is_truly_best_costs_nothing():
    rng = np.random.default_rng(1)
    scores = rng.normal(0.3, 0.01, (25, 8))
    scores[:, 3] += 0.5
    found = _selected(scores, 0)
    assert found.run == 3
    assert found.reported == pytest.approx(found.corrected.estimate, abs=0.01)


def test_a_run_without_a_score_is_not_chosen():
    scores = np.random.default_rng(2).normal(0.5, 0.1, (12, 3))
    scores[:, 1] = np.nan
    found = _selected(scores, 0)
    assert found.run in (0, 2)
    assert np.isfinite(found.corrected.estimate)


def test_the_order_of_the_runs_does_not_matter_where_a_resample_scores_none():
    rng = np.random.default_rng(3)
    weights = draw_weights([f"p{g:03}" for g in range(12)], resamples=500, seed=0)
    # Class b in two groups: of the others alone there is no score.
    lacks = (weights[:, :2] == 0).all(axis=1)
    scores = rng.normal(0.9, 0.05, (12, 5))
    scores[:, 0] -= 0.6
    inside = np.where(lacks[:, None], np.nan, weights @ scores / 12)
    absent = (weights[1:] == 0).astype(float)
    outside = ratio(absent @ scores, absent.sum(1, keepdims=True))
    assert lacks.any()
    assert np.isfinite(outside[lacks[1:]]).all()
    found = [
        select_best(inside[:, r], outside[:, r], 12) for r in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    ]
    assert found[0].corrected == found[1].corrected
    assert found[0].corrected.estimate > 0.85
    assert "lack a score" in found[0].corrected.note
