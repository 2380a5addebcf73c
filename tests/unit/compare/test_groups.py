"""Tables of groups: what they hold, whom they name, and where no number can be."""

from __future__ import annotations

import numpy as np
import pytest

from lib.compare.groups import NO_GROUP, SINGLE
from lib.files import read_table, write_table
from tests.support.runs import compare_runs, make_runs, small_runs, study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_runs(tmp_path_factory.mktemp("groups"))
    compare_runs(made)
    return made


def _table(made, name):
    text = ("note", "interval_note", "group", "largest_group", "influential", "lowest_group")
    return read_table(made["tables"] / f"{name}.csv", text=text)


def _tested(made, protocol="grouped", name="arrhythmia"):
    base = made["results"] / name
    split = read_table(base / protocol / "split.parquet")
    examples = read_table(base / "examples.parquet")
    return split[split["part"] == "test"].merge(examples, on="example")


def test_every_network_has_a_row_for_each_group_of_each_split(made):
    rows = _table(made, "groups")
    for one in made["studies"]:
        for protocol in one["protocols"]:
            groups = sorted(_tested(made, protocol, one["study"])["group"].unique())
            some = rows[(rows["study"] == one["study"]) & (rows["protocol"] == protocol)]
            for name in one["architectures"]:
                assert some.loc[some["architecture"] == name, "group"].tolist() == groups
            assert set(some["architecture"]) == set(one["architectures"])


def test_the_mean_over_groups_is_of_its_rows(made):
    rows, means = _table(made, "groups"), _table(made, "group_means")
    assert set(means["kind"]) == {"network", "baseline"}
    for row in means[means["kind"] == "network"].to_dict("records"):
        same = [rows[key] == row[key] for key in ("study", "protocol", "architecture")]
        some = rows[np.logical_and.reduce(same)]
        own = some[row["metric"]].dropna()
        assert row["groups"] == len(own)
        if own.empty:
            assert row["interval_note"] == NO_GROUP
            continue
        np.testing.assert_allclose(row["mean"], own.mean())
        np.testing.assert_allclose(row["lowest"], own.min())
        assert row["mean_low"] <= row["mean"] <= row["mean_high"]
        change = (some[f"{row['metric']}_without"] - row["estimate"]).abs()
        if not change.max():
            # All of them predict without an error: no group stands out.
            assert row["influential"] == ""
            continue
        most = some.loc[change.idxmax()]
        np.testing.assert_allclose(row["without"], most[f"{row['metric']}_without"])


def test_groups_of_one_example_have_the_mean_of_all_and_its_exact_interval(made):
    means = _table(made, "group_means")
    single = means[(means["study"] == "voices") & (means["metric"] == "accuracy")]
    assert len(single)
    np.testing.assert_allclose(single["mean"], single["estimate"])
    assert (single["interval_note"] == "exact (Clopper–Pearson)").all()
    assert (single["note"] == SINGLE).all()


def test_whoever_has_most_of_a_class_is_named(tmp_path):
    made = small_runs(tmp_path)
    tested = _tested(made)
    mine = tested["group"] == tested["group"].min()
    examples = made["results"] / "arrhythmia" / "examples.parquet"
    table = read_table(examples).set_index("example")
    # One patient has all of S in the test part, and the others none.
    table.loc[tested["example"], "label"] = np.where(mine, "S", "N")
    write_table(examples, table.reset_index())
    for path in (made["results"] / "arrhythmia").rglob("predictions.parquet"):
        predictions = read_table(path)
        predictions["label"] = table["label"].loc[predictions["example"]].to_numpy()
        write_table(path, predictions)
    compare_runs(made)
    rows = _table(made, "per_class")
    of_s = rows["label"].eq("S") & rows["kind"].eq("network") & rows["unit"].eq("example")
    (of_s,) = rows[of_s & rows["protocol"].eq("grouped")].to_dict("records")
    assert of_s["largest_group"] == tested["group"].min()
    assert of_s["largest_share"] == 1
    groups = _table(made, "groups")
    alone = groups[(groups["group"] == tested["group"].min()) & (groups["protocol"] == "grouped")]
    assert alone["note"].str.contains("no other group has test examples of S").all()
    assert alone["macro_f1_without"].isna().all()
    assert alone["accuracy_without"].notna().all()


@pytest.mark.parametrize(("groups", "words"), [(2, "one group"), (4, "2 groups: too few")])
def test_few_groups_have_a_sentence_in_place_of_an_interval(tmp_path, groups, words):
    one = study("few", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"])
    compare_runs(made := make_runs(tmp_path, studies=[one], groups=groups, per_group=8))
    means = _table(made, "group_means")
    means = means[(means["protocol"] == "grouped") & (means["metric"] == "accuracy")]
    assert means["mean_low"].isna().all()
    assert means["interval_note"].str.contains(words).all()
    if groups == 2:
        assert (means["influential"] == "").all()
