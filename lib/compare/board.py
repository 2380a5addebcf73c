"""Every metric of every pool in the same resamples of groups: what most tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.compare.runs import Pool, Predictions
from lib.metrics.aami import is_aami
from lib.metrics.calibration import calibration_gaps
from lib.metrics.registry import evaluate, losses, per_recording, positions
from lib.statistics import sums
from lib.statistics.bootstrap import (
    Interval,
    Resampled,
    draw_weights,
    exact_share,
    interval,
    resample,
)

Pools = Mapping[tuple[str, str], Pool]

# What is tested between architectures, and what the inflation is shown for.
COMPARED = ("macro_f1", "accuracy")

LOSSES = ("log_loss", "brier", "mse", "mae")

# They count the scored classes alone, so that a class without an example changes what they mean.
OF_SCORED = ("macro_f1", "balanced_accuracy", "auroc")


@dataclass(frozen=True)
class Sample:
    """Predictions whose rows are examples, or recordings, and whose groups are numbered.

    Attributes
    ----------
    classes, scored : list of str
        Of the study.
    truth, group, fold : ndarray of int, shape (row,)
        Numbers of the class, of the group's place in `names`, and of the fold.
    names : list of str
        The groups in alphabetical order.
    probability : list of ndarray, shape (row, class)
        One a seed.
    """

    classes: list[str]
    scored: list[str]
    truth: NDArray[np.int64]
    group: NDArray[np.int64]
    fold: NDArray[np.int64]
    names: list[str]
    probability: list[NDArray[np.float64]]

    @cached_property
    def matrices(self) -> NDArray[np.float64]:
        """Confusion matrices, shape (seed, group, class, class)."""
        return np.stack(
            [
                sums.group_matrices(
                    self.truth,
                    x.argmax(1),
                    self.group,
                    groups=len(self.names),
                    classes=len(self.classes),
                )
                for x in self.probability
            ]
        )

    @cached_property
    def counted(self) -> list[int]:
        """Numbers of the scored classes that have an example."""
        there = set(self.truth.tolist())
        return [k for k, name in enumerate(self.classes) if name in self.scored and k in there]

    def of_fold(self, fold: int) -> Sample:
        """Give the rows of one fold, with the same groups."""
        keep = self.fold == fold
        return Sample(
            self.classes,
            self.scored,
            self.truth[keep],
            self.group[keep],
            self.fold[keep],
            self.names,
            [x[keep] for x in self.probability],
        )


def sample(pool: Pool, part: Predictions) -> Sample:
    """Give the predictions of a part by example."""
    names, group = np.unique(part.group.astype(str), return_inverse=True)
    return Sample(
        pool.classes,
        pool.scored,
        part.truth,
        group,
        part.fold,
        names.tolist(),
        list(part.probability.values()),
    )


def by_recording(pool: Pool, part: Predictions) -> Sample | None:
    """Give the predictions by recording, its mean probability; None where that is no other view.

    A recording with one example is that example; one with beats of several classes has no class of
    its own.
    """
    table = pd.DataFrame(
        {
            "recording": part.recording,
            "group": part.group,
            "label": np.array(pool.classes, dtype=object)[part.truth],
        }
    )
    by = table.groupby("recording")["label"]
    if not len(table) or by.size().max() < 2 or by.nunique().max() > 1:
        return None
    averaged = [
        per_recording(
            pd.concat([table, pd.DataFrame(x, columns=pool.classes)], axis=1), classes=pool.classes
        )
        for x in part.probability.values()
    ]
    first = averaged[0]
    names, group = np.unique(first["group"].astype(str), return_inverse=True)
    return Sample(
        pool.classes,
        pool.scored,
        positions(first["label"], pool.classes),
        group,
        np.zeros(len(first), dtype=np.int64),
        names.tolist(),
        [one[pool.classes].to_numpy() for one in averaged],
    )


@dataclass(frozen=True)
class Entry:
    """One pool in one unit (example or recording), scored.

    Attributes
    ----------
    pool : Pool
    unit : str
    sample : Sample
    weights : ndarray, shape (resample, group)
        The same for all pools of a protocol, so that differences are paired by group.
    resampled : dict of str to Resampled
        Those of the metrics that are defined.
    intervals : dict of str to Interval
        Every metric.
    """

    pool: Pool
    unit: str
    sample: Sample
    weights: NDArray[np.float64]
    resampled: dict[str, Resampled]
    intervals: dict[str, Interval]

    def resamples_of(self, metric: str) -> Resampled:
        """Give a metric's resamples; NaN alone where the metric is not defined."""
        nothing = Resampled(np.nan, np.full(len(self.weights), np.nan), len(self.sample.names))
        return self.resampled.get(metric, nothing)


Board = dict[tuple[str, str, str], Entry]


def score_pools(pools: Pools, *, seed: int, resamples: int) -> Board:
    """Score every pool by example and, where that is another view, by recording.

    Returns
    -------
    dict of (protocol, architecture, unit) to Entry
        In the order of the pools.
    """
    drawn: dict[tuple[str, str], NDArray[np.float64]] = {}
    board: Board = {}
    for (protocol, architecture), pool in pools.items():
        views = {"example": sample(pool, pool.test), "recording": by_recording(pool, pool.test)}
        for unit, view in views.items():
            if view is None:
                continue
            if (protocol, unit) not in drawn:
                drawn[protocol, unit] = draw_weights(view.names, resamples=resamples, seed=seed)
            board[protocol, architecture, unit] = _entry(pool, unit, view, drawn[protocol, unit])
    return board


def compared_scores(view: Sample) -> dict[str, sums.Score]:
    """Give the scores of confusion matrices that are tested, as far as they are defined."""
    found: dict[str, sums.Score] = {"accuracy": sums.accuracy_score}
    if len(view.counted) > 1:
        found["macro_f1"] = sums.macro_f1_score(view.counted)
    return found


def _entry(pool: Pool, unit: str, view: Sample, weights: NDArray[np.float64]) -> Entry:
    of_matrices = compared_scores(view) | {
        "balanced_accuracy": sums.balanced_accuracy_score(view.counted),
        "kappa": sums.kappa_score,
        "mcc": sums.mcc_score,
    }
    label = np.array(pool.classes, dtype=object)[view.truth]
    points = [
        {
            name: (metric.value, metric.note)
            for name, metric in evaluate(label, x, classes=pool.classes, scored=pool.scored).items()
        }
        for x in view.probability
    ]
    if is_aami(pool.scored):
        of_matrices["jk_index"] = sums.jk_score(pool.classes)
        for point, matrix in zip(points, view.matrices.sum(1), strict=True):
            value = float(of_matrices["jk_index"](matrix))
            why = "S or V never occurs or is never predicted" if np.isnan(value) else ""
            point["jk_index"] = (value, why)
    found = resample(view.matrices, of_matrices, weights)
    found |= resample(
        _loss_sums(view), {n: sums.mean_score(k) for k, n in enumerate(LOSSES)}, weights
    )
    found |= resample(_gap_sums(view), {"ece": sums.calibration_score}, weights)
    found |= {"auroc": resampled_area(view, weights)}
    resampled, intervals = {}, {}
    for metric in points[0]:
        note = next((point[metric][1] for point in points if point[metric][1]), "")
        if note:
            # One seed without a value would make the mean one over other runs than it says.
            intervals[metric] = Interval(np.nan, np.nan, np.nan, len(view.names), note)
            continue
        estimate = float(np.mean([point[metric][0] for point in points]))
        resampled[metric] = found[metric]._replace(estimate=estimate)
        intervals[metric] = interval(resampled[metric], reflected=metric == "ece")
    if "accuracy" in resampled:
        every = view.matrices.sum((2, 3))
        right = np.trace(view.matrices, axis1=2, axis2=3)
        exact = exact_share(right, every, examples=every, estimate=resampled["accuracy"].estimate)
        intervals["accuracy"] = exact or intervals["accuracy"]
    return Entry(pool, unit, view, weights, resampled, intervals)


def _loss_sums(view: Sample) -> NDArray[np.float64]:
    """Give sums of the losses and counts, shape (seed, group, loss + 1)."""
    each = [losses(view.truth, x) for x in view.probability]
    return np.stack(
        [
            sums.group_sums(
                np.stack([one[name] for name in LOSSES], axis=-1),
                view.group,
                groups=len(view.names),
            )
            for one in each
        ]
    )


def _gap_sums(view: Sample) -> NDArray[np.float64]:
    """Give sums of right − confidence by bin and counts, shape (seed, group, bin + 1)."""
    return np.stack(
        [
            sums.group_sums(calibration_gaps(view.truth, x), view.group, groups=len(view.names))
            for x in view.probability
        ]
    )


def resampled_area(view: Sample, weights: NDArray[np.float64]) -> Resampled:
    """Give the area under the ROC, the mean over the scored classes, each against the rest."""
    groups = len(view.names)
    whole, draws = [], []
    for x in view.probability:
        for k in view.counted:
            areas = sums.group_areas(view.truth == k, x[:, k], view.group, groups=groups)
            whole.append(float(sums.weighted_area(areas, np.ones((1, groups)))[0]))
            draws.append(sums.weighted_area(areas, weights))
    if not whole:
        return Resampled(np.nan, np.full(len(weights), np.nan), groups)
    return Resampled(float(np.mean(whole)), np.mean(draws, axis=0), groups)


def keys(pool: Pool) -> dict[str, Any]:
    """Give the columns that say which pool a row is about."""
    names = ("study", "protocol", "honest", "simulated", "architecture", "kind")
    return {name: getattr(pool, name) for name in names}


def joined(notes: Sequence[str]) -> str:
    """Join what is to be said of a number, each thing once."""
    return "; ".join(dict.fromkeys(note for note in notes if note))


def missing_classes(view: Sample) -> str:
    """Say which scored classes have no example."""
    gone = [n for n in view.scored if view.classes.index(n) not in view.counted]
    return f"no test examples of {', '.join(gone)}" if gone else ""
