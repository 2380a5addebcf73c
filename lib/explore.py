"""What the recordings of a study are like: counts, rates, durations, levels, what looks broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lib.datasets.signal import decibel
from lib.examples.arrays import contents

# dB of full scale, or re 1 mV: below, there is nothing to hear, or no heart to see.
SILENT = -80.0
# dB: so far from the median of all recordings a level is worth a look, since 20 dB are a tenth or
# ten times of the amplitude.
FAR = 20.0
# No more recordings or pairs than this are listed.
MOST = 50


def explore(examples: pd.DataFrame, x: np.ndarray, *, classes: Sequence[str]) -> dict[str, Any]:
    """Describe the data of a study, before anything is trained on it.

    Parameters
    ----------
    examples : pd.DataFrame
        `examples.parquet`.
    x : np.ndarray [shape=(examples, time, channels)]
        The examples; may be memory-mapped.
    classes : sequence of str
        Every class, in the order in which it is shown.

    Returns
    -------
    dict
        `classes`: for each its `examples`, `recordings`, `groups`, `largest_group` (the share of
        its examples that the group with the most of them gave), `rates` (Hz), and least, median and
        greatest `duration` (s) and `level` (dB) over its recordings.
        `decibel`: what a level is stated in: dB of full scale, or re 1 mV.
        `duplicates`: `count` of the contents that several recordings hold, and those `recordings`,
        which `lib.examples.assembly` has joined into one group. Examples that do not change over
        time are not compared.
        `suspects`: recordings to look at, each with a `reason`.
    """
    table = examples.astype({"label": str, "recording": str, "group": str})
    content, flat = contents(x)
    table["content"] = content
    held = table[~flat[table["example"]]].groupby("content")["recording"].unique()
    held = held[held.map(len) > 1]
    return {
        "decibel": decibel(*table["unit"]),
        "classes": [_class(name, table[table["label"] == name]) for name in classes],
        "duplicates": {
            "count": len(held),
            "recordings": sorted({tuple(sorted(names)) for names in held})[:MOST],
        },
        "suspects": _suspects(table, flat)[:MOST],
    }


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


def _suspects(table: pd.DataFrame, flat: np.ndarray) -> list[dict[str, str]]:
    """List recordings that are silent, far from the others in level, or without any change."""
    reasons: dict[str, str] = {}
    recordings = table.drop_duplicates("recording")
    middle = float(recordings["level"].median())
    for row in recordings[["recording", "level", "unit"]].to_dict("records"):
        name, level, unit = row["recording"], row["level"], decibel(row["unit"])
        if level <= SILENT:
            reasons[name] = f"silent: {level:.0f} {unit}"
        elif abs(level - middle) > FAR:
            reasons[name] = f"level {level:.0f} {unit}, where the median is {middle:.0f} dB"
    for name, count in table.loc[flat[table["example"]], "recording"].value_counts().items():
        reasons.setdefault(str(name), f"{count} of its examples do not change over time")
    return [{"recording": name, "reason": reasons[name]} for name in sorted(reasons)]
