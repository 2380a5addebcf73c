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
from lib.scores import confusion

# Keras clips probabilities here before it takes a logarithm, so our log loss and its loss agree.
SMALLEST_PROBABILITY = 1e-7

CALIBRATION_BINS = 15


class Metric(NamedTuple):
    """A number, and why there is none where it is NaN."""

    value: float
    note: str = ""


ONE_CLASS = "the examples are all of one class"
NO_EXAMPLES = "there are no examples"


def positions(label: ArrayLike, classes: Sequence[str]) -> NDArray[np.int64]:
    """Give the place of each label in `classes`, shape (example,).

    Raises
    ------
    HeldoutError
        A label is not among the classes.
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
        accuracy, balanced_accuracy, macro_f1, kappa, mcc, auroc, log_loss, brier, ece, mse, mae,
        and jk_index where the classes are those of the AAMI (N, S, V, F).

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
    if is_aami(classes):
        functions["jk_index"] = lambda: _jk_index(truth, chance, classes)
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


def is_aami(classes: Sequence[str]) -> bool:
    """Say whether the classes are heart beats as the AAMI names them (EC57)."""
    return {"N", "S", "V", "F"} <= set(classes)


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


def expected_calibration_error(
    truth: NDArray[np.int64], x: NDArray[np.float64], *, bins: int = CALIBRATION_BINS
) -> float:
    """Give the expected calibration error of the top class (Guo et al. 2017, ICML).

    The mean over equally wide bins of |accuracy − confidence|, weighted by the examples in each.
    """
    confidence = x.max(1)
    right = x.argmax(1) == truth
    # (0, 1] is cut as in the paper: a bin holds its upper edge.
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


def _jk_index(truth: NDArray[np.int64], x: NDArray[np.float64], classes: Sequence[str]) -> Metric:
    names = ["N", "S", "V", "F"]
    kept = np.isin(truth, [classes.index(name) for name in names])
    matrix = confusion(truth[kept], x.argmax(1)[kept], len(classes))
    value = float(jk_index(matrix.astype(float), classes=classes))
    if math.isnan(value):
        return Metric(math.nan, "S or V never occurs or is never predicted")
    return Metric(value)


def jk_index(matrix: NDArray[np.float64], *, classes: Sequence[str]) -> NDArray[np.float64]:
    """Give the jκ index of Mar et al. 2011 (IEEE Trans. Biomed. Eng. 58:2168).

    jκ = κ/2 + j/8, where κ is Cohen's kappa and j adds sensitivity and positive predictive value of
    S and of V, so that the index is 1 for a perfect classifier.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label. Only rows of N, S, V and F count: Q has too few beats.
    classes : sequence of str
        Names of rows and columns.

    Returns
    -------
    ndarray, shape (...)
        NaN where S or V never occurs or is never predicted.
    """
    counted = np.array([name in ("N", "S", "V", "F") for name in classes])
    m = np.where(counted[:, None], matrix, 0.0)
    j = np.zeros(m.shape[:-2])
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in ("S", "V"):
            n = list(classes).index(name)
            hit = m[..., n, n]
            j = j + hit / m[..., n, :].sum(-1) + hit / m[..., :, n].sum(-1)
    return kappa(m) / 2 + j / 8


def kappa(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give Cohen's kappa of confusion matrices of shape (..., class, class); NaN where 0/0.

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


def per_class(matrix: ArrayLike, *, classes: Sequence[str]) -> pd.DataFrame:
    """Give sensitivity, positive predictive value, F1 and support of each class.

    Parameters
    ----------
    matrix : array_like, shape (class, class)
        A confusion matrix, row the label. Counts may be means over seeds.
    classes : sequence of str
        Names of rows and columns.

    Returns
    -------
    DataFrame
        `label`, `sensitivity`, `ppv`, `f1`, `support`, `note`: what is not defined and why.

    Examples
    --------
    >>> table = per_class([[8, 2], [1, 9]], classes=["normal", "murmur"])
    >>> table["sensitivity"].tolist()
    [0.8, 0.9]
    """
    m = np.asarray(matrix, dtype=float)
    hit, support, called = np.diag(m), m.sum(1), m.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sensitivity, ppv = hit / support, hit / called
        # F1 from counts is defined where the class is never predicted, unlike the harmonic mean.
        f1 = np.where(support > 0, 2 * hit / (support + called), np.nan)
    notes = np.where(
        support == 0, "no examples in the test part", np.where(called == 0, "never predicted", "")
    )
    return pd.DataFrame(
        {
            "label": list(classes),
            "sensitivity": sensitivity,
            "ppv": ppv,
            "f1": f1,
            "support": support,
            "note": notes,
        }
    )


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
