"""Compare all runs: one CSV per table under `results/tables/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.compare.runs import Pool, read_runs
from lib.compare.scores import (
    confusion_rows,
    difference_rows,
    inflation_rows,
    leaderboard_rows,
    per_class_rows,
)
from lib.compare.summary import answer_row, claim_rows, cost_rows, run_rows, trial_rows
from lib.errors import HeldoutError
from lib.files import read_table, write_table

__all__ = ["TABLES", "compare"]

RUN_METRICS = ("loss", "accuracy", "mse", "mae", "macro_f1", "examples")

# The columns are fixed so that a table without rows still says what it would hold.
TABLES: dict[str, list[str]] = {
    "runs": [
        *("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial"),
        *("seed", "fold", "epochs", "best_epoch", "parameters", "model_kb"),
        *(f"{part}_{name}" for part in ("train", "validation", "test") for name in RUN_METRICS),
    ],
    "leaderboard": [
        *("study", "protocol", "honest", "simulated", "architecture", "kind", "unit", "metric"),
        *("estimate", "low", "high", "interval_note", "groups", "examples", "seeds", "folds"),
    ],
    "per_class": [
        *("study", "protocol", "honest", "simulated", "architecture", "kind", "label", "scored"),
        *("sensitivity", "ppv", "f1", "support", "note"),
    ],
    "confusion": [
        *("study", "protocol", "honest", "simulated", "architecture", "kind"),
        *("label", "predicted", "count", "share"),
    ],
    "inflation": [
        *("study", "simulated", "architecture", "kind", "metric", "protocol", "honest"),
        *("honest_low", "honest_high", "random", "random_low", "random_high"),
        *("difference", "low", "high", "note"),
    ],
    "differences": [
        *("study", "protocol", "honest", "simulated", "metric", "a", "b", "difference"),
        *("low", "high", "p", "p_holm", "groups", "note"),
    ],
    "answers": [
        *("study", "simulated", "protocol", "architecture", "validation_macro_f1", "macro_f1"),
        *("low", "high", "interval_note", "random_macro_f1", "baseline", "baseline_macro_f1"),
        *("difference", "difference_low", "difference_high", "p_holm", "beats_baselines"),
        *("networks_that_beat", "groups", "examples", "note"),
    ],
    "claims": [
        *("study", "simulated", "source", "architecture", "split", "protocol", "group_disjoint"),
        *("metric", "value", "test_size", "valid", "our_architecture", "same_split", "same_low"),
        *("same_high", "honest_protocol", "honest", "honest_low", "honest_high", "note"),
    ],
    "trials": ["study", "architecture", "trial", "chosen"],
    "costs": [
        *("study", "protocol", "architecture", "kind", "trial", "seed", "fold", "epochs"),
        *("parameters", "model_kb", "train_seconds", "predict_seconds", "backend", "device"),
    ],
}


def compare(
    studies: Sequence[Mapping[str, Any]],
    *,
    results: str | Path,
    tables: str | Path,
    claims: str | Path,
    seed: int = 0,
    resamples: int = 2000,
) -> dict[str, Path]:
    """Read all runs of the studies and write the tables.

    Parameters
    ----------
    studies : sequence of dict
        Each with `study`, `dataset`, `simulated`, `classes`, `scored`, `primary`, `protocols`,
        `architectures`, `baselines`, `seeds`.
    results : path
        The folder that holds one folder a study.
    tables : path
        Where the tables go.
    claims : path
        What has been published: `resources/claims.csv`.
    seed, resamples : int
        Of the bootstraps: the same seed gives the same bytes.

    Returns
    -------
    dict of str to Path
        Table name to file.

    Raises
    ------
    HeldoutError
        A run is missing or damaged, or does not belong with the others.
    """
    if not studies:
        raise HeldoutError(
            "studies: expected at least one to compare, got none. Name one under `studies` in the "
            "configuration."
        )
    published = read_table(claims, text=("test_size", "note", "protocol"))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    options = {"seed": seed, "resamples": resamples}
    for study in studies:
        pools: dict[tuple[str, str], Pool] = read_runs(study, results=results)
        found = {
            "runs": run_rows(pools),
            "leaderboard": leaderboard_rows(study, pools, **options),
            "per_class": per_class_rows(study, pools),
            "confusion": confusion_rows(pools, study),
            "inflation": inflation_rows(study, pools, **options),
            "differences": difference_rows(study, pools, **options),
            "costs": cost_rows(pools),
            "trials": trial_rows(study, pools, results=results),
        }
        found["answers"] = [answer_row(study, found)]
        found["claims"] = claim_rows(study, found, published)
        for name, some in found.items():
            rows[name].extend(some)
    written = {}
    for name, columns in TABLES.items():
        table = pd.DataFrame(rows[name])
        extra = [column for column in table.columns if column not in columns]
        # A search has whatever hyperparameters it has; no other table may grow unnoticed.
        table = table.reindex(columns=columns + (extra if name == "trials" else []))
        written[name] = Path(tables) / f"{name}.csv"
        write_table(written[name], table)
    return written
