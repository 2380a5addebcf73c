"""Scores of confusion matrices: scikit-learn's of one, and of many at once those of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics import confusion
from lib.metrics.confusion import group_matrices, macro_f1

OF_CLASSES = (confusion.sensitivity, confusion.ppv, confusion.f1)


def matrix_of(truth: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    one_group = np.zeros(len(truth), int)
    return group_matrices(truth, guess, one_group, groups=1, classes=classes)[0]


@st.composite
def predicted(draw):
    """Draw how many classes there are, true classes, and predicted ones; some may be absent."""
    classes = draw(st.integers(2, 5))
    pairs = st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1))
    truth, guess = zip(*draw(st.lists(pairs, min_size=1, max_size=30)), strict=True)
    return classes, np.array(truth), np.array(guess)


@given(predicted())
@settings(max_examples=60)
def test_scores_are_those_of_scikit_learn(case):
    from sklearn.metrics import (
        cohen_kappa_score,
        confusion_matrix,
        f1_score,
        matthews_corrcoef,
        precision_recall_fscore_support,
    )

    classes, truth, guess = case
    matrix = matrix_of(truth, guess, classes)
    assert matrix.tolist() == confusion_matrix(truth, guess, labels=range(classes)).tolist()
    theirs = precision_recall_fscore_support(
        truth, guess, labels=range(classes), zero_division=np.nan
    )
    counted = sorted(set(truth.tolist()))
    assert confusion.ppv(matrix) == pytest.approx(theirs[0], nan_ok=True)
    assert confusion.sensitivity(matrix) == pytest.approx(theirs[1], nan_ok=True)
    assert confusion.f1(matrix)[counted] == pytest.approx(theirs[2][counted])
    if len(counted) < 2:
        undefined = [confusion.kappa(matrix), confusion.mcc(matrix), macro_f1(matrix, counted)]
        assert np.isnan(undefined).all()
        return
    assert macro_f1(matrix, counted) == pytest.approx(
        f1_score(truth, guess, labels=counted, average="macro")
    )
    assert confusion.balanced_accuracy(matrix, counted) == pytest.approx(theirs[1][counted].mean())
    assert confusion.kappa(matrix) == pytest.approx(cohen_kappa_score(truth, guess))
    if len(set(guess.tolist())) > 1:
        assert confusion.mcc(matrix) == pytest.approx(matthews_corrcoef(truth, guess))
    else:
        # scikit-learn has 0, yet a correlation with a constant is not defined.
        assert math.isnan(confusion.mcc(matrix))


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=25)
def test_scores_of_a_stack_are_those_of_each(seed, classes):
    stack = np.random.default_rng(seed).integers(0, 4, (3, 2, classes, classes)).astype(float)
    counted = list(range(classes - 1))
    functions = [
        *(confusion.kappa, confusion.mcc, *OF_CLASSES),
        lambda m: macro_f1(m, counted),
        lambda m: confusion.balanced_accuracy(m, counted),
    ]
    for function in functions:
        together = function(stack)
        for at in np.ndindex(3, 2):
            np.testing.assert_array_equal(together[at], function(stack[at]))


def test_matrices_of_groups_add_up_to_that_of_all():
    rng = np.random.default_rng(0)
    truth, guess, group = (rng.integers(0, n, 50) for n in (3, 3, 4))
    of_groups = group_matrices(truth, guess, group, groups=4, classes=3)
    assert of_groups.sum((1, 2)).tolist() == np.bincount(group, minlength=4).tolist()
    np.testing.assert_array_equal(of_groups.sum(0), matrix_of(truth, guess, 3))


def test_a_class_without_an_example_is_left_out_and_its_predictions_are_errors():
    # Of class 2 there is nothing, and one of class 1 is taken for it.
    matrix = np.array([[3.0, 0, 0], [0, 2, 1], [0, 0, 0]])
    assert macro_f1(matrix, [0, 1]) == pytest.approx((1 + 4 / 5) / 2)
    # Who counts it all the same gets no number: no 0 stands in for what is not defined.
    assert math.isnan(macro_f1(matrix, [0, 1, 2]))
    assert math.isnan(confusion.balanced_accuracy(matrix, [0, 1, 2]))
