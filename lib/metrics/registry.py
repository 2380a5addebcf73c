"""The metrics of a classifier that gives a probability per class: one entry each.

`evaluate`, the bootstrap, the leaderboard and the page take them from here. A metric that is not
defined for the examples at hand is NaN with a reason, never a stand-in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.metrics import confusion, losses
from lib.metrics.aami import is_aami, jk_index
from lib.metrics.areas import mean_area
from lib.metrics.calibration import expected_calibration_error
from lib.metrics.confusion import Array, ratio
from lib.metrics.sample import Sample, Values, Weighted, make_sample, weigh

MAIN = "macro_f1"
"""The score that answers a study: it chooses networks, is tested and leads tables and pictures."""

NO_EXAMPLES = "there are no examples"
ONE_CLASS = "the examples are all of one class"
UNDEFINED = "not defined for these examples"
FEW_CLASSES = "fewer than two scored classes have an example"

Scores = Callable[[Weighted], Array]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name, label : str
        Its name in tables, and on the page.
    scores : callable
        From a sample with weights of its groups to scores of each resample and seed, shape
        (resample, seed): `of_matrix`, `of_examples` or `of_all`.
    higher_is_better : bool
    macro : bool
        Whether it is a mean over the scored classes: it is then noted which have no example.
    share : bool
        Whether it is a share of examples, which has an exact interval where these are independent.
    reflected : bool
        Whether chance can only raise it, so that its interval is mirrored at the estimate.
    undefined : str
        Why there may be no number though the examples are of several classes.
    applies : callable
        From the scored classes to whether the metric is for them.
    """

    name: str
    label: str
    scores: Scores
    higher_is_better: bool = True
    macro: bool = False
    share: bool = False
    reflected: bool = False
    undefined: str = UNDEFINED
    applies: Callable[[Collection[str]], bool] = lambda scored: True

    def reason(self, sample: Sample) -> str:
        """Say why there is no number of a sample."""
        if not len(sample.truth):
            return NO_EXAMPLES
        return ONE_CLASS if len(set(sample.truth.tolist())) < 2 else self.undefined


def of_matrix(function: Callable[[Array], Array]) -> Scores:
    """Make scores of a function of confusion matrices.

    Parameters
    ----------
    function : callable
        From matrices, shape (..., class, class), row the label, to scores, shape (...).

    Returns
    -------
    callable
        For `Metric`.
    """
    return lambda drawn: function(drawn.matrices)


def of_examples(function: Values) -> Scores:
    """Make scores of a function of single examples: the mean of its values.

    Parameters
    ----------
    function : callable
        From the numbers of the true classes, shape (example,), and probabilities, shape (example,
        class), to values, shape (example,).

    Returns
    -------
    callable
        For `Metric`.
    """

    def scores(drawn: Weighted) -> Array:
        sums = weigh(drawn.sample.sums(function), drawn.weights)
        return ratio(sums[..., 0], sums[..., 1])

    return scores


def of_all(function: Callable[[NDArray[np.int64], Array], float]) -> Scores:
    """Make scores of any function of all examples, which is called anew for every resample.

    Parameters
    ----------
    function : callable
        From the numbers of the true classes, shape (example,), and probabilities, shape (example,
        class), to one number, NaN where it is not defined.

    Returns
    -------
    callable
        For `Metric`.
    """

    def scores(drawn: Weighted) -> Array:
        sample, rows = drawn.sample, np.arange(len(drawn.sample.truth))
        resamples = (np.repeat(rows, some[sample.group].astype(int)) for some in drawn.weights)
        return np.array(
            [[function(sample.truth[k], x[k]) for x in sample.probability] for k in resamples]
        )

    return scores


METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (
    Metric("accuracy", "accuracy", of_examples(losses.right), share=True),
    Metric(
        "balanced_accuracy", "balanced accuracy",
        lambda drawn: confusion.balanced_accuracy(drawn.matrices, drawn.sample.counted),
        macro=True, undefined=FEW_CLASSES,
    ),
    Metric(
        "macro_f1", "macro-F1",
        lambda drawn: confusion.macro_f1(drawn.matrices, drawn.sample.counted),
        macro=True, undefined=FEW_CLASSES,
    ),
    Metric("kappa", "Cohen's κ", of_matrix(confusion.kappa)),
    Metric(
        "mcc", "Matthews correlation", of_matrix(confusion.mcc),
        undefined="only one class is ever predicted",
    ),
    Metric("auroc", "AUROC", mean_area, macro=True),
    Metric("log_loss", "log loss (nats)", of_examples(losses.log_loss), higher_is_better=False),
    Metric("brier", "Brier", of_examples(losses.brier), higher_is_better=False),
    Metric(
        "ece", "calibration error",
        lambda drawn: expected_calibration_error(weigh(drawn.sample.bins, drawn.weights)),
        higher_is_better=False, reflected=True,
    ),
    Metric("mse", "MSE", of_examples(losses.mse), higher_is_better=False),
    Metric("mae", "MAE", of_examples(losses.mae), higher_is_better=False),
    Metric(
        "jk_index", "jκ index",
        lambda drawn: jk_index(drawn.matrices, classes=drawn.sample.classes),
        applies=is_aami,
        undefined="S or V never occurs or is never predicted",
    ),
)}  # fmt: skip
"""In the order of the leaderboard."""


class Score(NamedTuple):
    """A number, and why there is none where it is NaN."""

    value: float
    note: str = ""


def evaluate(
    label: ArrayLike,
    probability: ArrayLike,
    *,
    classes: Sequence[str],
    scored: Sequence[str] | None = None,
) -> dict[str, Score]:
    """Score one set of predictions with every metric.

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
    dict of str to Score
        In the order of `METRICS`, those that apply to the scored classes.

    Raises
    ------
    HeldoutError
        Shapes disagree, a label is unknown, or a probability is not a finite number.

    Examples
    --------
    >>> evaluate(["a", "b"], [[0.9, 0.1], [0.4, 0.6]], classes=["a", "b"])["accuracy"].value
    1.0
    """
    sample = make_sample(label, probability, classes=classes, scored=scored)
    everyone = Weighted(sample, np.ones((1, len(sample.names))))
    metrics = [metric for metric in METRICS.values() if metric.applies(sample.scored)]
    if not len(sample.truth):
        return {metric.name: Score(np.nan, NO_EXAMPLES) for metric in metrics}
    values = {metric: float(metric.scores(everyone)[0, 0]) for metric in metrics}
    return {
        metric.name: Score(value, metric.reason(sample) if np.isnan(value) else "")
        for metric, value in values.items()
    }
