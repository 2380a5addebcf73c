"""Intervals and tests: coverage of the estimate, refusals, invariance, published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.metrics import evaluate
from lib.statistics import (
    accuracy_interval,
    accuracy_score,
    balanced_accuracy_score,
    by_group,
    exact_interval,
    group_bootstrap,
    group_matrices,
    holm,
    kappa_score,
    macro_f1_score,
    mcc_score,
    mean_score,
    paired_group_bootstrap,
)


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
    for score in (accuracy_score, macro_f1_score([0, 1, 2]), kappa_score):
        found = group_bootstrap(x, score, resamples=200)
        assert found.low <= found.estimate <= found.high


def test_scores_of_matrices_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    truth, x = rng.integers(0, 4, 300), rng.dirichlet(np.ones(4), 300)
    names = np.array(list("abcd"), dtype=object)
    found = evaluate(names[truth], x, classes=list("abcd"), scored=["a", "b", "c"])
    matrix = group_matrices(truth, x.argmax(1), np.zeros(300, int), groups=1, classes=4)[0]
    for name, score in {
        "accuracy": accuracy_score,
        "macro_f1": macro_f1_score([0, 1, 2]),
        "balanced_accuracy": balanced_accuracy_score([0, 1, 2]),
        "kappa": kappa_score,
        "mcc": mcc_score,
    }.items():
        assert score(matrix) == pytest.approx(found[name].value), name


def test_order_of_groups_does_not_matter():
    x = _matrices()
    order = np.random.default_rng(1).permutation(x.shape[1])
    one = group_bootstrap(x, macro_f1_score([0, 1, 2]), seed=7)
    assert group_bootstrap(x[:, order], macro_f1_score([0, 1, 2]), seed=7) == one


def test_the_same_seed_gives_the_same_interval_and_another_another():
    x = _matrices()
    one = group_bootstrap(x, accuracy_score, seed=1)
    assert group_bootstrap(x, accuracy_score, seed=1) == one
    assert group_bootstrap(x, accuracy_score, seed=2) != one


def test_groups_that_differ_give_a_wider_interval_than_examples():
    x = _matrices(groups=10, per_group=100)
    of_groups = group_bootstrap(x, accuracy_score)
    alone = np.concatenate([np.repeat(np.eye(9).reshape(9, 3, 3), m, axis=0)
                            for m in [x.sum((0, 1)).astype(int).ravel()]])[None]  # fmt: skip
    of_examples = group_bootstrap(alone, accuracy_score)
    assert of_examples.estimate == pytest.approx(of_groups.estimate)
    width = of_groups.high - of_groups.low
    assert width > 1.5 * (of_examples.high - of_examples.low)


def test_interval_matches_the_standard_error_of_a_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(1, 0.5, 400)
    found = group_bootstrap(np.stack([values, np.ones(400)], -1)[None], mean_score, resamples=4000)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.06)


@pytest.mark.parametrize(("groups", "words"), [(1, "one group"), (4, "4 groups: too few")])
def test_few_groups_give_no_interval(groups, words):
    found = group_bootstrap(_matrices(groups=groups), accuracy_score)
    assert 0 < found.estimate < 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert words in found.note


def test_perfect_groups_give_no_bootstrap_interval():
    x = np.tile(np.eye(2), (1, 8, 1, 1))
    found = group_bootstrap(x, macro_f1_score([0, 1]))
    assert found.estimate == 1
    assert math.isnan(found.low)
    assert "every resample gives the same" in found.note


def test_resamples_without_a_class_are_left_out_and_counted():
    x = np.zeros((1, 10, 2, 2))
    x[0, :, 0, 0] = np.arange(10) + 5
    x[0, :, 0, 1] = 1
    x[0, 0, 1, 1] = 4
    found = group_bootstrap(x, macro_f1_score([0, 1]))
    # One group of ten is absent from (1 − 1/10)^10 = 35 % of the resamples.
    assert found.note.startswith(("33%", "34%", "35%", "36%", "37%"))
    # Scored as zero, a resample without the class would be below one half.
    assert found.low > 0.5


def test_exact_interval_of_25_of_25():
    low, high = exact_interval(25, 25)
    assert (round(low, 3), high) == (0.863, 1.0)
    assert exact_interval(0, 25)[0] == 0
    x = np.zeros((1, 25, 5, 5))
    x[0, np.arange(25), np.arange(25) % 5, np.arange(25) % 5] = 1
    found = accuracy_interval(x)
    assert (found.estimate, round(found.low, 3), found.high) == (1, 0.863, 1)
    assert "Clopper" in found.note


def test_exact_interval_refuses_nonsense():
    with pytest.raises(HeldoutError, match="expected 0 to 3 right"):
        exact_interval(4, 3)


def test_seeds_are_averaged():
    x = _matrices(seeds=3)
    each = [group_bootstrap(x[[s]], accuracy_score).estimate for s in range(3)]
    assert group_bootstrap(x, accuracy_score).estimate == pytest.approx(np.mean(each))


def test_a_model_does_not_differ_from_itself():
    x, names = _matrices(), [f"g{k}" for k in range(12)]
    found = paired_group_bootstrap(x, x, accuracy_score, groups_a=names, groups_b=names)
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
    names = [f"g{k:02}" for k in range(12)]
    paired = paired_group_bootstrap(a, b, accuracy_score, groups_a=names, groups_b=names)
    apart = paired_group_bootstrap(
        a, b, accuracy_score, groups_a=names, groups_b=[f"h{k:02}" for k in range(12)]
    )
    assert paired.estimate == pytest.approx(1 / 30)
    assert paired.estimate == apart.estimate
    assert apart.low < 0 < apart.high
    # Every group loses the same 1 of 30: paired, nothing is left to chance.
    assert math.isnan(paired.low)


def test_groups_are_matched_by_name():
    a, b = _matrices(seed=0), _matrices(seed=1)
    names = [f"g{k:02}" for k in range(12)]
    one = paired_group_bootstrap(a, b, accuracy_score, groups_a=names, groups_b=names)
    order = np.random.default_rng(0).permutation(12)
    two = paired_group_bootstrap(
        a, b[:, order], accuracy_score, groups_a=names, groups_b=[names[k] for k in order]
    )
    assert one == two


def test_groups_shared_in_part_still_give_an_interval():
    a, b = _matrices(seed=0, skill=0.9), _matrices(groups=8, seed=1, skill=0.3)
    found = paired_group_bootstrap(
        a, b, accuracy_score,
        groups_a=[f"g{k}" for k in range(12)], groups_b=[f"g{k}" for k in range(6, 14)],
    )  # fmt: skip
    assert found.low < found.estimate < found.high
    assert found.low > 0
    assert found.p < 0.01
    assert found.groups == 8


def test_holm_of_a_worked_example():
    # Holm 1979 by hand: 4·.005, 3·.01, 2·.03, 1·.04, each at least the one before.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
    with_nan = holm([0.01, math.nan])
    assert with_nan[0] == pytest.approx(0.01)
    assert math.isnan(with_nan[1])


def test_by_group_adds_up():
    total = by_group([1, 2, 4], ["b", "a", "b"], groups=["a", "b"])
    assert total.tolist() == [2, 5]


def test_statistics_need_a_seed_and_a_group():
    with pytest.raises(HeldoutError, match=r"expected shape \(seed, group, ...\)"):
        group_bootstrap(np.zeros((0, 3, 2, 2)), accuracy_score)
