"""The AAMI's figures: jκ by hand, the table of a confusion matrix, what is not counted."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lib.metrics.aami import ROWS, aami_scores, is_aami, jk_index
from lib.metrics.confusion import kappa

CLASSES = ["N", "S", "V", "F", "Q"]


def _matrix() -> np.ndarray:
    m = np.zeros((5, 5))
    m[0, 0], m[0, 1], m[1, 1], m[1, 0], m[2, 2], m[3, 3] = 80, 10, 6, 4, 20, 2
    return m


def _table(m: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(aami_scores(m, classes=CLASSES), index=list(ROWS))


def test_jk_index_of_a_worked_example() -> None:
    m = _matrix()
    # Q has no say, whatever it is taken for.
    m[4, 0] = 50
    j = 6 / 10 + 6 / 16 + 1 + 1
    assert jk_index(m, classes=CLASSES) == pytest.approx(kappa(m[:4, :4]) / 2 + j / 8)
    assert jk_index(np.diag([9.0, 9, 9, 9, 0]), classes=CLASSES) == pytest.approx(1)


def test_jk_index_without_a_predicted_class_is_not_defined() -> None:
    m = np.zeros((5, 5))
    m[:4, 0] = 5
    assert math.isnan(jk_index(m, classes=CLASSES))


def test_table_of_a_worked_example() -> None:
    m = _matrix()
    # A beat of S taken for Q is an error, though Q itself is not scored.
    m[1, 4], m[4, 2] = 2, 7
    table = _table(m)
    assert list(table.index) == ["N", "S", "V", "F", "all"]
    s = table.loc["S"]
    assert (s["tp"], s["fn"], s["fp"], s["tn"]) == (6, 6, 10, 102)
    assert s["sensitivity"] == pytest.approx(6 / 12)
    assert s["ppv"] == pytest.approx(6 / 16)
    assert s["false_positive_rate"] == pytest.approx(10 / 112)
    assert s["accuracy"] == pytest.approx(108 / 124)
    # What Q was taken for is no false positive of V.
    assert table.loc["V", "fp"] == 0
    whole = table.loc["all"]
    assert (whole["tp"], whole["fn"]) == (108, 16)
    assert whole["accuracy"] == pytest.approx(108 / 124)
    assert whole["sensitivity"] == pytest.approx((80 / 90 + 6 / 12 + 1 + 1) / 4)
    assert whole["j_kappa"] == pytest.approx(float(jk_index(m, classes=CLASSES)))
    assert table["j_kappa"].drop("all").isna().all()


def test_mean_of_a_class_never_predicted_is_not_given() -> None:
    m = np.zeros((5, 5))
    m[:4, 0] = 5
    whole = _table(m).loc["all"]
    assert math.isnan(whole["ppv"])
    assert whole["sensitivity"] == pytest.approx(0.25)


def test_what_is_scored_decides() -> None:
    assert is_aami(["V", "N", "F", "S"])
    assert not is_aami(["N", "S", "V"])
    assert not is_aami(CLASSES)


def test_many_matrices_at_once_are_each_of_them() -> None:
    rng = np.random.default_rng(0)
    many = rng.integers(0, 9, size=(3, 2, 5, 5)).astype(float)
    together = aami_scores(many, classes=CLASSES)
    for at in np.ndindex(3, 2):
        one = aami_scores(many[at], classes=CLASSES)
        for name, values in together.items():
            assert values[at] == pytest.approx(one[name], nan_ok=True)
