"""What the recordings of a study are like: counts, rates, durations, levels, what looks wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from lib.datasets.signal import decibel
from lib.examples.context import context_columns, context_names

# An RMS level, in dB of full scale or re 1 mV, at or below which there is no signal.
SILENT = -80.0
# A level farther from the median of all recordings, in dB, is worth a look: 20 dB is a factor of 10
# in amplitude.
FAR = 20.0
# A share of samples at the limit of a channel that is worth a look: of a thousand real recordings,
# some of each dataset, none has more than 0.0015.
SATURATED = 0.01
# At most this many recordings or pairs are listed.
MOST = 50


def explore(
    examples: pd.DataFrame,
    *,
    classes: Sequence[str],
    recordings: int,
    copies: Sequence[Mapping[str, Any]] = (),
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Describe the data of a study before anything is trained on it.

    Parameters
    ----------
    examples : pd.DataFrame
        `examples.parquet`.
    classes : sequence of str
        Every class, in the order shown.
    recordings : int
        How many the study chose, those included that are left out.
    copies : sequence of mapping
        What `lib.features.copies.Copy` says of each pair that is joined.
    left_out : mapping of str to str
        Recordings without examples in the table, and why.

    Returns
    -------
    dict
        `classes`: for each its `examples`, `recordings`, `groups`, `largest_group` (the share of
        its examples that come from its largest group), `rates` (Hz), and the minimum, median and
        maximum of `duration` (s) and RMS `level` (dB) over its recordings.
        `decibel`: what a level is stated in: dB of full scale, or re 1 mV.
        `duplicates`: `count` of the contents that several recordings hold, and those `recordings`,
        which `lib.examples.assembly` has joined into one group. Examples that do not change over
        time are not compared.
        `recordings`, `copies` and `left_out`, as they are given.
        `suspects`: recordings worth a look, each with a `reason`.
        `context`: for each name of it and each class the quartiles over the class's examples.
    """
    table = examples.astype({"label": str, "recording": str, "group": str})
    holders = table[~table["flat"]].groupby("content")["recording"].unique()
    holders = holders[holders.map(len) > 1]
    return {
        "decibel": decibel(*table["unit"].unique()),
        "classes": [_class(name, table[table["label"] == name]) for name in classes],
        "duplicates": {
            "count": len(holders),
            "recordings": sorted({tuple(sorted(names)) for names in holders})[:MOST],
        },
        "recordings": recordings,
        "copies": [dict(copy) for copy in copies],
        "left_out": dict(left_out),
        "suspects": _suspects(table)[:MOST],
        "context": _context(table, classes),
    }


def left_out_caution(count: int, *, of: int) -> str:
    """Say beside a verdict that recordings were left out."""
    return f"{count} of {of} recordings were left out; the report says which and why, under Data."


def _class(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    recordings = rows.drop_duplicates("recording")
    groups = rows["group"].value_counts()

    def spread(column: str) -> list[float]:
        return [float(recordings[column].quantile(q)) for q in (0, 0.5, 1)] if len(rows) else []

    return {
        "class": name,
        "examples": len(rows),
        "recordings": len(recordings),
        "groups": len(groups),
        "largest_group": float(groups.iloc[0] / len(rows)) if len(rows) else 0.0,
        "rates": sorted({float(rate) for rate in recordings["rate"]}),
        "duration": spread("duration"),
        "level": spread("level"),
    }


def _context(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    names = context_names(table.columns)
    columns = dict(zip(names, context_columns(names), strict=True))
    return {
        name: {
            label: [float(v) for v in values.quantile([0.25, 0.5, 0.75])] if len(values) else []
            for label in classes
            for values in [table.loc[table["label"] == label, column]]
        }
        for name, column in columns.items()
    }


def _suspects(table: pd.DataFrame) -> list[dict[str, str]]:
    """List recordings that are silent, far from the median level, saturated, or partly constant."""
    reasons: dict[str, str] = {}
    recordings = table.drop_duplicates("recording")
    middle = float(recordings["level"].median())
    for row in recordings[["recording", "level", "unit", "saturated"]].to_dict("records"):
        name, level, unit = row["recording"], row["level"], decibel(row["unit"])
        if level <= SILENT:
            reasons[name] = f"silent: RMS level {level:.0f} {unit}"
        elif row["saturated"] > SATURATED:
            share = f"{row['saturated']:.0%} of its samples"
            reasons[name] = f"{share} stay at the limit of a channel: it is saturated or cut off"
        elif abs(level - middle) > FAR:
            reasons[name] = f"RMS level {level:.0f} {unit}; the median is {middle:.0f} dB"
    for name, count in table.loc[table["flat"], "recording"].value_counts().items():
        verb = "is" if count == 1 else "are"
        reasons.setdefault(str(name), f"{count} of its examples {verb} constant over time")
    return [{"recording": name, "reason": reasons[name]} for name in sorted(reasons)]
