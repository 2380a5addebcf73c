"""Every metric of every pool in the same resamples of groups: what most tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.compare.runs import Pool
from lib.metrics.registry import METRICS, Metric
from lib.metrics.sample import Sample
from lib.statistics.bootstrap import (
    Interval,
    Resampled,
    draw_weights,
    exact_share,
    interval,
    resampled,
)

Pools = Mapping[tuple[str, str], Pool]

# What is tested between architectures, and what the inflation is shown for.
COMPARED = ("macro_f1", "accuracy")


@dataclass(frozen=True)
class Entry:
    """One pool in one unit (example or recording), scored.

    Attributes
    ----------
    pool : Pool
    sample : Sample
        Its rows are examples, or recordings.
    weights : ndarray, shape (1 + resample, group)
        The same for all pools of a protocol, so that differences are paired by group.
    scores : dict of str to Resampled
        Of each metric; NaN where it is not defined.
    intervals : dict of str to Interval
        Of each metric.
    """

    pool: Pool
    sample: Sample
    weights: NDArray[np.float64]
    scores: dict[str, Resampled]
    intervals: dict[str, Interval]


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
        board[protocol, architecture, "example"] = _entry(pool, pool.test, drawn[protocol])
        if _has_recordings(pool):
            by_recording = pool.test.per_recording(pool.recording)
            board[protocol, architecture, "recording"] = _entry(pool, by_recording, drawn[protocol])
    return board


def _has_recordings(pool: Pool) -> bool:
    """Say whether recordings are another view: several examples each, of one class."""
    recordings = len(set(pool.recording))
    of_class = len(set(zip(pool.recording, pool.test.truth.tolist(), strict=True)))
    return recordings == of_class < len(pool.recording)


def score(metric: str, sample: Sample, weights: NDArray[np.float64]) -> Resampled:
    """Score a sample and every resample of its groups, means over seeds."""
    return resampled(METRICS[metric].scores(sample, weights), len(sample.names))


def compared_scores(sample: Sample, weights: NDArray[np.float64]) -> dict[str, Resampled]:
    """Score what is tested between models."""
    return {metric: score(metric, sample, weights) for metric in COMPARED}


def _entry(pool: Pool, sample: Sample, weights: NDArray[np.float64]) -> Entry:
    metrics = [metric for metric in METRICS.values() if metric.applies(pool.scored)]
    scores = {metric.name: score(metric.name, sample, weights) for metric in metrics}
    intervals = {metric.name: _interval(metric, sample, scores[metric.name]) for metric in metrics}
    return Entry(pool, sample, weights, scores, intervals)


def _interval(metric: Metric, sample: Sample, value: Resampled) -> Interval:
    # One seed without a value makes the mean NaN: it would be one over other runs than it says.
    if np.isnan(value.estimate):
        return Interval(np.nan, np.nan, np.nan, value.groups, metric.reason(sample))
    exact = None
    if metric.share and (np.bincount(sample.group) == 1).all():
        # Of each group alone.
        right = metric.scores(sample, np.eye(value.groups)).T
        one = np.ones_like(right)
        exact = exact_share(right, one, examples=one, estimate=value.estimate)
    return exact or interval(value, reflected=metric.reflected)


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
