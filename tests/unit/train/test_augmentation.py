"""Augmentation: what it changes, what it leaves alone, and that it can be repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lib.config.settings import ROOT
from lib.files import read_yaml
from lib.train.augmentation import AUGMENTATIONS, augmenter

BATCH = np.random.default_rng(0).normal(size=(50, 40, 10)).astype(np.float32)


def changed(name, amount, *, x=BATCH, seed=0, epoch=1, number=2):
    augment = augmenter({name: amount}, seed)
    assert augment is not None
    return augment(x, epoch, number)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_copy_is_changed_and_the_same_one_every_time(name):
    before = BATCH.copy()
    x = changed(name, 0.5)
    np.testing.assert_array_equal(BATCH, before)
    assert x.shape == BATCH.shape and x.dtype == BATCH.dtype
    np.testing.assert_array_equal(changed(name, 0.5), x)
    for other in ({"seed": 1}, {"epoch": 2}, {"number": 3}):
        assert (changed(name, 0.5, **other) != x).any(), other


def test_a_study_may_state_each_of_them():
    schema = read_yaml(ROOT / "workflow/schemas/study.schema.yaml")
    stated = schema["properties"]["training"]["properties"]["augmentation"]["properties"]
    assert list(stated) == list(AUGMENTATIONS)


def test_nothing_asked_is_nothing_done():
    assert augmenter({}, 0) is None
    assert augmenter(dict.fromkeys(AUGMENTATIONS, 0.0), 0) is None


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(
    x=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    amount=st.floats(0.01, 1),
)
def test_examples_of_any_size_stay_finite(name, x, amount):
    assert np.isfinite(changed(name, amount, x=x)).all()


def test_a_shift_moves_all_channels_by_the_same_few_steps():
    time = np.tile(np.arange(40, dtype=np.float32)[:, None], (50, 1, 10))
    moved = changed("shift", 0.1, x=time) - time
    middle = moved[:, 5:-5]
    assert (middle == middle[:, :1, :1]).all()
    assert np.abs(middle).max() == 4


def test_gain_keeps_the_shape_of_an_example():
    factor = changed("gain", 0.5) / BATCH
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1], factor.shape), rtol=1e-4)
    assert factor.min() > 1 / 1.51 and factor.max() < 1.51
    assert factor.min() < 0.8 and factor.max() > 1.2


@pytest.mark.parametrize("name", ["noise", "wander"])
def test_what_is_added_is_a_share_of_the_deviation(name):
    added = (changed(name, 0.5) - BATCH).std(axis=1) / BATCH.std(axis=1)
    assert 0.2 < added.max() < 0.8
    # A wave is slower than the noise: neighbours differ by less.
    steps = np.diff(changed(name, 0.5) - BATCH, axis=1).std() / added.mean()
    assert (steps < 0.3) == (name == "wander")


@pytest.mark.parametrize(("name", "axis"), [("mask_time", 1), ("mask_channels", 2)])
def test_a_mask_hides_one_stretch_behind_the_mean(name, axis):
    x = changed(name, 0.3)
    hidden = (x != BATCH).any(axis=3 - axis)
    assert hidden.any() and hidden.sum(1).max() <= 0.3 * BATCH.shape[axis]
    edges = np.abs(np.diff(np.pad(hidden.astype(int), ((0, 0), (1, 1))), axis=1)).sum(1)
    assert set(edges) <= {0, 2}
    means = np.broadcast_to(BATCH.mean(axis=1, keepdims=True), BATCH.shape)
    np.testing.assert_array_equal(x[x != BATCH], means[x != BATCH])
