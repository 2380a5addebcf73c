"""What a linear model tells beside the class: what is there, what is not, and what cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.files import write_json
from lib.shortcuts.columns import MOST_GROUPS, shortcut_rows, shortcuts_of
from lib.splits import make_split

OPTIONS = {"seed": 0, "resamples": 200}


def make(*, groups=24, each=6, recordings=1, **about):
    """Return features of which the first is the site, groups of two sites, and their tables."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(groups), each * recordings)
    recording = np.repeat(np.arange(groups * recordings), each)
    site = group % 2
    told = np.column_stack([site, rng.normal(size=groups)[group], rng.normal(size=len(group))])
    told += 0.1 * rng.normal(size=told.shape)
    examples = pd.DataFrame(
        {
            "example": np.arange(len(group)),
            "recording": [f"r{r}" for r in recording],
            "group": [f"p{g}" for g in group],
            "label": np.array(["a", "b"])[site],
            "start": np.tile(np.arange(each), groups * recordings),
        }
    )
    of = np.arange(groups * recordings) // recordings
    table = pd.DataFrame(
        {
            "recording": [f"r{r}" for r in range(len(of))],
            "path": [f"x/r{r}.wav" for r in range(len(of))],
            "group": [f"p{g}" for g in of],
            "site": np.array(["Ulm", "Graz"])[of % 2],
            "rate": 4000.0,
            "duration": rng.uniform(1, 9, len(of)),
            "channels": 1,
        }
    ).assign(**about)
    return told, examples, table


def rows_of(*given):
    return {row["column"]: row for row in shortcut_rows(*given, **OPTIONS)}


def test_a_site_that_features_tell_is_told_for_groups_that_were_never_seen():
    rows = rows_of(*make())
    site = rows["site"]
    assert site["score"] == pytest.approx(1)
    assert (site["chance"], site["values"], site["groups"]) == (0.5, 2, 24)
    assert site["association"] == pytest.approx(1, abs=0.02)
    assert rows["group"]["low"] > rows["group"]["chance"] == 1 / 24
    assert rows["group"]["association"] is None
    assert list(rows) == ["group", "site", "format", "rate", "duration", "channels"]


def test_what_features_do_not_tell_has_an_interval_that_holds_chance():
    drawn = np.random.default_rng(3).permutation(np.arange(60) % 2)
    row = rows_of(*make(groups=60, device=np.array(["x", "y"])[drawn]))["device"]
    assert row["low"] < 0.5 < row["high"]
    assert row["association"] < 0.4


def test_a_group_is_told_by_whole_recordings_where_it_has_several():
    told, examples, table = make(groups=6, recordings=3)
    # Each recording is like no other: nothing else of the group is.
    told = np.random.default_rng(1).normal(size=(18, 3))[np.arange(len(told)) // 6]
    row = rows_of(told, examples, table)["group"]
    assert row["score"] < 0.6
    assert rows_of(told, examples.assign(recording="r0"), table)["group"]["score"] < 1


def test_many_numbers_are_cut_in_two_and_many_words_are_not_told():
    words = [f"device {k}" for k in range(24)]
    rows = rows_of(*make(device=words, age=np.arange(24.0)))
    assert rows["device"]["score"] is None
    assert rows["device"]["note"] == "24 different values: too many"
    assert rows["age"]["values"] == 2
    assert rows["age"]["note"] == "up to 11.5, or above"


def test_numbers_of_which_most_are_the_greatest_are_cut_below_it():
    row = rows_of(*make(duration=[*np.linspace(1, 2.9, 10), *[3.0] * 14]))["duration"]
    assert row["values"] == 2
    assert row["note"] == "below 3, or 3"
    assert row["score"] is not None


def test_a_value_that_few_examples_of_a_group_have_is_not_lost():
    # Of eight examples of a group three are taken: the first, the fourth and the last.
    told, examples, table = make(groups=800, each=2, recordings=4)
    rare = ["B" if k in (2, 6) else "A" for k in range(len(table))]
    row = rows_of(told, examples, table.assign(device=rare))["device"]
    assert (row["values"], row["chance"]) == (2, 0.5)
    assert np.isfinite(row["score"])


def test_more_groups_than_can_be_told_are_drawn_from():
    row = rows_of(*make(groups=MOST_GROUPS + 10))["group"]
    assert row["groups"] == MOST_GROUPS
    assert row["note"] == f"{MOST_GROUPS} of {MOST_GROUPS + 10} groups"
    assert row["chance"] == 1 / MOST_GROUPS


@pytest.mark.parametrize(
    ("made", "column", "note"),
    [
        ({}, "rate", "it is the same for all recordings"),
        ({"site": None}, "site", "nothing is stated of any recording"),
        ({"site": ["Ulm"] + ["Graz"] * 23}, "site", "fewer than two values with two groups each"),
        ({"each": 1}, "group", "fewer than two groups have 3 examples"),
        ({"groups": 2}, "site", "fewer than two values with two groups each"),
    ],
)
def test_what_cannot_be_predicted_has_a_sentence(made, column, note):
    row = rows_of(*make(**made))[column]
    assert row["note"] == note
    assert row["score"] is row["low"] is row["high"] is row["chance"] is None


def test_few_groups_have_a_score_without_an_interval():
    row = rows_of(*make(groups=4))["site"]
    assert row["score"] > 0.9
    assert row["low"] is None
    assert row["interval_note"] == "4 groups: too few for an interval"


def test_values_of_one_group_are_left_out_and_recordings_of_which_nothing_is_stated():
    sites = ["Bern", *np.array(["Ulm", "Graz"])[np.arange(1, 21) % 2], "", "", ""]
    row = rows_of(*make(site=sites))["site"]
    assert row["note"] == "left out, of one group each: Bern"
    assert (row["values"], row["groups"]) == (3, 20)


def test_all_of_it_can_be_written(tmp_path):
    _, examples, table = make()
    x = np.random.default_rng(0).normal(size=(len(examples), 5, 2)).astype(np.float32)
    split = make_split(examples, kind="grouped", seed=0)
    made = shortcuts_of(x, examples, table, split, scored=["a", "b"], **OPTIONS)
    write_json(tmp_path / "shortcuts.json", made)
    assert len(made["ridge"]["permuted"]) == 99
    again = shortcuts_of(x, examples, table, split, scored=["a", "b"], **OPTIONS)
    assert again == made
