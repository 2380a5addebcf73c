"""The scores that a run records of itself, in plain numpy: training loads nothing else for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def confusion(truth: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """Count examples by true class (rows) and predicted class (columns).

    Parameters
    ----------
    truth, guess : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    classes : int
        Number of classes.

    Returns
    -------
    np.ndarray [shape=(classes, classes), dtype=int]
    """
    cells = np.bincount(truth * classes + guess, minlength=classes * classes)
    return cells.reshape(classes, classes)


def f1_of_confusion(matrix: np.ndarray) -> np.ndarray:
    """Give the F1 score of each class, 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0.

    Parameters
    ----------
    matrix : np.ndarray [shape=(..., classes, classes)]
        True classes in rows, predicted in columns.

    Returns
    -------
    np.ndarray [shape=(..., classes)]
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1).astype(float)
    total = matrix.sum(axis=-1) + matrix.sum(axis=-2)
    return np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)


def scores(
    truth: np.ndarray, probabilities: np.ndarray, *, scored: Sequence[int]
) -> dict[str, float | int | None]:
    """Score the predictions of one part.

    Parameters
    ----------
    truth : np.ndarray [shape=(n,), dtype=int]
        Class numbers.
    probabilities : np.ndarray [shape=(n, classes)]
        Predicted.
    scored : sequence of int
        The classes that the macro average counts.

    Returns
    -------
    dict
        `loss` (categorical cross-entropy, natural logarithm), `accuracy`, `mse` and `mae` (of
        probabilities against one-hot classes, as Keras has them), `macro_f1`, `examples`.
        Every score of an empty part is None.
    """
    names = ("loss", "accuracy", "mse", "mae", "macro_f1")
    if len(truth) == 0:
        return {**dict.fromkeys(names), "examples": 0}
    p = probabilities.astype(np.float64)
    classes = p.shape[1]
    error = p - np.eye(classes)[truth]
    guess = p.argmax(axis=1)
    # 1e-7 is the clip of Keras's loss, so that the figures of both agree.
    likelihood = np.clip(p[np.arange(len(p)), truth], 1e-7, 1)
    f1 = f1_of_confusion(confusion(truth, guess, classes))
    values = (
        -np.log(likelihood).mean(),
        (guess == truth).mean(),
        (error**2).mean(),
        np.abs(error).mean(),
        f1[list(scored)].mean(),
    )
    return {**dict(zip(names, map(float, values), strict=True)), "examples": len(truth)}
