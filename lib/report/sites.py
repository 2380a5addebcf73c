"""What the page says of other sites: scores where a network was trained, and where it never was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.metrics.registry import MAIN
from lib.plots.style import display
from lib.report.names import metric_name
from lib.report.table import TableView, interval, is_true, network, number, records, tabulate, text
from lib.splits.registry import KINDS


def sites_view(study: Mapping[str, Any], rows: pd.DataFrame, best: str) -> list[dict[str, Any]]:
    """Collect what the page shows of each protocol by site.

    Parameters
    ----------
    study : dict
        As `lib.report.render` takes it.
    rows : DataFrame
        Its rows of sites.csv.
    best : str
        The network chosen on validation.

    Returns
    -------
    list of dict
        `name` and `title` of the protocol, whether it is of `pairs`, `network`; `whole`, the row of
        the macro-F1 of all other sites together, and what its difference says (`loss`: yes, no, or
        empty where it has no interval); `lowest` and `highest`, where several sites have a score;
        and the `table`.
    """
    views = []
    for name, rule in study["protocols"].items():
        of = rows[rows["protocol"] == name]
        if of.empty:
            continue
        some = records(of[(of["architecture"] == best) & (of["metric"] == MAIN)])
        (whole,) = [row for row in some if not row["site"]]
        away = [row for row in some if row["site"] and not is_true(row["home"])]
        scored = [row for row in away if math.isfinite(row["estimate"])]
        several = len(scored) > 1
        ends = whole["difference_low"], whole["difference_high"]
        views.append(
            {
                "name": name,
                "title": rule["title"],
                "pairs": KINDS[rule["kind"]].all_pairs,
                "network": display(best),
                "whole": whole,
                "loss": ("yes" if ends[1] < 0 else "no") if math.isfinite(ends[0]) else "",
                "trained": away[0]["trained"] if len(away) == 1 else "",
                "site": away[0]["site"] if len(away) == 1 else "",
                "lowest": min(scored, key=lambda row: row["estimate"]) if several else None,
                "highest": max(scored, key=lambda row: row["estimate"]) if several else None,
                "table": _table(study, name, rule, of),
            }
        )
    return views


def _table(
    study: Mapping[str, Any], name: str, rule: Mapping[str, Any], rows: pd.DataFrame
) -> TableView:
    reference = (
        "what the same networks reach on groups of the site that they were trained on"
        if KINDS[rule["kind"]].all_pairs
        else "what the networks of the honest split, which have met other groups of the site, "
        "reach on it"
    )
    return tabulate(
        f"{study['study']}-sites-{name}",
        f"Scores by site, split {rule['title']}: means over seeds, with 95% confidence intervals "
        f"over groups. The reference is {reference}. The differences are not tests.",
        {
            "Model": network,
            "Trained on": lambda row: text(row["trained"] or "(all together)"),
            "Tested on": lambda row: text(row["site"] or "(all others)"),
            "Metric": lambda row: text(metric_name(row["metric"])),
            "Score": lambda row: interval(row, note=row["interval_note"]),
            "Reference": lambda row: interval(
                row,
                names=("reference", "reference_low", "reference_high"),
                note=row["reference_note"],
            ),
            "Difference": lambda row: interval(
                row,
                names=("difference", "difference_low", "difference_high"),
                note=row["note"],
                sign=True,
            ),
            "Groups": lambda row: number(row["groups"], digits=0),
            "Examples": lambda row: number(row["examples"], digits=0),
        },
        records(rows),
        filters=("Model", "Metric"),
    )
