"""Subgroups: whom a column puts together, their scores, and those too small for one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from lib.compare.subgroups import MOST_VALUES, UNKNOWN, subgroups
from lib.errors import HeldoutError
from lib.files import read_table, write_table
from lib.statistics.bootstrap import FEWEST_GROUPS
from tests.support.runs import compare_runs, make_runs, small_runs, study


def _table(made):
    return read_table(made["tables"] / "subgroups.csv", text=("value", "interval_note"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    one = study("s", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"], seeds=[0])
    made = make_runs(tmp_path_factory.mktemp("subgroups"), studies=[one], groups=60, per_group=10)
    compare_runs(made)
    return made


@given(st.lists(st.one_of(st.none(), st.floats(0, 110), st.sampled_from(["F", " M", ""]))))
def test_every_example_is_in_one_subgroup_or_there_are_none(values):
    found = subgroups("age", pd.Series(values, dtype=object))
    assert len(found) != 1
    if found:
        assert (np.sum([chosen for _, chosen in found], axis=0) == 1).all()
        assert all(chosen.any() for _, chosen in found)


def test_ages_are_cut_into_bands_and_words_stay_as_they_are():
    years = pd.Series([17.9, 18, 39, 39.5, 40, 64, 65, 90, np.nan])
    assert [(name, chosen.sum()) for name, chosen in subgroups("age", years)] == [
        *(("under 18", 1), ("18 to 39", 3), ("40 to 64", 2), ("65 and over", 2), (UNKNOWN, 1))
    ]
    decades = pd.Series(["twenties", "teens", ""])
    assert [name for name, _ in subgroups("age", decades)] == ["teens", "twenties", UNKNOWN]
    positions = pd.Series([10.0, 2.0, 2.0])
    assert [name for name, _ in subgroups("position", positions)] == ["2", "10"]
    assert subgroups("sex", pd.Series(["F", "F"])) == []


def test_scores_are_of_the_subgroups_own_examples(made):
    base = made["results"] / "s"
    predictions = read_table(base / "grouped/lstm/seed-0/fold-0/predictions.parquet")
    examples = read_table(base / "examples.parquet")[["example", "recording", "group"]]
    recordings = read_table(base / "recordings.csv")[["recording", "sex"]]
    tested = predictions[predictions["part"] == "test"].merge(examples).merge(recordings)
    rows = _table(made).query("protocol == 'grouped' and column == 'sex'")
    assert set(rows["value"]) == {"F", "M"}
    for row in rows[rows["metric"] == "macro_f1"].to_dict("records"):
        some = tested[tested["sex"] == row["value"]]
        predicted = some[["N", "S"]].idxmax(axis=1)
        expected = f1_score(some["label"], predicted, average="macro")
        np.testing.assert_allclose(row["estimate"], expected)
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["groups"] == some["group"].nunique()
        assert row["examples"] == len(some)


def test_no_score_is_given_of_few_groups(made, tmp_path):
    rows = _table(made)
    assert set(rows["protocol"]) == {"grouped"}
    few = rows["groups"] < FEWEST_GROUPS
    assert rows.loc[few, ["estimate", "low", "high"]].isna().all(axis=None)
    assert rows.loc[~few, "estimate"].notna().all()
    compare_runs(small := small_runs(tmp_path))
    rows = _table(small)
    assert (rows["groups"] < FEWEST_GROUPS).all()
    assert rows["estimate"].isna().all()
    assert rows["interval_note"].str.contains("no score of fewer than 5").all()


def test_many_values_are_not_broken_down(tmp_path):
    one = study("s", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"], seeds=[0])
    made = make_runs(tmp_path, studies=[one], groups=60, per_group=4)
    path = made["results"] / "s" / "recordings.csv"
    table = read_table(path).drop(columns=["age", "sex"])
    write_table(path, table.assign(device=[f"device {k}" for k in range(len(table))]))
    compare_runs(made)
    (row,) = _table(made).to_dict("records")
    assert row["interval_note"] == "30 different values: too many for a score of each"
    assert MOST_VALUES < 30


def test_a_recording_that_the_table_lacks_is_named(tmp_path):
    made = small_runs(tmp_path)
    path = made["results"] / "arrhythmia" / "recordings.csv"
    write_table(path, read_table(path)[:0])
    with pytest.raises(HeldoutError, match=r"every recording that was tested, got none called r0"):
        compare_runs(made)
