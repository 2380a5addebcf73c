"""Metrics of a classifier that gives a probability per class.

Everything here is one number for one set of examples; `lib.statistics` says how sure it is.
A metric that is not defined for the examples at hand is NaN with a reason, never a stand-in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lib.errors import HeldoutError
from lib.metrics.calibration import expected_calibration_error

# Keras clips probabilities here before it takes a logarithm, so our log loss and its loss agree.
SMALLEST_PROBABILITY = 1e-7


class Metric(NamedTuple):
    """A number, and why there is none where it is NaN."""

    value: float
    note: str = ""


ONE_CLASS = "the examples are all of one class"
NO_EXAMPLES = "there are no examples"


def positions(label: ArrayLike, classes: Sequence[str]) -> NDArray[np.int64]:
    """Give the place of each label in `classes`, shape (example,).

    Parameters
    ----------
    label : array_like of str, shape (example,)
        True classes.
    classes : sequence of str
        All classes, in their order.

    Returns
    -------
    ndarray of int, shape (example,)
        From 0.

    Raises
    ------
    HeldoutError
        A label is not among the classes.

    Examples
    --------
    >>> positions(["b", "a"], ["a", "b"]).tolist()
    [1, 0]
    """
    place = {name: number for number, name in enumerate(classes)}
    labels = np.asarray(label, dtype=object)
    unknown = sorted({str(name) for name in labels if name not in place})
    if unknown:
        raise HeldoutError(
            f"labels {', '.join(unknown)}: expected one of the classes {', '.join(classes)}. "
            "Make the predictions anew with the classes of the study."
        )
    return np.array([place[name] for name in labels], dtype=np.int64)


def evaluate(
    label: ArrayLike,
    probability: ArrayLike,
    *,
    classes: Sequence[str],
    scored: Sequence[str] | None = None,
) -> dict[str, Metric]:
    """Give every metric of one set of predictions.

    Parameters
    ----------
    label : array_like of str, shape (example,)
        The true classes.
    probability : array_like of float, shape (example, class)
        One probability per class, in the order of `classes`.
    classes : sequence of str
        All classes that the model knows.
    scored : sequence of str, optional
        The classes that macro averages count; all of them by default. Those without an example are
        left out of the average, since their sensitivity is not defined.

    Returns
    -------
    dict of str to Metric
        accuracy, balanced_accuracy, macro_f1, kappa, mcc, auroc, log_loss, brier, ece, mse and mae.

    Raises
    ------
    HeldoutError
        Shapes disagree, a label is unknown, or a probability is not a finite number.
    """
    x = _checked(label, probability, classes)
    truth, chance = positions(label, classes), x
    keep = [classes.index(name) for name in (scored or classes)]
    functions: dict[str, Callable[[], Metric]] = {
        "accuracy": lambda: _accuracy(truth, chance),
        "balanced_accuracy": lambda: _balanced_accuracy(truth, chance, keep),
        "macro_f1": lambda: _macro_f1(truth, chance, keep),
        "kappa": lambda: _kappa(truth, chance),
        "mcc": lambda: _mcc(truth, chance),
        "auroc": lambda: _auroc(truth, chance, keep),
        "log_loss": lambda: Metric(float(losses(truth, chance)["log_loss"].mean())),
        "brier": lambda: Metric(float(losses(truth, chance)["brier"].mean())),
        "ece": lambda: Metric(expected_calibration_error(truth, chance)),
        "mse": lambda: Metric(float(losses(truth, chance)["mse"].mean())),
        "mae": lambda: Metric(float(losses(truth, chance)["mae"].mean())),
    }
    if not len(truth):
        return {name: Metric(math.nan, NO_EXAMPLES) for name in functions}
    return {name: function() for name, function in functions.items()}


def _checked(
    label: ArrayLike, probability: ArrayLike, classes: Sequence[str]
) -> NDArray[np.float64]:
    x = np.asarray(probability, dtype=np.float64)
    n = len(np.asarray(label, dtype=object))
    if x.ndim != 2 or x.shape != (n, len(classes)):
        raise HeldoutError(
            f"probabilities: expected shape ({n}, {len(classes)}), one row a label and one column "
            f"a class, got {x.shape}. Pass the labels and probabilities of the same examples."
        )
    if not np.isfinite(x).all() or (x < -1e-6).any() or (x > 1 + 1e-6).any():
        raise HeldoutError(
            "probabilities: expected finite numbers between 0 and 1, got others (NaN, or out of "
            "range). Train the model again with a lower learning rate."
        )
    return x


def _present(truth: NDArray[np.int64], keep: Sequence[int]) -> list[int]:
    there = set(truth.tolist())
    return [number for number in keep if number in there]


def _accuracy(truth: NDArray[np.int64], x: NDArray[np.float64]) -> Metric:
    from sklearn.metrics import accuracy_score

    return Metric(float(accuracy_score(truth, x.argmax(1))))


def _balanced_accuracy(
    truth: NDArray[np.int64], x: NDArray[np.float64], keep: Sequence[int]
) -> Metric:
    """Mean sensitivity of the scored classes (Brodersen et al. 2010, ICPR)."""
    from sklearn.metrics import recall_score

    there = _present(truth, keep)
    if len(there) < 2:
        return Metric(math.nan, ONE_CLASS)
    return Metric(float(recall_score(truth, x.argmax(1), labels=there, average="macro")))


def _macro_f1(truth: NDArray[np.int64], x: NDArray[np.float64], keep: Sequence[int]) -> Metric:
    """Mean of the F1 of the scored classes (Sokolova and Lapalme 2009)."""
    from sklearn.metrics import f1_score

    there = _present(truth, keep)
    if len(there) < 2:
        return Metric(math.nan, ONE_CLASS)
    score = f1_score(truth, x.argmax(1), labels=there, average="macro", zero_division=0.0)
    return Metric(float(score))


def _kappa(truth: NDArray[np.int64], x: NDArray[np.float64]) -> Metric:
    """Cohen's kappa (Cohen 1960)."""
    from sklearn.metrics import cohen_kappa_score

    if len(set(truth.tolist())) < 2:
        return Metric(math.nan, ONE_CLASS)
    return Metric(float(cohen_kappa_score(truth, x.argmax(1))))


def _mcc(truth: NDArray[np.int64], x: NDArray[np.float64]) -> Metric:
    """Matthews correlation for many classes (Gorodkin 2004)."""
    from sklearn.metrics import matthews_corrcoef

    if len(set(truth.tolist())) < 2:
        return Metric(math.nan, ONE_CLASS)
    predicted = x.argmax(1)
    # scikit-learn gives 0 here, yet a correlation with a constant is not defined.
    if len(set(predicted.tolist())) < 2:
        return Metric(math.nan, "only one class is ever predicted")
    return Metric(float(matthews_corrcoef(truth, predicted)))


def _auroc(truth: NDArray[np.int64], x: NDArray[np.float64], keep: Sequence[int]) -> Metric:
    """Mean over the scored classes of the area under the ROC, one class against the rest.

    Provost and Domingos 2001, without their weights.
    """
    from sklearn.metrics import roc_auc_score

    there = _present(truth, keep)
    if len(set(truth.tolist())) < 2 or not there:
        return Metric(math.nan, ONE_CLASS)
    areas = [roc_auc_score(truth == number, x[:, number]) for number in there]
    return Metric(float(np.mean(areas)))


def losses(truth: NDArray[np.int64], x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Give the losses that are means over examples, one value an example.

    Parameters
    ----------
    truth : ndarray of int, shape (example,)
        Number of the true class.
    x : ndarray of float, shape (example, class)
        Probabilities.

    Returns
    -------
    dict of str to ndarray, shape (example,)
        log_loss (nats; Good 1952), brier (sum over classes, 0 to 2; Brier 1950), and mse and mae,
        the mean over classes against the one-hot label, as Keras computes them.
    """
    rows = np.arange(len(truth))
    error = x.copy()
    error[rows, truth] -= 1
    squared = (error**2).sum(1)
    return {
        "log_loss": -np.log(np.clip(x[rows, truth], SMALLEST_PROBABILITY, 1.0)),
        "brier": squared,
        "mse": squared / x.shape[1],
        "mae": np.abs(error).mean(1),
    }


def kappa(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give Cohen's kappa of confusion matrices of shape (..., class, class); NaN where 0/0.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label.

    Returns
    -------
    ndarray, shape (...)
        1 is perfect, 0 is chance.

    Examples
    --------
    >>> round(float(kappa(np.array([[8.0, 2.0], [1.0, 9.0]]))), 3)
    0.7
    """
    total = matrix.sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        agreed = np.trace(matrix, axis1=-2, axis2=-1) / total
        by_chance = (matrix.sum(-1) * matrix.sum(-2)).sum(-1) / total**2
        return (agreed - by_chance) / (1 - by_chance)


def per_recording(predictions: pd.DataFrame, *, classes: Sequence[str]) -> pd.DataFrame:
    """Average the probabilities of a recording's examples.

    Parameters
    ----------
    predictions : DataFrame
        `recording`, `group`, `label`, and one column per class; a row an example.
    classes : sequence of str
        The columns to average.

    Returns
    -------
    DataFrame
        The same columns, a row a recording, sorted by recording.

    Raises
    ------
    HeldoutError
        The examples of a recording have different labels: it has no one class.
    """
    by = predictions.groupby("recording", sort=True)
    several = by["label"].nunique()
    mixed = several[several > 1].index.tolist()
    if mixed:
        raise HeldoutError(
            f"recording {mixed[0]}: expected one label for all of its examples, got "
            f"{several[mixed[0]]}. Judge this study by example, not by recording."
        )
    first = by[["group", "label"]].first()
    return first.join(by[list(classes)].mean()).reset_index()
