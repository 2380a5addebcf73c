"""What the page says of single groups: their scores, their influence, and who holds a class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.compare.subgroups import UNKNOWN
from lib.metrics.registry import MAIN
from lib.plots.style import display
from lib.report.boards import model
from lib.report.names import metric_name
from lib.report.table import TableView, interval, number, records, tabulate, text

# As many rows as the page shows; groups.csv has all.
MOST_GROUPS = 25


def held_by_one(study: Mapping[str, Any], per_class: pd.DataFrame) -> list[dict[str, Any]]:
    """List the scored classes of which one group has more than half of the test examples.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    per_class : DataFrame
        Its rows of per_class.csv.

    Returns
    -------
    list of dict
        `label`, `group`, and `share`, 0 to 1, under the honest split.
    """
    some = per_class[(per_class["protocol"] == study["primary"]) & (per_class["unit"] == "example")]
    return [
        {"label": row["label"], "group": row["largest_group"], "share": row["largest_share"]}
        for row in records(some.drop_duplicates("label"))
        if row["largest_share"] > 0.5 and str(row["scored"]).lower() == "true"
    ]


def groups_view(
    study: Mapping[str, Any], *, means: pd.DataFrame, groups: pd.DataFrame, best: str
) -> dict[str, Any]:
    """Collect what the page shows of the groups of the honest test part.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    means, groups : DataFrame
        Its rows of group_means.csv and groups.csv.
    best : str
        The network chosen on validation.

    Returns
    -------
    dict
        `network`; `mean` and `influence`, the rows of group_means.csv that its sentences are made
        of; and the tables `means` and `table`.
    """
    means = means[means["protocol"] == study["primary"]]
    groups = groups[groups["protocol"] == study["primary"]]
    chosen = {row["metric"]: row for row in records(means[means["architecture"] == best])}
    measured = [one for one in chosen.values() if one["influential"]]
    return {
        "network": display(best),
        # The macro-F1 where groups have one, else the accuracy.
        "mean": next(
            (one for one in chosen.values() if math.isfinite(one["mean"])), chosen["accuracy"]
        ),
        "influence": measured[0] if measured else None,
        "metric_name": metric_name,
        "means": _means(study, means),
        "table": _groups(study, groups, best, influence=measured),
    }


def _means(study: Mapping[str, Any], means: pd.DataFrame) -> TableView:
    return tabulate(
        f"{study['study']}-group-means",
        "Scores of all examples together, and as the mean over groups, each group counting once, "
        "under the honest split: means over seeds, with 95% confidence intervals over groups. A "
        "group's macro-F1 is over those scored classes that it has. The last columns name the "
        "group without which the score of all examples changes most; that is a fact about "
        "these test examples, and has no interval.",
        {
            "Model": model,
            "Metric": lambda row: text(metric_name(row["metric"])),
            "All examples": interval,
            "Mean over groups": lambda row: interval(
                row,
                names=("mean", "mean_low", "mean_high"),
                note="; ".join(part for part in (row["interval_note"], row["note"]) if part),
            ),
            "Groups": lambda row: number(row["groups"], digits=0),
            "Lowest": lambda row: number(row["lowest"], note=row["lowest_group"]),
            "Largest influence": lambda row: text(row["influential"]),
            "Without it": lambda row: number(row["without"]),
            "Change": lambda row: number(row["without"] - row["estimate"], sign=True),
        },
        records(means),
        filters=("Model", "Metric"),
    )


def _groups(
    study: Mapping[str, Any], groups: pd.DataFrame, best: str, *, influence: list[dict[str, Any]]
) -> TableView:
    """List the groups, those of the largest influence on the chosen network first."""
    networks = [name for name in study["architectures"] if name in set(groups["architecture"])]
    of = {name: groups[groups["architecture"] == name].set_index("group") for name in networks}
    metric = influence[0]["metric"] if influence else "accuracy"
    without = of[best][f"{metric}_without"]
    change = without - (influence[0]["estimate"] if influence else 0)
    order = change.abs().sort_values(ascending=False, kind="stable", na_position="first").index
    rows = [
        [
            text(group),
            number(of[best].at[group, "examples"], digits=0),
            *(number(of[name].at[group, "accuracy"]) for name in networks),
            *(number(of[name].at[group, MAIN]) for name in networks),
            number(without[group], note=of[best].at[group, "note"]),
            number(change[group], sign=True),
        ]
        for group in order[:MOST_GROUPS]
    ]
    some = len(order) > MOST_GROUPS
    label = metric_name(metric)
    return TableView(
        f"{study['study']}-groups",
        (f"The {MOST_GROUPS} of {len(order)} groups " if some else "The groups ")
        + f"of the honest test set, those first without which the {label} of the "
        f"{display(best)} changes most. Means over seeds; one group has no interval over groups."
        + (" All of them are in groups.csv." if some else ""),
        [
            *("Group", "Examples"),
            *(f"Accuracy, {display(name)}" for name in networks),
            *(f"Macro-F1, {display(name)}" for name in networks),
            f"{label[0].upper()}{label[1:]} without it",
            "Change",
        ],
        rows,
    )


def subgroups_view(study: Mapping[str, Any], rows: pd.DataFrame, best: str) -> dict[str, Any]:
    """Collect what the page shows of subgroups under the honest split.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    rows : DataFrame
        Its rows of subgroups.csv.
    best : str
        The network chosen on validation, which comes first.

    Returns
    -------
    dict
        `network`; `columns`, what the subgroups are by; `lowest` and `highest`, the rows of the
        macro-F1 of the chosen network, where at least two subgroups have one; and the `table`.
    """
    rows = rows[rows["protocol"] == study["primary"]]
    rows = rows.assign(other=rows["architecture"] != best).sort_values("other", kind="stable")
    scored = [
        row
        for row in records(rows[~rows["other"]])
        if row["metric"] == MAIN and row["value"] != UNKNOWN and math.isfinite(row["estimate"])
    ]
    several = len(scored) > 1
    return {
        "network": display(best),
        "columns": list(dict.fromkeys(rows["column"])),
        "lowest": min(scored, key=lambda row: row["estimate"]) if several else None,
        "highest": max(scored, key=lambda row: row["estimate"]) if several else None,
        "table": _subgroups(study, rows) if len(rows) else None,
    }


def _subgroups(study: Mapping[str, Any], rows: pd.DataFrame) -> TableView:
    return tabulate(
        f"{study['study']}-subgroups",
        "Scores by what is known of the recordings, under the honest split: means over seeds with "
        "95% confidence intervals over groups. Subgroups of fewer than five groups have no score. "
        "The subgroups were not tested against each other, and may differ in their classes.",
        {
            "Model": lambda row: text(display(str(row["architecture"])), tone=row["architecture"]),
            "By": lambda row: text(row["column"]),
            "Subgroup": lambda row: text(row["value"]),
            "Metric": lambda row: text(metric_name(row["metric"]) if row["metric"] else ""),
            "Score": lambda row: interval(row, note=row["interval_note"]),
            "Groups": lambda row: number(row["groups"], digits=0),
            "Examples": lambda row: number(row["examples"], digits=0),
        },
        records(rows),
        filters=("Model", "By", "Metric"),
    )
