"""What run.json holds of a part: the leaderboard's scores, as plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.metrics.record import scores
from lib.metrics.registry import evaluate

NAMES = {"accuracy": "accuracy", "loss": "log_loss", "mse": "mse", "mae": "mae"}
ABCD = list("abcd")


def draws(seed, n=40, classes=4, there=4):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), n).astype(np.float32)
    return rng.integers(0, there, n), p


@given(st.integers(0, 99), st.integers(1, 40), st.integers(1, 4))
def test_run_json_and_the_leaderboard_have_the_same_scores(seed, n, there):
    truth, p = draws(seed, n, there=there)
    recorded = scores(truth, p, scored=[0, 2, 3])
    label = np.array(ABCD, dtype=object)[truth]
    ours = evaluate(label, p, classes=ABCD, scored=["a", "c", "d"])
    for name, metric in {**NAMES, "macro_f1": "macro_f1"}.items():
        value = np.nan if recorded[name] is None else recorded[name]
        assert value == pytest.approx(ours[metric].value, nan_ok=True), name
    assert recorded["examples"] == n


def test_by_hand():
    truth = np.array([0, 0, 1, 1])
    p = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])
    recorded = scores(truth, p, scored=[0, 1])
    assert recorded["accuracy"] == 0.5
    assert recorded["loss"] == pytest.approx(-np.log([0.5, 0.1, 0.7, 0.2]).mean())
    # Class 0: one hit, one missed. Class 1: one hit, one missed, one too many.
    assert recorded["macro_f1"] == pytest.approx((2 / 3 + 2 / 4) / 2)
    # Of class 2 there is no example: it is left out, and what is taken for it stays an error.
    assert scores(truth, p, scored=[0, 1, 2])["macro_f1"] == recorded["macro_f1"]
    assert scores(truth, p, scored=[0, 2])["macro_f1"] is None


def test_an_empty_part_has_no_scores():
    recorded = scores(np.array([], int), np.zeros((0, 3)), scored=[0])
    names = ("loss", "accuracy", "mse", "mae", "macro_f1")
    assert recorded == dict.fromkeys(names) | {"examples": 0}


def test_scores_are_plain_numbers():
    for name, value in scores(*draws(0), scored=[0, 1]).items():
        assert type(value) is (int if name == "examples" else float), name
