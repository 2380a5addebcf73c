"""Scores of single examples, by hand, against scikit-learn and against Keras."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics import losses
from lib.metrics.record import scores


def _some(seed, n=50, classes=4):
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, n), rng.dirichlet(np.ones(classes), n)


def test_by_hand():
    truth, x = np.array([0, 1]), np.array([[0.8, 0.2], [0.6, 0.4]])
    assert losses.right(truth, x).tolist() == [1, 0]
    assert losses.log_loss(truth, x) == pytest.approx([-math.log(0.8), -math.log(0.4)])
    assert losses.brier(truth, x) == pytest.approx([2 * 0.04, 2 * 0.36])
    assert losses.mse(truth, x) == pytest.approx([0.04, 0.36])
    assert losses.mae(truth, x) == pytest.approx([0.2, 0.6])


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_means_are_those_of_scikit_learn(seed):
    from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

    truth, x = _some(seed)
    labels = list(range(4))
    assert losses.right(truth, x).mean() == accuracy_score(truth, x.argmax(1))
    assert losses.log_loss(truth, x).mean() == pytest.approx(log_loss(truth, x, labels=labels))
    theirs = brier_score_loss(truth, x, labels=labels, scale_by_half=False)
    assert losses.brier(truth, x).mean() == pytest.approx(theirs)


def test_as_keras_has_them(keras):
    truth, p = _some(0)
    p[3] = np.eye(4)[(truth[3] + 1) % 4]  # certain, and wrong: the loss is clipped
    # Both are given what a network predicts.
    p, one_hot = p.astype(np.float32), np.eye(4, dtype=np.float32)[truth]
    recorded = scores(truth, p, scored=range(4))
    theirs = {
        "loss": (losses.log_loss, keras.losses.categorical_crossentropy),
        "mse": (losses.mse, keras.losses.mean_squared_error),
        "mae": (losses.mae, keras.losses.mean_absolute_error),
    }
    for name, (ours, measure) in theirs.items():
        values = np.asarray(measure(one_hot, p))
        assert ours(truth, p.astype(np.float64)) == pytest.approx(values, rel=1e-5), name
        assert recorded[name] == pytest.approx(float(values.mean()), rel=1e-5), name
