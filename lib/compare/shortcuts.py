"""The tables of shortcuts: what else the features tell, and scores with permuted labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lib.compare.board import Pools
from lib.compare.runs import MADE_ANEW
from lib.errors import HeldoutError, counted
from lib.files import read_json
from lib.statistics.bootstrap import ALPHA
from lib.statistics.pairwise import holm
from lib.statistics.permutation import mean_of_folds, permutation_p

# The linear model of `lib.shortcuts.permuted`.
RIDGE = "ridge"
PERMUTED = "permuted/{architecture}/permutation-{number}/fold-{fold}/run.json"
# Of fewer ways to deal labels none is rare: p cannot be .05.
FEWEST_WAYS = 20


def shortcut_rows(study: Mapping[str, Any], *, results: str | Path) -> list[dict[str, Any]]:
    """Make a row for each column that a linear model was to tell from the features.

    Raises
    ------
    HeldoutError
        `shortcuts.json` is missing or damaged.
    """
    start = {"study": study["study"], "simulated": study["simulated"]}
    return [start | row for row in _read(study, results)["columns"]]


def permutation_rows(
    study: Mapping[str, Any], pools: Pools, *, results: str | Path
) -> list[dict[str, Any]]:
    """Make a row for each model that was scored with permuted labels, under the honest split.

    That is a linear model, and where the study asks for it each network, trained anew with the
    first seed.

    Raises
    ------
    HeldoutError
        `shortcuts.json` or a run is missing or damaged.
    """
    made = _read(study, results)[RIDGE]
    rows = [_row(study, RIDGE, made["score"], made["permuted"], ways=made["ways"])]
    for name in study["architectures"] if study["permutations"] else ():
        pool, seed = pools[study["primary"], name], int(study["seeds"][0])
        own = [run["metrics"]["test"]["macro_f1"] for run in pool.runs if run["seed"] == seed]
        permuted = [*_permuted(study, name, pool.folds, Path(results))]
        row = _row(study, name, mean_of_folds(own), permuted, ways=made["ways"])
        rows.append(row | {"kind": "network", "seed": seed})
    p = np.array([row["p"] for row in rows], dtype=float)
    # What each would have, had all models beaten all of their permutations.
    least = holm([1 / (1 + row["permutations"]) for row in rows] + 0 * p)
    tests = counted(int(np.isfinite(p).sum()), "test")
    for row, adjusted, low in zip(rows, holm(p), least, strict=True):
        blind = low > ALPHA
        row["p_holm"] = np.nan if blind else adjusted
        if blind and not row["note"]:
            few = f"too few permutations ({row['permutations']})"
            row["note"] = f"{few} for {tests}: no p can be small"
    return rows


def _read(study: Mapping[str, Any], results: str | Path) -> dict[str, Any]:
    path = Path(results) / str(study["study"]) / "shortcuts.json"
    made = read_json(path)
    if not isinstance(made, dict) or not {"columns", RIDGE} <= set(made):
        raise HeldoutError(path, f"columns and {RIDGE}", "others", MADE_ANEW)
    return made


def _permuted(
    study: Mapping[str, Any], architecture: str, folds: int, results: Path
) -> Iterator[float | None]:
    """Read the scores of the networks that were trained on permuted labels."""
    for number in range(1, study["permutations"] + 1):
        each = []
        for fold in range(folds):
            at = {"architecture": architecture, "number": number, "fold": fold}
            run = read_json(results / str(study["study"]) / PERMUTED.format(**at))
            # One that could not be trained has no score, and counts as one that is as high.
            each.append(run.get("metrics", {}).get("test", {}).get("macro_f1"))
        yield mean_of_folds(each)


def _row(
    study: Mapping[str, Any],
    name: str,
    score: float | None,
    permuted: list[float | None],
    *,
    ways: float | None,
) -> dict[str, Any]:
    own, scores = (np.array(one, dtype=float) for one in (score, permuted))
    row: dict[str, Any] = {
        "study": study["study"],
        "simulated": study["simulated"],
        "protocol": study["primary"],
        "architecture": name,
        "kind": "baseline",
        "metric": "macro_f1",
        "score": float(own),
        "permutations": len(scores),
        "p": permutation_p(float(own), scores),
        "note": "" if np.isfinite(own) else "the test part has no macro-F1",
    }
    there = scores[np.isfinite(scores)]
    if len(there):
        low, high = np.quantile(there, [0.025, 0.975])
        row |= {"permuted": there.mean(), "permuted_low": low, "permuted_high": high}
    if ways is not None and ways < FEWEST_WAYS:
        deals = counted(round(ways), "way")
        row["note"] = f"the labels of the groups can be dealt in {deals}: no p can be small"
    return row
