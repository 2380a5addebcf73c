"""Scores of a run, against scikit-learn and Keras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.metrics.scores import confusion, f1_of_confusion, scores


def draws(seed, n=40, classes=4):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    return rng.integers(0, classes, n), p


@given(st.integers(0, 99), st.integers(1, 40))
def test_as_scikit_learn_counts_them(seed, n):
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    truth, p = draws(seed, n)
    guess = p.argmax(axis=1)
    matrix = confusion(truth, guess, 4)
    np.testing.assert_array_equal(matrix, confusion_matrix(truth, guess, labels=range(4)))
    each = f1_score(truth, guess, average=None, labels=range(4), zero_division=0)
    np.testing.assert_allclose(f1_of_confusion(matrix), each)
    found = scores(truth, p, scored=[0, 2, 3])
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert found["macro_f1"] == pytest.approx(each[[0, 2, 3]].mean())
    assert found["examples"] == n


def test_as_keras_has_them(keras):
    truth, p = draws(0)
    p[3] = np.eye(4)[(truth[3] + 1) % 4]  # certain, and wrong: the loss is clipped
    one_hot = np.eye(4, dtype=np.float32)[truth]
    found = scores(truth, p, scored=range(4))
    loss = np.asarray(keras.losses.categorical_crossentropy(one_hot, p)).mean()
    assert found["loss"] == pytest.approx(float(loss), rel=1e-5)
    for name, measure in (("mse", "mean_squared_error"), ("mae", "mean_absolute_error")):
        value = np.asarray(getattr(keras.losses, measure)(one_hot, p)).mean()
        assert found[name] == pytest.approx(float(value), rel=1e-5)


def test_by_hand():
    truth = np.array([0, 0, 1, 1])
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])
    found = scores(truth, p, scored=[0, 1])
    assert found["accuracy"] == 0.5
    assert found["loss"] == pytest.approx(-np.log([0.5, 0.1, 0.7, 0.2]).mean())
    # Class 0: one hit, one missed. Class 1: one hit, one missed, one too many.
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 4) / 2)
    assert scores(truth, p, scored=[0, 1, 2])["macro_f1"] == pytest.approx((2 / 3 + 2 / 4) / 3)


def test_f1_of_many_matrices_at_once():
    matrices = np.random.default_rng(0).integers(0, 9, (5, 3, 3))
    together = f1_of_confusion(matrices)
    assert together.shape == (5, 3)
    np.testing.assert_array_equal(together, [f1_of_confusion(m) for m in matrices])


def test_an_empty_part_has_no_scores():
    found = scores(np.array([], int), np.zeros((0, 3)), scored=[0])
    assert found == dict.fromkeys(("loss", "accuracy", "mse", "mae", "macro_f1")) | {"examples": 0}


def test_scores_are_plain_numbers():
    for name, value in scores(*draws(0), scored=[0]).items():
        assert type(value) is (int if name == "examples" else float), name
