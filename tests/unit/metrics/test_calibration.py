"""Calibration by bins of confidence: by hand, and adding up over groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.calibration import BINS, expected_calibration_error, group_bins


def _some(seed, n=80):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, n), rng.dirichlet(np.ones(3), n), rng.integers(0, 7, n)


def test_the_error_is_the_gap_of_a_single_bin():
    truth, x = np.array([0] * 6 + [1] * 4), np.tile([0.9, 0.1], (10, 1))
    sums = group_bins(truth, x, np.zeros(10, int), groups=1)
    assert expected_calibration_error(sums) == pytest.approx([0.3])


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_bins_hold_what_lies_in_them(seed):
    truth, x, group = _some(seed)
    sums = group_bins(truth, x, group, groups=7)
    assert sums.shape == (7, BINS, 3)
    assert sums[..., 2].sum(1).tolist() == np.bincount(group, minlength=7).tolist()
    right, confident, count = sums.sum(0).T
    assert right.sum() == (x.argmax(1) == truth).sum()
    assert confident.sum() == pytest.approx(x.max(1).sum())
    full = count > 0
    edges, mean = np.arange(BINS + 1) / BINS, confident[full] / count[full]
    assert (mean > edges[:-1][full]).all()
    assert (mean <= edges[1:][full] + 1e-12).all()
    gap = (count[full] * np.abs(right[full] / count[full] - mean)).sum() / 80
    assert expected_calibration_error(sums.sum(0)) == pytest.approx(gap)


def test_a_bin_holds_its_upper_edge():
    x = np.array([[0.5, 0.5], [0.6, 0.4], [0.61, 0.39], [1.0, 0.0]])
    counts = group_bins(np.zeros(4, int), x, np.zeros(4, int), groups=1)[0, :, 2]
    # Of 15 bins the eighth ends at .533, the ninth at .6.
    assert np.flatnonzero(counts).tolist() == [7, 8, 9, 14]


def test_no_examples_have_no_error():
    assert np.isnan(expected_calibration_error(np.zeros((2, BINS, 3)))).all()
