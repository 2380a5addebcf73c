"""Predictions to be scored, and their sums by group, which a resample only has to weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.errors import HeldoutError
from lib.metrics.calibration import group_bins
from lib.metrics.confusion import Array, group_matrices

# A probability in float32 may miss 0 or 1 by as much.
ROUNDING = 1e-6

# Of examples: their classes and probabilities to one value each.
Values = Callable[[NDArray[np.int64], Array], Array]


@dataclass(frozen=True)
class Sample:
    """What one or several seeds predicted for the same examples (or recordings).

    Attributes
    ----------
    classes, scored : list of str
        All classes, and those that macro averages count.
    truth, group : ndarray of int, shape (example,)
        Numbers of the true class, and of the group's place in `names`.
    names : list of str
        The groups in alphabetical order.
    probability : ndarray, shape (seed, example, class)
    """

    classes: list[str]
    scored: list[str]
    truth: NDArray[np.int64]
    group: NDArray[np.int64]
    names: list[str]
    probability: Array

    @cached_property
    def counted(self) -> list[int]:
        """Numbers of the scored classes that have an example: macro averages are over these."""
        there = set(self.truth.tolist())
        return [k for k, name in enumerate(self.classes) if name in self.scored and k in there]

    @property
    def missing(self) -> list[str]:
        """Scored classes without an example."""
        return [name for name in self.scored if self.classes.index(name) not in self.counted]

    @property
    def lacking(self) -> str:
        """Which scored classes have no example of those tested on; empty where all have."""
        return f"no test examples of {', '.join(self.missing)}" if self.missing else ""

    @cached_property
    def matrices(self) -> Array:
        """Confusion matrices, shape (seed, group, class, class)."""
        sizes = {"groups": len(self.names), "classes": len(self.classes)}
        return np.stack(
            [group_matrices(self.truth, x.argmax(1), self.group, **sizes) for x in self.probability]
        )

    @cached_property
    def bins(self) -> Array:
        """Sums by bin of confidence, shape (seed, group, bin, 3); see `group_bins`."""
        groups = len(self.names)
        return np.stack(
            [group_bins(self.truth, x, self.group, groups=groups) for x in self.probability]
        )

    def sums(self, values: Values) -> Array:
        """Add up a value of each example, and count examples, shape (seed, group, 2)."""
        groups = len(self.names)
        count = np.bincount(self.group, minlength=groups)
        each = [
            np.bincount(self.group, weights=values(self.truth, x), minlength=groups)
            for x in self.probability
        ]
        return np.stack([np.stack([one, count], axis=-1) for one in each])

    def only(self, rows: NDArray[np.bool_]) -> Sample:
        """Keep some rows, and all groups."""
        return replace(
            self,
            truth=self.truth[rows],
            group=self.group[rows],
            probability=self.probability[:, rows],
        )

    def part(self, rows: NDArray[np.bool_]) -> Sample:
        """Keep some rows, and the groups that these are of."""
        there, number = np.unique(self.group[rows], return_inverse=True)
        names = [self.names[k] for k in there]
        return replace(self.only(rows), group=number, names=names)

    def ensemble(self) -> Sample:
        """Average the probabilities over seeds: what the networks of all seeds answer together."""
        return replace(self, probability=self.probability.mean(axis=0, keepdims=True))

    def per_recording(self, recording: ArrayLike) -> Sample:
        """Average the probabilities of each recording's examples.

        Parameters
        ----------
        recording : array_like of str, shape (example,)
            Where each example is from.

        Returns
        -------
        Sample
            A row a recording, in alphabetical order.

        Raises
        ------
        HeldoutError
            The examples of a recording have different labels: it has no one class.
        """
        import pandas as pd

        names, first, number = np.unique(
            np.asarray(recording, dtype=str), return_index=True, return_inverse=True
        )
        mixed = np.flatnonzero(self.truth != self.truth[first][number])
        if len(mixed):
            name = names[number[mixed[0]]]
            labels = len(set(self.truth[number == number[mixed[0]]].tolist()))
            raise HeldoutError(
                f"recording {name}",
                "one label for all of its examples",
                str(labels),
                "Judge this study by example, not by recording.",
            )
        means = [pd.DataFrame(x).groupby(number).mean().to_numpy() for x in self.probability]
        return replace(
            self, truth=self.truth[first], group=self.group[first], probability=np.stack(means)
        )


@dataclass(frozen=True)
class Weighted:
    """A sample with weights of its groups: what a metric scores.

    Attributes
    ----------
    sample : Sample
    weights : ndarray, shape (resample, group)
        How often each resample holds each group.
    """

    sample: Sample
    weights: Array

    @cached_property
    def matrices(self) -> Array:
        """Confusion matrices, shape (resample, seed, class, class)."""
        return weigh(self.sample.matrices, self.weights)


def are_probabilities(x: Array) -> bool:
    """Say whether numbers are finite and from 0 to 1.

    Parameters
    ----------
    x : ndarray
        Of any shape.

    Returns
    -------
    bool
        What float32 rounds beyond 0 or 1 is not held against them.
    """
    return bool(((x >= -ROUNDING) & (x <= 1 + ROUNDING)).all())


def make_sample(
    label: ArrayLike,
    probability: ArrayLike,
    *,
    classes: Sequence[str],
    scored: Sequence[str] | None = None,
    group: ArrayLike | None = None,
) -> Sample:
    """Check predictions, and number their classes and groups.

    Parameters
    ----------
    label : array_like of str, shape (example,)
        The true classes.
    probability : array_like of float, shape (example, class) or (seed, example, class)
        One probability per class, in the order of `classes`.
    classes : sequence of str
        All classes that the model knows.
    scored : sequence of str, optional
        The classes that macro averages count; all of them by default.
    group : array_like of str, shape (example,), optional
        Whom each example is from; all are of one group by default.

    Returns
    -------
    Sample

    Raises
    ------
    HeldoutError
        Shapes disagree, a label is unknown, or a probability is not a finite number.
    """
    import pandas as pd

    labels, x = np.asarray(label, dtype=object), np.asarray(probability, dtype=np.float64)
    x = x[None] if x.ndim == 2 else x
    shape = (len(labels), len(classes))
    if x.ndim != 3 or x.shape[1:] != shape:
        raise HeldoutError(
            "probabilities",
            f"shape {shape}, one row a label and one column a class",
            str(x.shape[1:] if x.ndim == 3 else x.shape),
            "Pass the labels and probabilities of the same examples.",
        )
    if not are_probabilities(x):
        raise HeldoutError(
            "probabilities",
            "finite numbers between 0 and 1",
            "others (NaN, or out of range)",
            "Train the model again with a lower learning rate.",
        )
    truth = pd.Index(classes).get_indexer(pd.Index(labels, dtype=object))
    unknown = sorted({str(name) for name in labels[truth < 0]})
    if unknown:
        raise HeldoutError(
            f"labels {', '.join(unknown)}",
            f"one of the classes {', '.join(classes)}",
            advice="Make the predictions anew with the classes of the study.",
        )
    of = np.zeros(len(labels), dtype=int) if group is None else np.asarray(group)
    names, number = np.unique(of.astype(str), return_inverse=True)
    return Sample([*classes], [*(scored or classes)], truth, number, names.tolist(), x)


def weigh(statistics: ArrayLike, weights: Array) -> Array:
    """Add up the groups of every resample.

    Parameters
    ----------
    statistics : array_like, shape (seed, group, ...)
        Sufficient statistics, folds added up: a confusion matrix, or sums and a count.
    weights : ndarray, shape (resample, group)
        How often each resample holds each group.

    Returns
    -------
    ndarray, shape (resample, seed, ...)

    Raises
    ------
    HeldoutError
        The statistics are not (seed, group, ...) with at least one of each, or have other groups
        than the weights.
    """
    x = np.asarray(statistics, dtype=float)
    if x.ndim < 3 or 0 in x.shape[:2]:
        raise HeldoutError(
            "group statistics",
            "shape (seed, group, ...) with at least one seed and one group",
            str(x.shape),
            "Pass the predictions of at least one run and one group.",
        )
    if weights.shape[1] != x.shape[1]:
        raise HeldoutError(
            "group statistics",
            f"the {weights.shape[1]} groups of the weights",
            str(x.shape[1]),
            "Draw the weights from the names of these groups.",
        )
    return np.tensordot(weights, x, axes=(1, 1))
