"""The card of a model to hand on: data, protocol, numbers with intervals, limits, licence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lib.predict.inputs import context_options, given_context
from lib.templates import environment


def model_card(
    record: Mapping[str, Any],
    *,
    board: pd.DataFrame,
    manifest: Mapping[str, Any],
    formats: Mapping[str, str] | None = None,
) -> str:
    """Write the model card.

    Parameters
    ----------
    record : mapping
        `run.json`.
    board : pd.DataFrame
        Rows of `leaderboard.csv` about the study, by example; perhaps none.
    manifest : mapping
        Of the dataset; perhaps empty.
    formats : mapping of str to str, optional
        Each file or folder beside `model.keras` that holds the network, and what takes it.

    Returns
    -------
    str
        Markdown.
    """
    manifest = dict.fromkeys(
        ("title", "version", "source", "landing_page", "licence", "cautions", "citation")
    ) | dict(manifest)
    return (
        environment("lib.predict", markup=False)
        .get_template("card.md.j2")
        .render(
            run=record,
            given=(given := given_context(record["inputs"])),
            options=context_options(given),
            data=manifest,
            formats=formats or {},
            tables=_tables(record, board),
        )
    )


def _tables(record: Mapping[str, Any], board: pd.DataFrame) -> list[dict[str, Any]]:
    """Choose what is known of the run's architecture, and what to hold it against."""
    if board.empty:
        return []
    here = board["protocol"] == record["protocol"]
    own = board["architecture"] == record["architecture"]
    score = board["metric"] == "macro_f1"
    leaky = board["honest"].astype(str).str.lower() == "false"
    chosen = (
        (
            "All seeds and folds of the architecture, with 95 % intervals over the groups of the "
            "test part:",
            board[here & own],
            "metric",
        ),
        (
            "What to hold it against, macro-F1 of the baselines under the same protocol:",
            board[here & score & (board["kind"] == "baseline")],
            "architecture",
        ),
        (
            "And what the same architecture seems to reach where groups appear in both train and "
            "test (macro-F1):",
            board[~here & own & score & leaky],
            "protocol",
        ),
    )
    return [
        {"title": title, "name": name, "rows": [_row(row, name) for row in rows.to_dict("records")]}
        for title, rows, name in chosen
        if len(rows)
    ]


def _row(row: Mapping[Any, Any], name: str) -> tuple[str, str, str]:
    interval = "–"
    if not pd.isna(row["low"]):
        interval = f"{row['low']:.3f} to {row['high']:.3f} ({int(row['groups'])} groups)"
    return row[name], f"{row['estimate']:.3f}", interval
