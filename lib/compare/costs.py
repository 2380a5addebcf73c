"""The tables that hold what a clock measured: they are not the same bytes twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.compare.board import Board, Pools
from lib.compare.tables import TABLES
from lib.metrics.registry import MAIN

COSTS = ("parameters", "model_kb", "train_seconds", "predict_seconds")


def cost_rows(pools: Pools) -> list[dict[str, Any]]:
    """Make a row a run with what it cost."""
    rows = []
    for run in (run for pool in pools.values() for run in pool.runs):
        effect: Mapping[str, Any] = run.get("precision_effect") or {}
        changed = (effect.get("test") or {}).get(MAIN)
        own = {name: run.get(name) for name in TABLES["costs"]}
        rows.append(own | {"precision_macro_f1": changed})
    return rows


def pareto_front(quality: ArrayLike, cost: ArrayLike) -> NDArray[np.bool_]:
    """Say which models no other one beats: none is as good and cheaper, or better and as cheap.

    Parameters
    ----------
    quality : array_like, shape (model,)
        More is better.
    cost : array_like, shape (model,)
        Less is better.

    Returns
    -------
    ndarray of bool, shape (model,)
        False where either is NaN.
    """
    q, c = np.asarray(quality, dtype=float), np.asarray(cost, dtype=float)
    no_worse = (q[:, None] >= q) & (c[:, None] <= c)
    better = (q[:, None] > q) | (c[:, None] < c)
    beaten = (no_worse & better).any(0)
    return ~beaten & np.isfinite(q) & np.isfinite(c)


def pareto_rows(study: Mapping[str, Any], board: Board) -> list[dict[str, Any]]:
    """Make a row a network under the honest split: its quality, costs, and on which fronts it is.

    Costs are means over seeds and folds.
    """
    rows = []
    for name in study["architectures"]:
        entry = board[study["primary"], name, "example"]
        costs = {
            cost: float(np.array([run.get(cost) for run in entry.pool.runs], dtype=float).mean())
            for cost in COSTS
        }
        quality = entry.intervals[MAIN].estimate
        rows.append({"study": study["study"], "architecture": name, MAIN: quality, **costs})
    for cost in COSTS:
        front = pareto_front([row[MAIN] for row in rows], [row[cost] for row in rows])
        for row, is_on in zip(rows, front.tolist(), strict=True):
            row[f"front_{cost}"] = is_on
    return rows
