"""Power: the stated share of true differences is found, by simulation, and where none is stated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from lib.metrics.confusion import macro_f1
from lib.statistics.bootstrap import (
    ALPHA,
    FEWEST_GROUPS,
    Difference,
    Resampled,
    difference,
    draw_weights,
)
from lib.statistics.power import POWER, power


def _names(groups):
    return [f"p{g:03}" for g in range(groups)]


def _differences(values, groups):
    """Test every column of values: first those of all groups, then of each resample."""
    zero = Resampled(0.0, np.zeros(len(values) - 1), groups)
    return [difference(Resampled(float(v[0]), v[1:], groups), zero) for v in values.T]


def _found(seen, tests):
    """Count the share of tests that show a difference, the smallest p among so many."""
    return np.mean([one.p * tests <= ALPHA for one in seen])


@pytest.mark.parametrize("tests", [1, 6])
@pytest.mark.parametrize("groups", [15, 40])
def test_the_stated_difference_is_found_as_often_as_stated(groups, tests):
    rng = np.random.default_rng([groups, tests])
    weights = draw_weights(_names(groups), resamples=1200, seed=0) / groups
    repeats = 1200
    # What differs between two models in each group; one test part states, another one tests.
    first, second = rng.normal(size=(2, groups, repeats))
    stated = [power(one, tests=tests, shown=False) for one in _differences(weights @ first, groups)]
    truth = np.array([one.detectable for one in stated])
    found = _found(_differences(weights @ (second + truth), groups), tests)
    error = math.sqrt(POWER * (1 - POWER) / repeats)
    assert abs(found - POWER) < 3 * error


def test_as_many_groups_as_stated_find_the_difference():
    rng = np.random.default_rng(0)

    def matrices(groups, repeats):
        """Draw confusion matrices of two networks in the same groups, shape (group, ..., 2, 2)."""
        ease = rng.normal(0, 0.7, (groups, repeats, 1))
        skill = np.array([1.1, 0.75]) + rng.normal(0, 0.35, (groups, repeats, 2)) + ease
        right = 1 / (1 + np.exp(-skill))
        rows = [rng.binomial(size, right) for size in (30, 12)]
        cells = [rows[0], 30 - rows[0], 12 - rows[1], rows[1]]
        return np.stack(cells, axis=-1).reshape(groups, repeats, 2, 2, 2)

    def scores(of, weights):
        drawn = np.tensordot(weights, of, axes=(1, 0))
        both = macro_f1(drawn, [0, 1])
        return both[..., 0] - both[..., 1]

    truth = float(scores(matrices(20_000, 1), np.ones((1, 20_000))).item())
    few = 20
    pilot = scores(matrices(few, 300), draw_weights(_names(few), resamples=500, seed=0))
    error = float(np.mean([one.error for one in _differences(pilot, few)]))
    stated = power(Difference(truth, 0, 1, few, "", 0.5, error), tests=3, shown=False)
    assert few < stated.groups_needed < 200
    assert stated.detectable > truth
    groups, repeats = int(stated.groups_needed), 800
    tested = scores(matrices(groups, repeats), draw_weights(_names(groups), resamples=800, seed=1))
    found = _found(_differences(tested, groups), 3)
    assert abs(found - POWER) < 3 * math.sqrt(POWER * (1 - POWER) / repeats)


def test_many_groups_have_the_difference_of_textbooks():
    # Two-sided α = .05 and power .80: 1.96 + 0.84 standard errors (Cohen 1988).
    stated = power(Difference(0.1, 0, 1, 100_000, "", 0.2, 1.0), tests=1, shown=False)
    assert stated.detectable == pytest.approx(norm.ppf(0.975) + norm.ppf(0.8), abs=1e-3)
    assert stated.detectable == pytest.approx(2.80, abs=0.005)


def test_half_the_difference_needs_four_times_the_groups():
    needed = [
        power(Difference(d, 0, 1, 400, "", 0.2, 0.05), tests=1, shown=False).groups_needed
        for d in (0.04, 0.02)
    ]
    assert needed[1] / needed[0] == pytest.approx(4, rel=0.01)


def test_more_tests_can_show_less():
    seen = Difference(0.01, 0, 1, 30, "", 0.2, 0.05)
    stated = [power(seen, tests=tests, shown=False) for tests in (1, 3, 15)]
    assert stated[0].detectable < stated[1].detectable < stated[2].detectable
    assert stated[0].groups_needed < stated[1].groups_needed < stated[2].groups_needed


@pytest.mark.parametrize(
    ("seen", "shown", "words"),
    [
        (Difference(0.0, 0, 1, 30, "", 0.2, 0.05), False, "zero"),
        (Difference(0.3, 0, 1, 30, "", 0.0, 0.05), True, "was shown"),
        (Difference(0.3, 0, 1, 30, "", 0.2, 0.05), False, "usually suffice"),
    ],
)
def test_where_no_number_of_groups_can_be_stated_a_sentence_is(seen, shown, words):
    stated = power(seen, tests=1, shown=shown)
    assert stated.detectable > 0
    assert math.isnan(stated.groups_needed)
    assert words in stated.note


def test_few_groups_state_nothing():
    groups = FEWEST_GROUPS - 1
    draws = np.linspace(-1, 1, 50)
    seen = difference(Resampled(0.1, draws, groups), Resampled(0.0, draws * 0, groups))
    stated = power(seen, tests=1, shown=False)
    assert math.isnan(stated.detectable)
    assert "too few" in stated.note
