"""The scores that `run.json` holds of each part: the registry's functions, and nothing else of it.

A metric that somebody adds to the registry is no reason to train a network again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib.metrics.confusion import group_matrices, macro_f1
from lib.metrics.losses import log_loss, mae, mse, right


def scores(
    truth: np.ndarray, probabilities: np.ndarray, *, scored: Sequence[int]
) -> dict[str, float | int | None]:
    """Score the predictions of one part.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Class numbers.
    probabilities : ndarray, shape (example, class)
        Predicted.
    scored : sequence of int
        The classes that the macro average counts.

    Returns
    -------
    dict
        `loss` (categorical cross-entropy, natural logarithm), `accuracy`, `mse` and `mae` (of
        probabilities against one-hot classes, as Keras has them), `macro_f1`, `examples`. A score
        that is not defined is None: all of an empty part, and macro-F1 where fewer than two scored
        classes have an example. Those without one are left out of its mean, as on the leaderboard.
    """
    p = probabilities.astype(np.float64)
    classes = p.shape[1]
    guess, one_group = p.argmax(axis=1), np.zeros(len(truth), dtype=int)
    matrix = group_matrices(truth, guess, one_group, groups=1, classes=classes)[0]
    counted = [k for k in scored if matrix[k].any()]
    each = {"loss": log_loss, "accuracy": right, "mse": mse, "mae": mae}
    values: dict[str, float | int | None] = {
        name: float(values(truth, p).mean()) if len(truth) else None
        for name, values in each.items()
    }
    macro = float(macro_f1(matrix, counted))
    return values | {"macro_f1": None if np.isnan(macro) else macro, "examples": len(truth)}
