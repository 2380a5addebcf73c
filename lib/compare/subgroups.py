"""The table of subgroups: scores by age, sex, device and what else is known of recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.compare.board import COMPARED, Board, Entry, ends, joined, keys, score, score_interval
from lib.compare.runs import MADE_ANEW
from lib.datasets.dataset import ABOUT
from lib.errors import HeldoutError, counted
from lib.metrics.sample import Weighted
from lib.recordings.table import read_recordings
from lib.statistics.bootstrap import FEWEST_GROUPS, Interval

# Children, young, middle-aged and old adults. From this age (years), and what the band is called.
AGES = ((0, "under 18"), (18, "18 to 39"), (40, "40 to 64"), (65, "65 and over"))

UNKNOWN = "not stated"

# Of more values a score for each would be noise, and a page of it.
MOST_VALUES = 12


def subgroup_rows(
    study: Mapping[str, Any], board: Board, *, results: str | Path
) -> list[dict[str, Any]]:
    """Make a row per honest protocol, network, value of a column, and metric.

    Parameters
    ----------
    study : dict
        As `lib.compare.compare` takes it.
    board : dict
        All scores of the study.
    results : path
        The folder that holds one folder a study.

    Raises
    ------
    HeldoutError
        The table of recordings is missing, damaged, or lacks a recording.
    """
    path = Path(results) / str(study["study"]) / "recordings.csv"
    known = read_recordings(path).set_index("recording")
    rows = []
    for (_, _, unit), entry in board.items():
        if unit != "example" or not entry.pool.honest or entry.pool.kind != "network":
            continue
        gone = set(entry.pool.recording) - set(known.index)
        if gone:
            lost = f"none called {min(gone)}"
            raise HeldoutError(path, "every recording that was tested", lost, MADE_ANEW)
        for column in (name for name in ABOUT if name in known.columns):
            values = subgroups(column, known[column].reindex(entry.pool.recording))
            rows += _rows(entry, column, values)
    return rows


def subgroups(column: str, values: pd.Series) -> list[tuple[str, NDArray[np.bool_]]]:
    """Tell the subgroups that a column makes of examples.

    Parameters
    ----------
    column : str
        Its name: `age` in years is cut into bands.
    values : Series
        What it says of each example.

    Returns
    -------
    list of (str, ndarray of bool)
        Name of the subgroup, and which examples are in it: numbers in ascending order, then words,
        then those of which nothing is stated. None where all examples are alike.
    """
    text = values.astype("string").fillna("").str.strip()
    stated = (text != "").to_numpy()
    numbers = pd.to_numeric(text.where(stated), errors="coerce").to_numpy(dtype=float)
    names = text.to_numpy(dtype=object)
    order: list[str] = []
    if np.isfinite(numbers[stated]).all():
        if column == "age":
            band = np.searchsorted([start for start, _ in AGES], numbers[stated], side="right")
            names[stated] = [AGES[max(k - 1, 0)][1] for k in band]
            order = [name for _, name in AGES]
        else:
            names[stated] = [f"{number:g}" for number in numbers[stated]]
            order = [f"{number:g}" for number in np.unique(numbers[stated])]
    names[~stated] = UNKNOWN
    there = dict.fromkeys([*order, *sorted(set(names[stated])), UNKNOWN])
    sides = [(name, names == name) for name in there if (names == name).any()]
    return sides if len(sides) > 1 else []


def _rows(
    entry: Entry, column: str, values: list[tuple[str, NDArray[np.bool_]]]
) -> list[dict[str, Any]]:
    start = {**keys(entry.pool), "column": column}
    if len(values) > MOST_VALUES:
        note = f"{len(values)} different values: too many for a score of each"
        return [{**start, "value": "", "interval_note": note}]
    rows = []
    for value, chosen in values:
        drawn = _part(entry, chosen)
        sample = drawn.sample
        for metric in COMPARED:
            one = _interval(metric, drawn)
            rows.append(
                {
                    **start,
                    "value": value,
                    "metric": metric,
                    **ends("estimate", one, prefix=""),
                    "interval_note": joined([one.note, sample.lacking * (metric == "macro_f1")]),
                    "groups": one.groups,
                    "examples": len(sample.truth),
                }
            )
    return rows


def _part(entry: Entry, chosen: NDArray[np.bool_]) -> Weighted:
    """Keep some examples, and the groups that these are of."""
    sample = entry.sample.part(chosen)
    there = np.isin(entry.sample.names, sample.names)
    return Weighted(sample, entry.drawn.weights[:, there])


def _interval(metric: str, drawn: Weighted) -> Interval:
    groups = len(drawn.sample.names)
    if groups < FEWEST_GROUPS:
        note = f"{counted(groups, 'group')}: no score of fewer than {FEWEST_GROUPS}"
        return Interval(np.nan, np.nan, np.nan, groups, note)
    return score_interval(metric, drawn.sample, score(metric, drawn))
