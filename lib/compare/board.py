"""Every metric of every pool in the same resamples of groups: what most tables are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.compare.runs import Pool
from lib.metrics.registry import MAIN, METRICS
from lib.metrics.sample import Sample, Weighted
from lib.statistics.bootstrap import (
    EXACT,
    Interval,
    Resampled,
    draw_weights,
    exact_interval,
    interval,
    resampled,
)

Pools = Mapping[tuple[str, str], Pool]

# What is tested between architectures, and what the inflation is shown for.
COMPARED = (MAIN, "accuracy")


@dataclass(frozen=True)
class Entry:
    """One pool in one unit (example or recording), scored.

    Attributes
    ----------
    pool : Pool
    drawn : Weighted
        The rows of its sample are examples, or recordings. Its weights, shape (1 + resample,
        group), are the same for all pools of a protocol: differences are paired by group.
    scores : dict of str to Resampled
        Of each metric; NaN where it is not defined.
    intervals : dict of str to Interval
        Of each metric.
    ensemble : dict of str to Interval
        Of each metric for the mean probability over seeds (Hansen and Salamon 1990); empty where
        there is one seed.
    """

    pool: Pool
    drawn: Weighted
    scores: dict[str, Resampled]
    intervals: dict[str, Interval]
    ensemble: dict[str, Interval]

    @property
    def sample(self) -> Sample:
        """What was scored."""
        return self.drawn.sample

    @cached_property
    def fold_scores(self) -> dict[str, NDArray[np.float64]]:
        """What is compared, by example in each fold: means over seeds, NaN where not defined."""
        folds = self.pool.fold
        # The first row of the weights is all groups.
        samples = [
            Weighted(self.sample.only(folds == fold), self.drawn.weights[:1])
            for fold in np.unique(folds)
        ]
        return {
            name: np.array([METRICS[name].scores(one).mean() for one in samples])
            for name in COMPARED
        }


# By protocol, architecture and unit.
Board = dict[tuple[str, str, str], Entry]


def score_pools(pools: Pools, *, seed: int, resamples: int) -> Board:
    """Score every pool by example and, where that is another view, by recording.

    Returns
    -------
    dict of (protocol, architecture, unit) to Entry
        In the order of the pools.
    """
    drawn: dict[str, NDArray[np.float64]] = {}
    board: Board = {}
    for (protocol, architecture), pool in pools.items():
        if protocol not in drawn:
            drawn[protocol] = draw_weights(pool.test.names, resamples=resamples, seed=seed)
        board[protocol, architecture, "example"] = _entry(
            pool, Weighted(pool.test, drawn[protocol])
        )
        if _has_recordings(pool):
            by_recording = Weighted(pool.test.per_recording(pool.recording), drawn[protocol])
            board[protocol, architecture, "recording"] = _entry(pool, by_recording)
    return board


def _has_recordings(pool: Pool) -> bool:
    """Say whether recordings are another view: several examples each, of one class."""
    recordings = len(set(pool.recording))
    of_class = len(set(zip(pool.recording, pool.test.truth.tolist(), strict=True)))
    return recordings == of_class < len(pool.recording)


def score(metric: str, drawn: Weighted) -> Resampled:
    """Score a sample and every resample of its groups, means over seeds."""
    return resampled(METRICS[metric].scores(drawn), len(drawn.sample.names))


def compared_scores(drawn: Weighted) -> dict[str, Resampled]:
    """Score what is tested between models."""
    return {metric: score(metric, drawn) for metric in COMPARED}


def _entry(pool: Pool, drawn: Weighted) -> Entry:
    metrics = [metric for metric in METRICS.values() if metric.applies(pool.scored)]
    scores = {metric.name: score(metric.name, drawn) for metric in metrics}

    def intervals(weighted: Weighted, of: dict[str, Resampled]) -> dict[str, Interval]:
        return {
            one.name: score_interval(one.name, weighted.sample, of[one.name]) for one in metrics
        }

    ensemble: dict[str, Interval] = {}
    if len(drawn.sample.probability) > 1:
        together = Weighted(drawn.sample.ensemble(), drawn.weights)
        ensemble = intervals(together, {one.name: score(one.name, together) for one in metrics})
    return Entry(pool, drawn, scores, intervals(drawn, scores), ensemble)


def score_interval(name: str, sample: Sample, value: Resampled) -> Interval:
    """Give a score its interval: the exact one where each group is one example, or why none."""
    metric = METRICS[name]
    # One seed without a value makes the mean NaN: it would be one over other runs than it says.
    if np.isnan(value.estimate):
        return Interval(np.nan, np.nan, np.nan, value.groups, metric.reason(sample))
    if metric.share and (np.bincount(sample.group) == 1).all():
        # Every group is one example. The mean over seeds is of whole numbers of them.
        runs = len(sample.probability)
        right = round(value.estimate * value.groups * runs) / runs
        return Interval(value.estimate, *exact_interval(right, value.groups), value.groups, EXACT)
    return interval(value, reflected=metric.reflected)


def of_examples(board: Board) -> Iterator[Entry]:
    """List what was scored by example, not by recording."""
    return (entry for (_, _, unit), entry in board.items() if unit == "example")


def keys(pool: Pool) -> dict[str, Any]:
    """Name the columns that say which pool a row is about, with their values."""
    names = ("study", "protocol", "honest", "simulated", "architecture", "kind")
    return {name: getattr(pool, name) for name in names}


def ends(name: str, one: Interval, *, prefix: str | None = None) -> dict[str, float]:
    """Name the columns of a number and the ends of its interval, with their values."""
    start = f"{name}_" if prefix is None else prefix
    return {name: one.estimate, f"{start}low": one.low, f"{start}high": one.high}


def joined(notes: Sequence[str]) -> str:
    """Join what is to be said of a number, each thing once."""
    return "; ".join(dict.fromkeys(note for note in notes if note))
