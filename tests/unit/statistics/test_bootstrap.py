"""Intervals and tests: coverage of the estimate, refusals, invariance, published values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.metrics.calibration import expected_calibration_error, group_bins
from lib.metrics.confusion import group_matrices, kappa, macro_f1, ratio
from lib.metrics.sample import weigh
from lib.statistics.bootstrap import (
    Difference,
    Interval,
    Resampled,
    difference,
    draw_weights,
    draw_weights_of_two,
    exact_interval,
    exact_share,
    interval,
    mean_over_groups,
    resampled,
)

Score = Callable[[np.ndarray], np.ndarray]


def accuracy(matrix: np.ndarray) -> np.ndarray:
    return ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum((-2, -1)))


def macro(matrix: np.ndarray) -> np.ndarray:
    return macro_f1(matrix, range(matrix.shape[-1]))


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def _resampled(x: np.ndarray, score: Score, weights: np.ndarray) -> Resampled:
    return resampled(score(weigh(x, weights)), x.shape[1])


def _names(groups: int) -> list[str]:
    return [f"g{k:03}" for k in range(groups)]


def _interval(x: np.ndarray, score: Score, *, resamples: int = 2000, seed: int = 0) -> Interval:
    weights = draw_weights(_names(x.shape[1]), resamples=resamples, seed=seed)
    return interval(_resampled(x, score, weights))


def _difference(
    a: np.ndarray,
    b: np.ndarray,
    score: Score,
    *,
    names_a: list[str] | None = None,
    names_b: list[str] | None = None,
) -> Difference:
    w, v = draw_weights_of_two(
        names_a or _names(a.shape[1]), names_b or _names(b.shape[1]), resamples=2000, seed=0
    )
    return difference(_resampled(a, score, w), _resampled(b, score, v))


def _matrices(groups=12, per_group=30, classes=3, seeds=1, seed=0, skill=0.6):
    rng = np.random.default_rng(seed)
    n = groups * per_group
    truth, group = rng.integers(0, classes, n), np.repeat(np.arange(groups), per_group)
    ease = np.clip(rng.normal(skill, 0.2, groups), 0, 1)[group]
    found = []
    for _ in range(seeds):
        predicted = np.where(rng.random(n) < ease, truth, rng.integers(0, classes, n))
        found.append(group_matrices(truth, predicted, group, groups=groups, classes=classes))
    return np.stack(found)


@given(st.integers(0, 10_000), st.integers(5, 30), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_interval_contains_the_estimate(seed, groups, seeds):
    x = _matrices(groups=groups, per_group=8, seeds=seeds, seed=seed)
    for score in (accuracy, macro, kappa):
        found = _interval(x, score, resamples=200)
        assert found.low <= found.estimate <= found.high


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_order_of_groups_does_not_matter(seed):
    x, names = _matrices(seed=seed), _names(12)
    order = np.random.default_rng(seed).permutation(12)
    one = _resampled(x, macro, draw_weights(names, resamples=300, seed=7))
    moved = draw_weights([names[k] for k in order], resamples=300, seed=7)
    two = _resampled(x[:, order], macro, moved)
    assert interval(one) == interval(two)


def test_a_resample_holds_as_many_groups_as_there_are():
    weights = draw_weights(_names(9), resamples=500, seed=0)
    assert weights.shape == (501, 9)
    assert (weights[0] == 1).all()
    assert (weights.sum(1) == 9).all()
    # Each group is in a resample with 1 − (1 − 1/9)^9.
    assert (weights[1:] > 0).mean() == pytest.approx(1 - (8 / 9) ** 9, abs=0.02)


def test_the_same_seed_gives_the_same_interval_and_another_another():
    x = _matrices()
    one = _interval(x, accuracy, seed=1)
    assert _interval(x, accuracy, seed=1) == one
    assert _interval(x, accuracy, seed=2) != one


@pytest.mark.parametrize(("groups", "fewest"), [(12, 0.86), (40, 0.9)])
def test_interval_covers_the_truth_about_as_often_as_it_says(groups, fewest):
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        # Groups are easy or hard: their accuracies vary about .7.
        right = rng.binomial(20, np.clip(rng.normal(0.7, 0.12, groups), 0, 1))
        found = _interval(np.stack([right, np.full(groups, 20)], -1)[None], mean, resamples=300)
        covered += found.low <= 0.7 <= found.high
    assert fewest < covered / 300 < 0.98


def test_reflected_interval_covers_an_error_that_chance_raises():
    rng = np.random.default_rng(0)
    covered = {False: 0, True: 0}
    for _ in range(100):
        # The truth is no error at all: right as often as is said.
        confidence = rng.uniform(0.5, 1, (30, 10))
        right = rng.random((30, 10)) < confidence
        x = np.stack([confidence.ravel(), 1 - confidence.ravel()], -1)
        truth, group = np.where(right.ravel(), 0, 1), np.repeat(np.arange(30), 10)
        sums = group_bins(truth, x, group, groups=30)[None]
        weights = draw_weights(_names(30), resamples=200, seed=0)
        found = _resampled(sums, expected_calibration_error, weights)
        for reflected in covered:
            covered[reflected] += interval(found, reflected=reflected).low <= 0.005
    assert covered[True] > 60
    assert covered[False] < 5


def test_groups_that_differ_give_a_wider_interval_than_examples():
    x = _matrices(groups=10, per_group=100)
    of_groups = _interval(x, accuracy)
    alone = np.concatenate([np.repeat(np.eye(9).reshape(9, 3, 3), m, axis=0)
                            for m in [x.sum((0, 1)).astype(int).ravel()]])[None]  # fmt: skip
    of_examples = _interval(alone, accuracy)
    assert of_examples.estimate == pytest.approx(of_groups.estimate)
    width = of_groups.high - of_groups.low
    assert width > 1.5 * (of_examples.high - of_examples.low)


def test_interval_matches_the_standard_error_of_a_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(1, 0.5, 400)
    found = _interval(np.stack([values, np.ones(400)], -1)[None], mean, resamples=4000)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.06)


@pytest.mark.parametrize(("groups", "words"), [(1, "one group"), (4, "4 groups: too few")])
def test_few_groups_give_no_interval(groups, words):
    found = _interval(_matrices(groups=groups), accuracy)
    assert 0 < found.estimate < 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert words in found.note


def test_a_handful_of_groups_is_said_to_be_one():
    assert _interval(_matrices(groups=9), accuracy).note == (
        "9 groups: the interval is likely too narrow"
    )
    assert _interval(_matrices(groups=10), accuracy).note == ""


def test_perfect_groups_give_no_bootstrap_interval():
    x = np.tile(np.eye(2), (1, 12, 1, 1))
    found = _interval(x, macro)
    assert found.estimate == 1
    assert math.isnan(found.low)
    assert "every resample gives the same" in found.note


def test_resamples_without_a_class_are_left_out_and_counted():
    x = np.zeros((1, 10, 2, 2))
    x[0, :, 0, 0] = np.arange(10) + 5
    x[0, :, 0, 1] = 1
    x[0, 0, 1, 1] = 4
    found = _interval(x, macro)
    # One group of ten is absent from (1 − 1/10)^10 = 35 % of the resamples.
    assert found.note.startswith(("33%", "34%", "35%", "36%", "37%"))
    assert found.note.endswith("of the resamples lack a score and are left out")
    # Scored as zero, a resample without the class would be below one half.
    assert found.low > 0.5


def test_whatever_leaves_a_resample_without_a_score_is_not_called_a_class():
    # Matthews correlation lacks a predicted class, a metric of one's own may lack anything.
    few, most = (
        Resampled(0.5, np.where(np.arange(100) < gone, np.nan, np.linspace(0, 1, 100)), 12)
        for gone in (40, 60)
    )
    zero = Resampled(0.0, np.zeros(100), 12)
    for note in (interval(few).note, difference(few, zero).note):
        assert note == "40% of the resamples lack a score and are left out"
    for note in (interval(most).note, difference(most, zero).note):
        assert note == "most resamples lack a score: no interval can be given"
    assert interval(few, lacks="the class").note == (
        "40% of the resamples lack the class and are left out"
    )


def test_exact_interval_of_25_of_25():
    low, high = exact_interval(25, 25)
    assert (round(low, 3), high) == (0.863, 1.0)
    assert exact_interval(0, 25)[0] == 0
    ones = np.ones((1, 25))
    found = exact_share(ones, ones, examples=ones, estimate=1.0)
    assert found is not None
    assert (found.estimate, round(found.low, 3), found.high) == (1, 0.863, 1)
    assert "Clopper" in found.note


@given(st.integers(1, 200), st.data())
def test_exact_interval_agrees_with_scipy(examples, data):
    from scipy.stats import binomtest

    right = data.draw(st.integers(0, examples))
    theirs = binomtest(right, examples).proportion_ci(0.95, method="exact")
    assert exact_interval(right, examples) == pytest.approx((theirs.low, theirs.high))


def test_exact_interval_is_for_independent_examples():
    ones = np.ones((1, 3))
    assert exact_share(ones, ones, examples=ones, estimate=1.0) is not None
    assert exact_share(2 * ones, 2 * ones, examples=2 * ones, estimate=1.0) is None
    assert exact_share(0 * ones, 0 * ones, examples=ones, estimate=math.nan) is None


def test_exact_interval_refuses_nonsense():
    with pytest.raises(HeldoutError, match="expected 0 to 3 right"):
        exact_interval(4, 3)


def test_seeds_are_averaged():
    x = _matrices(seeds=3)
    each = [_interval(x[[s]], accuracy).estimate for s in range(3)]
    assert _interval(x, accuracy).estimate == pytest.approx(np.mean(each))


def test_a_model_does_not_differ_from_itself():
    x = _matrices()
    found = _difference(x, x, accuracy)
    assert found.estimate == 0
    assert math.isnan(found.p)


def test_pairing_is_sharper_than_not():
    a = _matrices(skill=0.7, seed=0)
    b = a.copy()
    # b is a with one right example of each group made wrong.
    for m in b[0]:
        k = int(np.argmax(np.diag(m)))
        m[k, k] -= 1
        m[k, (k + 1) % 3] += 1
    paired = _difference(a, b, accuracy)
    apart = _difference(a, b, accuracy, names_b=[f"h{k:02}" for k in range(12)])
    assert paired.estimate == pytest.approx(1 / 30)
    assert paired.estimate == apart.estimate
    assert apart.low < 0 < apart.high
    # Every group loses the same 1 of 30: paired, nothing is left to chance.
    assert math.isnan(paired.low)


def test_groups_are_matched_by_name():
    a, b, names = _matrices(seed=0), _matrices(seed=1), _names(12)
    one = _difference(a, b, accuracy)
    order = np.random.default_rng(0).permutation(12)
    assert one == _difference(a, b[:, order], accuracy, names_b=[names[k] for k in order])


def test_groups_shared_in_part_still_give_an_interval():
    a, b = _matrices(seed=0, skill=0.9), _matrices(groups=8, seed=1, skill=0.3)
    found = _difference(
        a, b, accuracy,
        names_a=[f"g{k}" for k in range(12)], names_b=[f"g{k}" for k in range(6, 14)],
    )  # fmt: skip
    assert found.low < found.estimate < found.high
    assert found.low > 0
    assert found.p < 0.01
    assert found.groups == 8


def test_groups_of_one_sample_alone_are_drawn_apart():
    w, v = draw_weights_of_two(
        ["a", "b", "c", "s", "t"], ["s", "t", "x", "y", "z"], resamples=400, seed=0
    )
    assert (w[:, 3:] == v[:, :2]).all()
    # Drawn from one stream, three groups of each would be the same draw.
    assert (w[:, :3] != v[:, 2:]).any()
    assert (w[:, :3].sum(1) == 3).all()


def test_p_values_are_small_as_often_as_they_should_be():
    rng = np.random.default_rng(1)
    small = 0
    for _ in range(200):
        scores = rng.normal(0.7, 0.1, (2, 30))
        a, b = (np.stack([row, np.ones(30)], -1)[None] for row in scores)
        weights = draw_weights(_names(30), resamples=300, seed=0)
        one, two = (_resampled(x, mean, weights) for x in (a, b))
        small += difference(one, two).p <= 0.05
    assert 0.01 < small / 200 < 0.12


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_a_difference_turns_its_sign_with_its_sides(seed):
    a, b = _matrices(seed=seed, skill=0.5), _matrices(seed=seed + 1, skill=0.6)
    one, two = _difference(a, b, accuracy), _difference(b, a, accuracy)
    assert one.estimate == -two.estimate
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert one.p == two.p


def test_a_mean_over_groups_counts_each_once_and_leaves_out_those_without_a_score():
    scores = np.array([[1.0, 0.5, np.nan, 0.0], [0.0, 0.5, np.nan, 1.0]])
    weights = draw_weights(_names(4), resamples=300, seed=0)
    mean = mean_over_groups(scores, weights)
    assert mean.groups == 3
    assert mean.estimate == 0.5
    weighted = weights[1:, [0, 1, 3]]
    there = weighted.sum(1) > 0
    drawn = (weighted @ scores[:, [0, 1, 3]].T)[there] / weighted.sum(1)[there][:, None]
    np.testing.assert_allclose(mean.draws[there], drawn.mean(1))
    assert np.isnan(mean.draws[~there]).all()
