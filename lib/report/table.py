"""Tables of the page: what a cell shows, what it sorts by, and what a copy of it holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from lib.plots.style import decimal, display

NOTHING = "–"
# A remark longer than this that several cells share is printed once, as a footnote.
LONG_REMARK = 30

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell: the text, the value that it sorts by and that is copied, and what else it shows.

    `bar` is (low, estimate, high) on the scale 0 to 1; `range` (the interval) and `note` appear
    below the text in small print, `ends` are the interval's as they are copied.
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
        """Say whether a column holds numbers: its header is right-aligned like them."""
        return any(row[column].numeric for row in self.rows)

    def footnotes(self) -> list[str]:
        """List the long remarks that more than two cells share."""
        notes = Counter(cell.note for row in self.rows for cell in row)
        return [note for note, n in notes.items() if n > 2 and len(note) > LONG_REMARK]


def tabulate(
    name: str,
    caption: str,
    columns: Mapping[str, Callable[[Row], Cell]],
    rows: Sequence[Row],
    *,
    filters: Sequence[str] = (),
) -> TableView:
    """Build a table from rows and, for each column header, what makes its cell from a row."""
    heads = list(columns)
    return TableView(
        name,
        caption,
        heads,
        [[make(row) for make in columns.values()] for row in rows],
        [heads.index(head) for head in filters],
    )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """List the rows of a table as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def is_true(value: Any) -> bool:
    """Say whether a field of a CSV says true: a column with empty fields is read as text."""
    return str(value).lower() == "true"


def text(value: Any, *, note: str = "", tone: str = "") -> Cell:
    """Make a cell of text; a missing one shows a dash."""
    missing = value is None or (isinstance(value, float) and math.isnan(value)) or value == ""
    shown = NOTHING if missing else str(value)
    return Cell(shown, "" if missing else str(value), note=note, tone=tone)


def network(row: Row) -> Cell:
    """Make a cell that names an architecture, beside a dot of its colour."""
    name = str(row["architecture"])
    return text(display(name), tone=name.partition(".")[0])


def number(value: Any, *, digits: int = 3, note: str = "", sign: bool = False) -> Cell:
    """Make a cell of one number; a missing one shows a dash and, below it, why."""
    if value is None or value == "" or not math.isfinite(float(value)):
        return Cell(NOTHING, "", numeric=True, note=note)
    shown = decimal(float(value), digits=digits, sign=sign)
    return Cell(shown, repr(float(value)), numeric=True, note=note)


def interval(
    row: Row,
    *,
    names: tuple[str, str, str] = ("estimate", "low", "high"),
    note: str = "",
    bar: bool = False,
    sign: bool = False,
) -> Cell:
    """Make a cell of a number with its interval below, or the reason why there is none."""
    estimate, low, high = (float(row[name]) for name in names)
    cell = number(estimate, note=note, sign=sign)
    if not (math.isfinite(low) and math.isfinite(high)):
        return cell
    return replace(
        cell,
        bar=(max(0.0, low), estimate, min(1.0, high)) if bar else None,
        range=f"{decimal(low, sign=sign)} to {decimal(high, sign=sign)}",
        ends=(repr(low), repr(high)),
    )


def duration(value: float) -> Cell:
    """Make a cell of seconds, written as people say them."""
    return (
        Cell(seconds(value), repr(float(value)), numeric=True) if value == value else number(None)
    )


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
