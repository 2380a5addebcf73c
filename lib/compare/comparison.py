"""Compare all runs: one CSV per table under `results/tables/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.compare.board import Board, score_pools
from lib.compare.costs import cost_rows, pareto_rows
from lib.compare.differences import (
    agreement_rows,
    difference_rows,
    fold_rows,
    inflation_rows,
    letter_rows,
)
from lib.compare.groups import group_mean_rows, group_rows
from lib.compare.leaderboard import (
    aami_rows,
    calibration_rows,
    confusion_rows,
    leaderboard_rows,
    per_class_rows,
)
from lib.compare.ranks import rank_rows
from lib.compare.runs import read_runs
from lib.compare.selection import selection_rows, validation_rows
from lib.compare.shortcuts import permutation_rows, shortcut_rows
from lib.compare.sites import site_rows
from lib.compare.subgroups import subgroup_rows
from lib.compare.summary import answer_row, claim_rows, read_claims, run_rows
from lib.compare.tables import TABLES
from lib.compare.trials import importance_rows, trial_rows
from lib.errors import HeldoutError
from lib.files import write_table
from lib.splits.registry import KINDS


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
        `architectures`, `baselines`, `seeds`, `permutations`.
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
            "studies",
            "at least one to compare",
            "none",
            "Name one under `studies` in the configuration.",
        )
    published = read_claims(claims)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    boards: dict[str, Board] = {}
    options = {"seed": seed, "resamples": resamples}
    for all_of in studies:
        whole = read_runs(all_of, results=results)
        kinds = {name: KINDS[rule["kind"]] for name, rule in all_of["protocols"].items()}
        rules = all_of["protocols"].items()
        study = {**all_of, "protocols": {name: rule for name, rule in rules if kinds[name].answers}}
        pools = {key: pool for key, pool in whole.items() if kinds[key[0]].answers}
        chosen = {key: pool for key, pool in whole.items() if kinds[key[0]].chooses_by_test}
        board = boards[study["study"]] = score_pools(pools, **options)
        made = {
            "runs": run_rows(whole),
            "leaderboard": leaderboard_rows(board),
            "per_class": per_class_rows(board),
            "confusion": confusion_rows(board),
            "aami": aami_rows(board),
            "group_means": group_mean_rows(board),
            "groups": group_rows(board),
            "subgroups": subgroup_rows(study, board, results=results),
            "sites": site_rows(all_of, whole, **options),
            "calibration": calibration_rows(board),
            "inflation": inflation_rows(study, board, **options),
            "differences": difference_rows(study, board, resamples=resamples),
            "folds": fold_rows(study, board),
            "agreement": agreement_rows(study, board, **options),
            "validation": validation_rows(study, board, **options),
            "shortcuts": shortcut_rows(study, results=results),
            "permutations": permutation_rows(study, pools, results=results),
            "trials": trial_rows(study, pools, results=results),
            "costs": cost_rows(whole),
            "pareto": pareto_rows(study, board),
        }
        made["letters"] = letter_rows(study, board, made["differences"])
        made["importance"] = importance_rows(study, made["trials"])
        made["answers"] = [answer_row(study, pools, made)]
        made["selection"] = selection_rows(
            all_of, {**board, **score_pools(chosen, **options)}, made
        )
        made["claims"] = claim_rows(study, made, published)
        for name, some in made.items():
            rows[name].extend(some)
    rows["ranks"] = rank_rows(studies, boards)
    written = {}
    for name, columns in TABLES.items():
        table = pd.DataFrame(rows[name])
        extra = [column for column in table.columns if column not in columns]
        # A search has whatever hyperparameters it has; no other table may grow unnoticed.
        table = table.reindex(columns=columns + (extra if name == "trials" else []))
        written[name] = Path(tables) / f"{name}.csv"
        write_table(written[name], table)
    return written
