"""Metrics against scikit-learn, against worked examples, and where they are not defined."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.metrics.calibration import calibration, expected_calibration_error
from lib.metrics.registry import evaluate, kappa, per_recording
from lib.metrics.scores import confusion

ABC = ["a", "b", "c"]


def _some(n=200, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    x = rng.dirichlet(np.ones(classes), n)
    x[np.arange(n), truth] += 0.5
    return truth, x / x.sum(1, keepdims=True)


def test_perfect_predictions_score_one():
    label = ["a", "b", "c", "a"]
    x = np.eye(3)[[0, 1, 2, 0]]
    found = evaluate(label, x, classes=ABC)
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "kappa", "mcc", "auroc"):
        assert found[name].value == pytest.approx(1), name
    for name in ("log_loss", "brier", "ece", "mse", "mae"):
        assert found[name].value == pytest.approx(0), name


def test_losses_of_a_worked_example():
    found = evaluate(["a", "b"], [[0.8, 0.2], [0.6, 0.4]], classes=["a", "b"])
    assert found["log_loss"].value == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2)
    assert found["brier"].value == pytest.approx((2 * 0.04 + 2 * 0.36) / 2)
    assert found["mse"].value == pytest.approx(found["brier"].value / 2)
    assert found["mae"].value == pytest.approx((0.2 + 0.6) / 2)


def test_order_of_examples_does_not_matter():
    truth, x = _some()
    order = np.random.default_rng(1).permutation(len(truth))
    label = np.array(ABC, dtype=object)[truth]
    one, two = evaluate(label, x, classes=ABC), evaluate(label[order], x[order], classes=ABC)
    assert {k: pytest.approx(v.value) for k, v in one.items()} == {
        k: v.value for k, v in two.items()
    }


def test_macro_average_counts_scored_classes_alone():
    label = ["a", "a", "b", "b", "c"]
    x = np.eye(3)[[0, 0, 1, 0, 0]]
    found = evaluate(label, x, classes=ABC, scored=["a", "b"])
    # F1 of a: 2·2/(2+4); of b: 2·1/(2+1).
    assert found["macro_f1"].value == pytest.approx((4 / 6 + 2 / 3) / 2)
    assert found["balanced_accuracy"].value == pytest.approx(0.75)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "kappa", "mcc", "auroc"])
def test_one_class_gives_a_reason_and_no_number(name):
    found = evaluate(["a", "a"], [[0.9, 0.05, 0.05]] * 2, classes=ABC)[name]
    assert math.isnan(found.value)
    assert "one class" in found.note


def test_mcc_of_a_constant_is_not_defined():
    found = evaluate(["a", "b"], [[0.9, 0.1]] * 2, classes=["a", "b"])["mcc"]
    assert math.isnan(found.value)
    assert "ever predicted" in found.note


def test_no_examples_give_a_reason():
    found = evaluate([], np.zeros((0, 3)), classes=ABC)
    assert all(math.isnan(m.value) and m.note == "there are no examples" for m in found.values())


def test_kappa_agrees_with_scikit_learn():
    from sklearn.metrics import cohen_kappa_score

    truth, x = _some()
    matrix = confusion(truth, x.argmax(1), 3)
    assert kappa(matrix.astype(float)) == pytest.approx(cohen_kappa_score(truth, x.argmax(1)))


def test_calibration_error_is_the_gap_of_a_single_bin():
    truth = np.array([0] * 6 + [1] * 4)
    x = np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(truth, x) == pytest.approx(0.3)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_calibration_adds_up_to_the_calibration_error(seed):
    truth, x = _some(n=80, seed=seed)
    table = calibration(truth, x)
    assert table["count"].sum() == 80
    full = table[table["count"] > 0]
    assert (full["confidence"] > full["bin_low"]).all()
    assert (full["confidence"] <= full["bin_high"]).all()
    gap = (full["count"] * (full["accuracy"] - full["confidence"]).abs()).sum() / 80
    assert gap == pytest.approx(expected_calibration_error(truth, x))
    assert table.loc[table["count"] == 0, ["accuracy", "confidence"]].isna().all(axis=None)


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_losses_agree_with_scikit_learn(seed):
    from sklearn.metrics import brier_score_loss, log_loss

    truth, x = _some(n=50, seed=seed)
    label = np.array(ABC, dtype=object)[truth]
    found = evaluate(label, x, classes=ABC)
    assert found["log_loss"].value == pytest.approx(log_loss(truth, x, labels=[0, 1, 2]))
    theirs = brier_score_loss(truth, x, labels=[0, 1, 2], scale_by_half=False)
    assert found["brier"].value == pytest.approx(theirs)


def test_per_recording_is_the_mean_probability():
    table = pd.DataFrame(
        {
            "recording": ["r2", "r1", "r1"],
            "group": ["g", "h", "h"],
            "label": ["a", "b", "b"],
            "a": [1.0, 0.2, 0.4],
            "b": [0.0, 0.8, 0.6],
        }
    )
    found = per_recording(table, classes=["a", "b"])
    assert found["recording"].tolist() == ["r1", "r2"]
    assert found["a"].tolist() == pytest.approx([0.3, 1.0])
    with pytest.raises(HeldoutError, match="recording r1: expected one label"):
        per_recording(table.assign(label=["a", "b", "a"]), classes=["a", "b"])


@pytest.mark.parametrize(
    ("label", "x", "words"),
    [
        (["a"], [[0.5, 0.5]], r"expected shape \(1, 3\)"),
        (["d"], [[1, 0, 0]], "labels d: expected one of the classes a, b, c"),
        (["a"], [[float("nan"), 0, 0]], "expected finite numbers"),
        (["a"], [[2.0, -1, 0]], "between 0 and 1"),
    ],
)
def test_bad_predictions_are_refused(label, x, words):
    with pytest.raises(HeldoutError, match=words):
        evaluate(label, x, classes=ABC)
