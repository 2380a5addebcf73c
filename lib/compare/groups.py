"""The tables of groups: the scores of each, their mean, and what the score is without one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.compare.board import COMPARED, Board, Entry, ends, joined, keys, of_examples
from lib.metrics.groups import class_counts, group_scores, scores_without
from lib.metrics.registry import MAIN
from lib.statistics.bootstrap import SMALLEST_SPREAD, interval, mean_over_groups

SINGLE = "each group is one example: the mean over groups is the score of all examples"

NO_GROUP = "no group has two scored classes"


def group_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, network and group: its scores, and those of all without it.

    They are means over seeds. A single group has no interval over groups.
    """
    rows = []
    for entry in of_examples(board):
        if entry.pool.kind != "network":
            continue
        own, rest = _means(group_scores(entry.sample)), _means(scores_without(entry.sample))
        counts = class_counts(entry.sample)
        for g, name in enumerate(entry.sample.names):
            rows.append(
                {
                    **keys(entry.pool),
                    "group": name,
                    "examples": int(counts[g].sum()),
                    **{metric: own[metric][g] for metric in COMPARED},
                    **{f"{metric}_without": rest[metric][g] for metric in COMPARED},
                    "note": joined([_few_classes(own, g), _alone(entry, counts, g)]),
                }
            )
    return rows


def _few_classes(own: dict[str, NDArray[np.float64]], g: int) -> str:
    return "fewer than two scored classes: no macro-F1" if np.isnan(own[MAIN][g]) else ""


def _alone(entry: Entry, counts: NDArray[np.int64], g: int) -> str:
    """Name the scored classes that no other group has."""
    sample = entry.sample
    others = counts.sum(0) - counts[g]
    gone = [sample.classes[k] for k in sample.counted if not others[k]]
    return f"no other group has test examples of {', '.join(gone)}" if gone else ""


def group_mean_rows(board: Board) -> list[dict[str, Any]]:
    """Make a row per protocol, model and metric: the mean over groups, and the largest influence.

    The most influential group is the one without which the score of all examples changes most.
    """
    rows = []
    for entry in of_examples(board):
        sample = entry.sample
        each, rest = group_scores(sample), _means(scores_without(sample))
        single = bool((np.bincount(sample.group) == 1).all())
        for metric in COMPARED:
            pooled = entry.intervals[metric]
            mean = interval(mean_over_groups(each[metric], entry.drawn.weights))
            if single and metric == "accuracy":
                # The exact interval, where the score of all examples has it.
                mean = pooled
            own = each[metric].mean(0)
            without = len(own) - int(np.isfinite(own).sum())
            lacking = f"{without} of {len(own)} groups have fewer than two scored classes"
            row = {
                **keys(entry.pool),
                "metric": metric,
                **ends("estimate", pooled, prefix=""),
                **ends("mean", mean),
                "interval_note": mean.note if without < len(own) else NO_GROUP,
                "groups": len(own) - without,
                "note": joined(
                    [
                        SINGLE if single and metric == "accuracy" else "",
                        lacking if 0 < without < len(own) else "",
                    ]
                ),
            }
            if without < len(own):
                lowest = int(np.nanargmin(own))
                row |= {"lowest": own[lowest], "lowest_group": sample.names[lowest]}
            change = np.abs(rest[metric] - pooled.estimate)
            if np.isfinite(change).any() and np.nanmax(change) > SMALLEST_SPREAD:
                most = int(np.nanargmax(change))
                row |= {"influential": sample.names[most], "without": rest[metric][most]}
            rows.append(row)
    return rows


def _means(scores: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Average over seeds."""
    return {metric: values.mean(0) for metric, values in scores.items()}
