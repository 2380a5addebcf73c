"""Corrections, letters, and the t test over folds."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.statistics.pairwise import corrected_resampled_t, holm, letters


def test_holm_of_a_worked_example() -> None:
    # Holm 1979 by hand: 4·.005, 3·.01, 2·.03, 1·.04, each at least the one before.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
    with_nan = holm([0.01, math.nan])
    assert with_nan[0] == pytest.approx(0.01)
    assert math.isnan(with_nan[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_holm_keeps_the_order_and_lowers_nothing(p: list[float], random: object) -> None:
    adjusted = holm(p)
    assert (adjusted >= np.array(p)).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    # Never more than Bonferroni's.
    assert (adjusted <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()


NAMES = ["p", "q", "r", "s", "t"]
PAIRS = list(combinations(NAMES, 2))


@given(st.sets(st.sampled_from(PAIRS)))
def test_letters_say_what_differs_and_nothing_else(differ: set[tuple[str, str]]) -> None:
    found = letters(NAMES, differ)
    for a, b in PAIRS:
        assert bool(set(found[a]) & set(found[b])) == ((a, b) not in differ)
    assert all(found.values())


def test_letters_of_a_worked_example() -> None:
    # The best and the worst differ, the one between differs from neither.
    assert letters(["x", "y", "z"], {("z", "x")}) == {"x": "a", "y": "ab", "z": "b"}
    assert letters(["x", "y"], set()) == {"x": "a", "y": "a"}
    assert letters(["x", "y", "z"], set(combinations("xyz", 2))) == {"x": "a", "y": "b", "z": "c"}


def test_letters_of_a_stranger_are_refused() -> None:
    with pytest.raises(HeldoutError, match="expected pairs of x, y, got x and z"):
        letters(["x", "y"], {("x", "z")})


def test_t_over_folds_of_a_worked_example() -> None:
    d = [0.02, 0.04, 0.03, 0.01, 0.05]
    # Mean .03, variance .00025; without the correction t is .03/√(.00025/5) = 4.243.
    found = corrected_resampled_t(d, test_per_train=0.25)
    t = 0.03 / math.sqrt((1 / 5 + 0.25) * 0.00025)
    assert t == pytest.approx(2.828, abs=1e-3)
    assert found.estimate == pytest.approx(0.03)
    # Student's t with 4 degrees of freedom: 2.776 leaves 5 %.
    assert found.low == pytest.approx(0.03 - 2.776 * 0.03 / t, abs=1e-5)
    assert found.p == pytest.approx(0.0474, abs=5e-4)
    assert found.groups == 5


@given(st.lists(st.integers(-100, 100), min_size=3, max_size=10, unique=True))
def test_t_over_folds_is_the_plain_one_where_folds_share_nothing(values: list[int]) -> None:
    from scipy.stats import ttest_1samp

    d = np.array(values) / 100
    plain = ttest_1samp(d, 0)
    assert corrected_resampled_t(d, test_per_train=1e-12).p == pytest.approx(plain.pvalue)
    corrected = corrected_resampled_t(d, test_per_train=0.25)
    assert corrected.p >= plain.pvalue


@pytest.mark.parametrize(
    ("d", "words"),
    [
        ([0.1], "one fold"),
        ([0.1, math.nan], "not defined in some folds"),
        ([0.1, 0.1, 0.1], "every fold gives the same"),
    ],
)
def test_t_over_folds_says_why_there_is_none(d: list[float], words: str) -> None:
    found = corrected_resampled_t(d, test_per_train=0.25)
    assert math.isnan(found.p)
    assert words in found.note


@pytest.mark.parametrize("ratio", [0, math.nan, math.inf])
def test_t_over_folds_needs_to_know_the_sizes(ratio: float) -> None:
    with pytest.raises(HeldoutError, match="expected a positive number"):
        corrected_resampled_t([0.1, 0.2], test_per_train=ratio)
