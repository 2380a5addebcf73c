"""Exploration: what is counted, and what looks wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lib.examples.arrays import contents
from lib.explore import explore
from lib.report.exploration import (
    cautions,
    classes_table,
    context_table,
    remarks,
    suspects_table,
)


def make() -> tuple[pd.DataFrame, np.ndarray]:
    """Return two classes of four recordings with two examples each, a group of two recordings."""
    number = np.repeat(np.arange(8), 2)
    examples = pd.DataFrame(
        {
            "example": np.arange(16),
            "recording": [f"r{i}" for i in number],
            "group": [f"g{i // 2}" for i in number],
            "label": np.where(number < 4, "a", "b"),
            "rate": np.where(number < 4, 4000.0, 44100.0),
            "duration": 1.0 + number,
            "level": -30.0,
            "unit": "full scale",
            "saturated": 0.0,
        }
    )
    return examples, np.random.default_rng(0).normal(size=(16, 6, 2)).astype(np.float32)


def explored(examples: pd.DataFrame, x: np.ndarray, **given: Any) -> dict[str, Any]:
    content, flat = contents(x)
    table = examples.assign(content=content, flat=flat)
    return explore(table, classes=["a", "b", "c"], recordings=8, **given)


def test_classes_are_counted() -> None:
    a, b, c = explored(*make())["classes"]
    assert (a["examples"], a["recordings"], a["groups"], a["largest_group"]) == (8, 4, 2, 0.5)
    assert (a["rates"], b["rates"]) == ([4000], [44100])
    assert b["duration"] == [5, 6.5, 8]
    assert c["examples"] == c["groups"] == c["largest_group"] == 0


def test_context_is_described_by_class() -> None:
    examples, x = make()
    without = explored(examples, x)
    assert without["context"] == {}
    assert context_table("s", without) is None
    rr = np.r_[np.arange(8.0), np.full(8, -0.5)]
    told = explored(examples.assign(context_rr=rr, context_age=50.0), x)
    assert told["context"] == {
        "rr": {"a": [1.75, 3.5, 5.25], "b": [-0.5] * 3, "c": []},
        "age": {"a": [50] * 3, "b": [50] * 3, "c": []},
    }
    view = context_table("s", told)
    assert view is not None
    assert view.columns == ["Value", "a", "b", "c"]
    assert [[cell.text for cell in row] for row in view.rows] == [
        ["rr", "3.50", "\N{MINUS SIGN}0.50", "–"],
        ["age", "50.00", "50.00", "–"],
    ]
    assert view.rows[0][1].note == "1.75 to 5.25"
    # It is no part of what an example is: an audit and a copy go by the array.
    assert told | {"context": {}} == without


def test_nothing_is_wrong_with_good_recordings() -> None:
    clean = explored(*make())
    assert clean["duplicates"] == {"count": 0, "recordings": []}
    assert clean["suspects"] == []
    assert remarks(clean) == []
    assert suspects_table("study", clean) is None


def test_what_looks_broken() -> None:
    examples, x = make()
    examples.loc[examples["recording"] == "r1", "level"] = -200.0
    examples.loc[examples["recording"] == "r2", "level"] = -5.0
    x[6:8] = 1.5  # both examples of r3
    x[12] = 1.5  # and one of r6: silence is no copy
    x[15] = x[8]  # r7 holds what r4 holds
    x[1] = x[0]  # within one recording: an overlap, not a copy
    result = explored(examples, x)
    assert {s["recording"]: s["reason"] for s in result["suspects"]} == {
        "r1": "silent: RMS level -200 dB of full scale",
        "r2": "RMS level -5 dB of full scale; the median is -30 dB",
        "r3": "2 of its examples are constant over time",
        "r6": "1 of its examples is constant over time",
    }
    assert result["duplicates"] == {"count": 1, "recordings": [("r4", "r7")]}
    assert remarks(result) == ["r4 and r7 hold identical examples: they count as one group."]
    view = suspects_table("study", result)
    assert view is not None
    assert [row[0].text for row in view.rows] == ["r1", "r2", "r3", "r6"]
    assert view.rows[2][1].text == "2 of its examples are constant over time"


def test_table() -> None:
    view = classes_table("study", explored(*make()))
    assert [row[0].text for row in view.rows] == ["a", "b", "c"]
    assert all(len(row) == len(view.columns) for row in view.rows)
    assert view.rows[1][6].note == "5.00 to 8.00"


def test_the_level_of_an_ecg_is_not_of_full_scale() -> None:
    examples, x = make()
    examples["unit"] = "mV"
    examples.loc[examples["recording"] == "r2", "level"] = -5.0
    result = explored(examples, x)
    assert result["decibel"] == "dB re 1 mV"
    reason = "RMS level -5 dB re 1 mV; the median is -30 dB"
    assert result["suspects"] == [{"recording": "r2", "reason": reason}]
    assert classes_table("study", result).columns[-1] == "RMS level (dB re 1 mV)"


COPY = {"first": "r1", "second": "r5", "shift": 0.5, "overlap": 2.04, "correlation": 1.0}


def test_copies_are_named_once() -> None:
    examples, x = make()
    x[10], x[14] = x[2], x[4]  # r5 holds what r1 holds, and r7 what r2 holds
    result = explored(examples, x, copies=[COPY])
    assert result["copies"] == [COPY]
    assert result["duplicates"]["recordings"] == [("r1", "r5"), ("r2", "r7")]
    assert remarks(result) == [
        "r1 and r5 hold the same audio for 2.0 s: they count as one group.",
        "r2 and r7 hold identical examples: they count as one group.",
    ]


def test_what_was_left_out_is_said_with_the_data_and_beside_the_verdict() -> None:
    examples, x = make()
    kept = (examples["recording"] != "r3").to_numpy()
    result = explored(examples[kept], x[kept], left_out={"r3": "got an empty file"})
    assert remarks(result) == ["Left out: r3: got an empty file."]
    assert cautions(result) == [
        "1 of 8 recordings were left out; the report says which and why, under Data."
    ]
    assert cautions(explored(examples, x)) == []


def test_a_saturated_recording_is_worth_a_look() -> None:
    examples, x = make()
    examples.loc[examples["recording"] == "r4", "saturated"] = 0.34
    (suspect,) = explored(examples, x)["suspects"]
    reason = "34% of its samples stay at the limit of a channel: it is saturated or cut off"
    assert suspect == {"recording": "r4", "reason": reason}
