"""What the page shows of a study's recordings: a row for each class, and what looks wrong."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any

from lib.explore import left_out_caution
from lib.plots.style import decimal
from lib.report.names import listed
from lib.report.table import Cell, TableView, number, tabulate, text

_MOST = 8  # pairs of copies that are told each in a line


def classes_table(study: str, exploration: Mapping[str, Any]) -> TableView:
    """Show counts, balance, rates, durations and levels of each class."""
    return tabulate(
        f"{study}-exploration",
        "The recordings of each class. A class that differs in sampling rate, duration or level "
        "can be recognised without its sound; the metadata baseline measures how well. Where one "
        "group contributes most of a class, the scores of that class describe that group.",
        {
            "Class": lambda row: text(row["class"]),
            "Examples": lambda row: number(row["examples"], digits=0),
            "Recordings": lambda row: number(row["recordings"], digits=0),
            "Groups": lambda row: number(row["groups"], digits=0),
            "Share of the largest group": lambda row: number(row["largest_group"], digits=2),
            "Sampling rates (Hz)": lambda row: text(", ".join(f"{r:g}" for r in row["rates"])),
            "Duration (s)": lambda row: _spread(row["duration"], digits=2),
            f"RMS level ({exploration['decibel']})": lambda row: _spread(row["level"], digits=0),
        },
        exploration["classes"],
    )


def context_table(study: str, exploration: Mapping[str, Any]) -> TableView | None:
    """Show the context of each class; None where examples have none."""
    context: Mapping[str, Mapping[str, list[float]]] = exploration["context"]
    if not context:
        return None
    return tabulate(
        f"{study}-context",
        "What a network is told beside each example, its context: the median in each class, and "
        "below it the quartiles.",
        {"Value": lambda row: text(row["name"])}
        | {name: partial(_of_class, name) for name in next(iter(context.values()))},
        [{"name": name, "classes": classes} for name, classes in context.items()],
    )


def _of_class(name: str, row: Mapping[str, Any]) -> Cell:
    return _spread(row["classes"][name], digits=2)


def _spread(ends: list[float], *, digits: int) -> Cell:
    """Show the median and, below it, the ends."""
    if not ends:
        return number(None)
    low, middle, high = (decimal(value, digits=digits) for value in ends)
    return Cell(middle, repr(ends[1]), numeric=True, note=f"{low} to {high}")


def remarks(exploration: Mapping[str, Any]) -> list[str]:
    """List the recordings that count as one group, and those left out."""
    copies = [
        f"{copy['first']} and {copy['second']} hold the same audio for {copy['overlap']:.1f} s: "
        "they count as one group."
        for copy in exploration["copies"][:_MOST]
    ]
    if (more := len(exploration["copies"]) - _MOST) > 0:
        copies.append(f"So do {more:,} more pairs: examples.json lists them.")
    pairs = {frozenset((copy["first"], copy["second"])) for copy in exploration["copies"]}
    identical = [
        f"{listed(names)} hold identical examples: they count as one group."
        for names in exploration["duplicates"]["recordings"]
        if not all(frozenset(pair) in pairs for pair in combinations(names, 2))
    ]
    left_out = [f"Left out: {name}: {why}." for name, why in exploration["left_out"].items()]
    return [*left_out, *copies, *identical]


def suspects_table(study: str, exploration: Mapping[str, Any]) -> TableView | None:
    """List the recordings that look wrong, and why; None where none does."""
    if not exploration["suspects"]:
        return None
    return tabulate(
        f"{study}-suspects",
        "Recordings that are silent, saturated, constant for a while, or far from the level of the "
        "others. They are used all the same: listen to them, and exclude what is wrong.",
        {
            "Recording": lambda row: text(row["recording"]),
            "Remark": lambda row: text(row["reason"]),
        },
        exploration["suspects"],
    )


def cautions(exploration: Mapping[str, Any]) -> list[str]:
    """Say beside the verdict that recordings were left out."""
    if not exploration["left_out"]:
        return []
    return [left_out_caution(len(exploration["left_out"]), of=exploration["recordings"])]
