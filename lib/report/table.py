"""Tables of the page: what a cell shows, what it sorts by, and what a copy of it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One cell: the text, the value that it sorts by and that is copied, and what else it shows.

    `bar` is (low, estimate, high) on the scale 0 to 1; `range` (the interval) and `note` stand
    below the text in small, `ends` are the interval's as they are copied.
    """

    text: str
    value: str = ""
    numeric: bool = False
    bar: tuple[float, float, float] | None = None
    range: str = ""
    ends: tuple[str, str] | None = None
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class TableView:
    """A table as the template shows it; `filters` are columns whose values a reader may choose."""

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    filters: Sequence[int] = ()

    def is_numeric(self, column: int) -> bool:
        """Say whether a column holds numbers: its head stands to the right like them."""
        return any(row[column].numeric for row in self.rows)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def text(value: Any, *, note: str = "", tone: str = "") -> Cell:
    """Give a cell of text; a missing one shows a dash."""
    missing = value is None or (isinstance(value, float) and math.isnan(value)) or value == ""
    shown = NOTHING if missing else str(value)
    return Cell(shown, "" if missing else str(value), note=note, tone=tone)


def number(value: Any, *, digits: int = 3, note: str = "", sign: bool = False) -> Cell:
    """Give a cell of one number; a missing one shows a dash and, in small, why."""
    if value is None or value == "" or not math.isfinite(float(value)):
        return Cell(NOTHING, "", numeric=True, note=note)
    value = float(value)
    rounded = round(value, digits) + 0.0  # no minus before a zero
    shown = f"{rounded:+,.{digits}f}" if sign else f"{rounded:,.{digits}f}"
    return Cell(minus(shown), repr(value), numeric=True, note=note)


def minus(shown: str) -> str:
    """Write a minus as one, not as a hyphen, at which a line may break."""
    return shown.replace("-", "−")


def interval(
    row: Mapping[str, Any],
    *,
    names: tuple[str, str, str] = ("estimate", "low", "high"),
    note: str = "",
    bar: bool = False,
    sign: bool = False,
) -> Cell:
    """Give a cell of a number with its interval below, or the reason why there is none."""
    estimate, low, high = (float(row[name]) for name in names)
    cell = number(estimate, note=note, sign=sign)
    if math.isfinite(low) and math.isfinite(high):
        form = "+.2f" if sign else ".2f"
        shown = minus(f"{round(low, 2) + 0.0:{form}} to {round(high, 2) + 0.0:{form}}")
        cell = replace(
            cell,
            bar=(max(0.0, low), estimate, min(1.0, high)) if bar else None,
            range=shown,
            ends=(repr(low), repr(high)),
        )
    return cell


def seconds(value: float) -> str:
    """Write a duration as people say it."""
    if value < 1:
        return f"{value * 1000:.3g} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
