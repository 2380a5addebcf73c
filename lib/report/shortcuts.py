"""What the page says of shortcuts: what else features tell, and scores with permuted labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.boards import model
from lib.report.table import TableView, interval, number, records, seconds, tabulate, text
from lib.statistics.bootstrap import ALPHA

_WORDS = {"rate": "sampling rate", "format": "file format", "channels": "number of channels"}

# Cohen (1988) calls an association of .3 medium.
GOES_WITH = 0.3


def shortcuts_view(
    study: Mapping[str, Any],
    *,
    shortcuts: pd.DataFrame,
    permutations: pd.DataFrame,
    costs: pd.DataFrame,
) -> dict[str, Any]:
    """Collect what the page shows of shortcuts.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    shortcuts, permutations, costs : DataFrame
        Its rows of shortcuts.csv, permutations.csv and costs.csv.

    Returns
    -------
    dict
        `told`, the rows of shortcuts.csv whose interval lies above chance, the highest first;
        `untested`, those that have a score without an interval; `risky`, those of `told` that go
        with the class; `models`, the rows of permutations.csv, with `name` and `above`, whether
        the score is above chance; `cost`, what it takes to have the networks among them, where
        they are not; and the tables `columns` and `permuted`.
    """
    rows = [row | {"what": _WORDS.get(row["column"], row["column"])} for row in records(shortcuts)]
    told = [row for row in rows if row["low"] > row["chance"]]
    told.sort(key=lambda row: row["score"] - row["chance"], reverse=True)
    models = [
        row | {"name": display(str(row["architecture"])), "above": row["p_holm"] <= ALPHA}
        for row in records(permutations)
    ]
    return {
        "told": told,
        "untested": [r for r in rows if math.isfinite(r["score"]) and math.isnan(r["low"])],
        "risky": [row for row in told if row["association"] >= GOES_WITH],
        "predicted": any(math.isfinite(row["score"]) for row in rows),
        "models": models,
        "cost": None if study["permutations"] else _cost(study, costs),
        "columns": _columns(f"{study['study']}-shortcuts", rows),
        "permuted": _permuted(f"{study['study']}-permutations", records(permutations)),
    }


def _cost(study: Mapping[str, Any], costs: pd.DataFrame) -> dict[str, Any]:
    """Say how long it would take to train the networks on permuted labels."""
    own = costs[(costs["protocol"] == study["primary"]) & (costs["kind"] == "network")]
    each = own.groupby(["architecture", "fold"])["train_seconds"].mean().sum()
    # With fewer no p could be .05 after Holm's adjustment for the networks and the linear model.
    enough = round((len(study["architectures"]) + 1) / ALPHA) - 1
    return {"permutations": enough, "seconds": seconds(float(each) * enough)}


def _columns(name: str, rows: list[dict[str, Any]]) -> TableView:
    return tabulate(
        name,
        "What a linear model (ridge regression on statistics of each channel, and the context) "
        "tells from the features of an example beside the class, as balanced accuracy with 95% "
        "confidence intervals over groups: of groups that it was not trained on; the group itself, "
        "from other examples of the same group. The last column says how far it goes with the "
        "class, as Cramér's V from 0 to 1.",
        {
            "What": lambda row: text(row["what"]),
            "Values": lambda row: number(row["values"], digits=0),
            "Groups": lambda row: number(row["groups"], digits=0),
            "Examples": lambda row: number(row["examples"], digits=0),
            "Balanced accuracy": lambda row: interval(
                row,
                names=("score", "low", "high"),
                note="; ".join(part for part in (row["interval_note"], row["note"]) if part),
            ),
            "Chance": lambda row: number(row["chance"]),
            "Goes with the class": lambda row: number(row["association"]),
        },
        rows,
    )


def _permuted(name: str, rows: list[dict[str, Any]]) -> TableView:
    return tabulate(
        name,
        "Macro-F1 on the honest test set, and of the same model trained and tested on labels dealt "
        "anew: between groups of one label, with their places in the split, and within all others. "
        "The range holds 95% of them. p counts those that are at least as high as the score, "
        "(k + 1) / (n + 1), and is then adjusted for the models of this table by Holm's method. "
        "Networks are trained with the first seed.",
        {
            "Model": model,
            "Macro-F1": lambda row: number(row["score"], note=row["note"]),
            "Dealt anew": lambda row: interval(
                row, names=("permuted", "permuted_low", "permuted_high")
            ),
            "Times": lambda row: number(row["permutations"], digits=0),
            "p": lambda row: number(row["p"]),
            "p adjusted": lambda row: number(row["p_holm"]),
        },
        rows,
    )
