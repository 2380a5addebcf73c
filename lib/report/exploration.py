"""What the page shows of a study's recordings: a row for each class, and what looks broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.report.table import Cell, TableView, minus, number, text


def classes_table(study: str, exploration: Mapping[str, Any]) -> TableView:
    """Give counts, balance, rates, durations and levels of each class."""
    rows = [
        [
            text(row["class"]),
            number(row["examples"], digits=0),
            number(row["recordings"], digits=0),
            number(row["groups"], digits=0),
            number(row["largest_group"], digits=2),
            text(", ".join(f"{rate:g}" for rate in row["rates"])),
            _spread(row["duration"], digits=2),
            _spread(row["level"], digits=0),
        ]
        for row in exploration["classes"]
    ]
    return TableView(
        f"{study}-exploration",
        "The recordings of each class. A class that differs in rate, duration or level can be told "
        "without listening: the baseline «metadata» says how well. Where one group gave most of a "
        "class, its numbers are about that group.",
        [
            *("Class", "Examples", "Recordings", "Groups", "Share of the largest group"),
            *("Rates (Hz)", "Duration (s)", f"Level ({exploration['decibel']})"),
        ],
        rows,
    )


def _spread(ends: list[float], *, digits: int) -> Cell:
    """Show the median and, in small, least and greatest."""
    if not ends:
        return number(None)
    low, middle, high = ends
    return number(middle, digits=digits, note=minus(f"{low:.{digits}f} to {high:.{digits}f}"))


def remarks(exploration: Mapping[str, Any]) -> list[str]:
    """Say which recordings hold the same examples, and which look broken."""
    duplicates = exploration["duplicates"]
    found = [
        f"{', '.join(names[:-1])} and {names[-1]} hold identical examples: they count as one group."
        for names in duplicates["recordings"]
    ]
    return found + [f"{s['recording']}: {s['reason']}." for s in exploration["suspects"]]
