"""The tables of one study that are about hyperparameters: chosen, tried, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.table import Cell, TableView, number, records, text

# More rows than this of a search are not read by anybody; the CSV has them all.
MOST_TRIALS = 200

SCORES = ("val_loss", "val_accuracy", "val_macro_f1")
ABOUT_THE_TRIAL = ("epochs", "best_epoch", "state", "reason")


def chosen(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Give the hyperparameters of each architecture that were trained under every split."""
    some = _filled(table[_is_chosen(table)]) if len(table) else table
    if some.empty:
        return None
    skip = {"study", "architecture", "trial", "chosen", *SCORES, *ABOUT_THE_TRIAL}
    settings = [name for name in some.columns if name not in skip]
    rows = [
        [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            *(_setting(row[name]) for name in settings),
        ]
        for row in records(some)
    ]
    return TableView(
        f"{study['study']}-hyperparameters",
        "Hyperparameters of the final runs, the same under every split.",
        ["Model", *(name.replace("_", " ") for name in settings)],
        rows,
    )


def trials(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Give every trial of every search, the best of each architecture first."""
    if table.empty:
        return None
    table = _filled(table)
    scores = [name for name in SCORES if name in table.columns]
    settings = [
        name
        for name in table.columns
        if name not in {"study", "architecture", "trial", "chosen", *scores}
    ]
    if "val_loss" in scores:
        # By what the search chooses by, so that the chosen trial stands first.
        table = table.sort_values(["architecture", "val_loss"], kind="stable")
    rows = []
    for row in records(table.head(MOST_TRIALS)):
        first = str(row["chosen"]).lower() == "true"
        cells = [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            text(row["trial"], note="chosen" if first else "", tone="chosen" if first else ""),
            *(number(row[score]) for score in scores),
            *(_setting(row[name]) for name in settings),
        ]
        rows.append(cells)
    heads = [name.replace("val_", "").replace("_", " ") + " (validation)" for name in scores]
    return TableView(
        f"{study['study']}-trials",
        "Every trial of the search, which saw the train and validation parts of the honest split "
        "alone"
        + (f"; the first {MOST_TRIALS} of {len(table)}." if len(table) > MOST_TRIALS else ".")
        + "".join(
            f" The search of {display(name)} was shared by {workers} workers: it is not "
            "deterministic, and the same search again may choose another trial."
            for name, workers in study["shared_searches"].items()
        ),
        ["Model", "Trial", *heads, *(name.replace("_", " ") for name in settings)],
        rows,
        filters=(0,),
    )


def importance(study: Mapping[str, Any], table: pd.DataFrame) -> TableView | None:
    """Give what share of the spread between trials each hyperparameter explains.

    None where nothing was searched.
    """
    table = table[pd.to_numeric(table["trials"]) > 0]
    if table.empty:
        return None
    rows = [
        [
            text(display(row["architecture"]), tone=str(row["architecture"])),
            text(str(row["hyperparameter"]).replace("_", " ")),
            number(row["importance"], note=str(row["note"])),
            number(row["trials"], digits=0),
        ]
        for row in records(table)
    ]
    return TableView(
        f"{study['study']}-importance",
        "Which hyperparameters mattered: the share of the spread of the validation loss between "
        "trials that each explains.",
        ["Model", "Hyperparameter", "Importance", "Trials"],
        rows,
    )


def _is_chosen(table: pd.DataFrame) -> pd.Series:
    return table["chosen"].astype(str).str.lower() == "true"


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Drop a column that no trial of this study fills: it belongs to another study's search."""
    table = table.dropna(axis=1, how="all")
    return table[[c for c in table.columns if (table[c].astype(str) != "").any()]]


def _setting(value: Any) -> Cell:
    if str(value) in ("True", "False"):
        return text("yes" if str(value) == "True" else "no")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        return Cell(f"{value:g}", repr(value), numeric=True)
    return text(value)
