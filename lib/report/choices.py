"""What the page says of choices: by the validation set, and by the test set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.plots.style import display
from lib.report.table import TableView, interval, number, records, tabulate, text


def choices_view(
    study: Mapping[str, Any], *, validation: pd.DataFrame, selection: pd.DataFrame
) -> dict[str, Any]:
    """Collect what the page shows of choices.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    validation, selection : DataFrame
        Its rows of validation.csv and selection.csv.

    Returns
    -------
    dict
        `validation`, the row of the honest split, and the tables `ranks` and `selected`.
    """
    (row,) = records(validation[validation["protocol"] == study["primary"]])
    name = f"{study['study']}-{{}}"
    return {
        "validation": row | {"network": display(str(row["architecture"]))},
        "ranks": _ranks(study, name.format("validation"), validation),
        "selected": _selected(name.format("selection"), selection),
    }


def worst_choice(selection: pd.DataFrame) -> dict[str, Any] | None:
    """Return the choice by the test set that would have raised the score most, if any did."""
    rows = [
        row
        for row in records(selection)
        if row["architecture"] and round(row["reported"] - row["honest_estimate"], 2) > 0
    ]
    return max(rows, key=lambda row: row["reported"], default=None)


def _ranks(study: Mapping[str, Any], name: str, rows: pd.DataFrame) -> TableView:
    return tabulate(
        name,
        "Whether the validation set ranks the runs (a network with one seed) as the test set does: "
        "Spearman's correlation of their macro-F1 with its 95% confidence interval over runs. Then "
        "the run with the best validation score, and how far that lies above its test score, "
        "with a 95% confidence interval over groups that takes the choice as made.",
        {
            "Split": lambda row: text(study["protocols"][row["protocol"]]["title"]),
            "Runs": lambda row: number(row["runs"], digits=0),
            "Rank correlation": lambda row: interval(
                row, names=("rank_correlation", "low", "high"), note=row["interval_note"], sign=True
            ),
            "Best on validation": lambda row: text(
                display(str(row["architecture"])), note=_seed(row)
            ),
            "Validation": lambda row: number(row["validation"]),
            "Test": lambda row: number(row["test"]),
            "Validation − test": lambda row: interval(
                row, names=("gap", "gap_low", "gap_high"), note=row["gap_note"], sign=True
            ),
            "Validation groups": lambda row: number(row["validation_groups"], digits=0),
            "Test groups": lambda row: number(row["test_groups"], digits=0),
        },
        records(rows),
    )


def _selected(name: str, rows: pd.DataFrame) -> TableView:
    return tabulate(
        name,
        "What would be reported if the test set had chosen, which is not honest, beside the "
        "network that validation chose, the mean over seeds. A choice of the epoch or of "
        "hyperparameters is a protocol of its own, trained with the test set for validation. "
        "Corrected for the choice: chosen on groups drawn with replacement, and scored on those "
        "not drawn.",
        {
            "Chosen by the test set": lambda row: text(row["chosen"]),
            "Choices": lambda row: number(row["choices"], digits=0),
            "Macro-F1, honest": lambda row: interval(
                row, names=("honest_estimate", "honest_low", "honest_high")
            ),
            "Chosen": lambda row: text(display(str(row["architecture"])), note=_seed(row)),
            "Reported": lambda row: number(row["reported"], note=row["note"]),
            "Reported − honest": lambda row: interval(
                row, names=("difference", "low", "high"), sign=True
            ),
            "Corrected for the choice": lambda row: interval(
                row, names=("corrected", "corrected_low", "corrected_high")
            ),
        },
        records(rows),
    )


def _seed(row: Mapping[str, Any]) -> str:
    return f"seed {row['seed']:.0f}" if math.isfinite(row["seed"]) else ""
