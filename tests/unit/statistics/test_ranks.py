"""Friedman and Nemenyi against the table and the worked example of Demšar 2006."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from lib.errors import HeldoutError
from lib.statistics.ranks import friedman, nemenyi_q

# Demšar 2006, table 6: AUC of C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 data sets. In the last but one
# row the two .975 are ranked 2 and 3 there: they differ beyond the digits that are printed.
AUC = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.590, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000],
    [0.940, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975],
    [0.957, 0.978, 0.946, 0.970],
]

# Table 5 (a): critical values of Nemenyi's test for 2 to 10 classifiers.
TABLE_5 = {
    0.05: [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164],
    0.10: [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920],
}


@pytest.mark.parametrize("alpha", TABLE_5)
def test_critical_values_are_those_of_the_table(alpha: float) -> None:
    ours = [nemenyi_q(models, alpha=alpha) for models in range(2, 11)]
    assert ours == pytest.approx(TABLE_5[alpha], abs=1.5e-3)


def test_worked_example() -> None:
    found = friedman(AUC)
    assert found.mean_rank.tolist() == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.chi2 == pytest.approx(9.28, abs=0.005)
    assert found.f == pytest.approx(3.69, abs=0.005)
    # F(3, 39) at 5 % is 2.85.
    assert found.p < 0.05
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    # The best and the worst are told apart at 10 %, not at 5 %.
    apart = found.mean_rank.max() - found.mean_rank.min()
    assert nemenyi_q(4, alpha=0.1) * (20 / 84) ** 0.5 < apart < found.critical_difference


@given(st.integers(0, 10_000), st.integers(3, 4), st.integers(3, 8))
@settings(max_examples=6)
def test_chi2_without_ties_is_that_of_scipy(seed: int, models: int, blocks: int) -> None:
    from scipy.stats import friedmanchisquare

    x = np.random.default_rng(seed).normal(size=(blocks, models))
    assert friedman(x).chi2 == pytest.approx(friedmanchisquare(*x.T).statistic)


@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_p_counts_every_order(seed: int) -> None:
    x = np.random.default_rng(seed).integers(0, 4, (3, 3)).astype(float)
    found = friedman(x)
    ranks = rankdata(-x, axis=1)
    # χ² grows with the sum of squares of the sums of ranks.
    every = [
        (np.sum(rows, axis=0) ** 2).sum() for rows in product(*(permutations(row) for row in ranks))
    ]
    assert found.exact
    assert found.p == pytest.approx(np.mean(np.array(every) >= (ranks.sum(0) ** 2).sum() - 1e-9))


@given(st.integers(0, 10_000))
@settings(max_examples=5)
def test_order_of_blocks_and_models_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 3))
    blocks, models = rng.permutation(5), rng.permutation(3)
    one, two = friedman(x), friedman(x[blocks][:, models])
    assert two.mean_rank.tolist() == pytest.approx(one.mean_rank[models].tolist())
    assert (two.chi2, two.p) == pytest.approx((one.chi2, one.p))


def test_blocks_of_one_order_have_the_smallest_p() -> None:
    found = friedman(np.tile([0.9, 0.8, 0.7], (4, 1)))
    assert found.p == pytest.approx(found.smallest_p)
    assert found.smallest_p == pytest.approx(1 / 6**3)
    assert found.f == np.inf


def test_many_models_take_p_from_the_distribution() -> None:
    found = friedman(np.random.default_rng(0).normal(size=(6, 8)))
    assert not found.exact
    assert 0 < found.p < 1


@pytest.mark.parametrize("x", [[[0.1, 0.2]], [[0.1], [0.2]], [[0.1, np.nan], [0.2, 0.3]]])
def test_what_cannot_be_ranked_is_refused(x: list[list[float]]) -> None:
    with pytest.raises(HeldoutError, match="at least two models in at least two blocks"):
        friedman(x)
