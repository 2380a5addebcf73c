"""Tables of choices: ranks on validation and test, and what a choice by the test part would say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from lib.compare.selection import TEST_SELECTED
from lib.files import read_table
from tests.support.runs import compare_runs, make_runs, small_runs, study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    one = study("s", classes=["N", "S"], scored=["N", "S"], seeds=[0, 3])
    made = make_runs(tmp_path_factory.mktemp("selection"), studies=[one], groups=40, per_group=12)
    compare_runs(made)
    return made


def _table(made, name):
    return read_table(made["tables"] / f"{name}.csv", text=("note", "interval_note", "gap_note"))


def _scores(made, part, protocol="grouped"):
    from sklearn.metrics import f1_score

    scores = {}
    for name in made["studies"][0]["architectures"]:
        for seed in (0, 3):
            folder = made["results"] / "s" / protocol / name / f"seed-{seed}" / "fold-0"
            table = read_table(folder / "predictions.parquet")
            some = table[table["part"] == part]
            predicted = some[["N", "S"]].idxmax(axis=1)
            scores[name, seed] = f1_score(some["label"], predicted, average="macro")
    return scores


def test_ranks_and_gap_are_those_of_the_runs(made):
    rows = _table(made, "validation").set_index("protocol")
    assert list(rows.index) == ["grouped", "random"]
    row = rows.loc["grouped"]
    held, tested = _scores(made, "validation"), _scores(made, "test")
    expected = spearmanr(list(held.values()), list(tested.values())).statistic
    np.testing.assert_allclose(row["rank_correlation"], expected)
    best = max(held, key=held.get)
    assert (row["architecture"], row["seed"]) == best
    np.testing.assert_allclose(row["gap"], held[best] - tested[best])
    assert row["gap_low"] <= row["gap"] <= row["gap_high"]
    assert row["runs"] == 6
    assert row["validation_groups"] < row["test_groups"]


def test_what_the_test_part_chooses_is_never_called_honest(made):
    rows = _table(made, "selection")
    assert (rows["protocol"] == TEST_SELECTED).all()
    assert not rows["honest"].any()
    assert TEST_SELECTED not in made["studies"][0]["protocols"]


def test_the_test_part_chooses_its_own_best(made):
    rows = _table(made, "selection").set_index("chosen")
    tested = _scores(made, "test")
    best = max(tested, key=tested.get)
    row = rows.loc["network and seed"]
    assert (row["architecture"], row["seed"], row["choices"]) == (*best, 6)
    np.testing.assert_allclose(row["reported"], tested[best])
    network = _table(made, "answers")["architecture"].item()
    honest = np.mean([score for (name, _), score in tested.items() if name == network])
    np.testing.assert_allclose(row["honest_estimate"], honest)
    np.testing.assert_allclose(row["difference"], tested[best] - honest)
    assert rows.loc["seed", "choices"] == 2
    assert (rows["reported"] >= rows["honest_estimate"]).all()
    assert (rows["corrected_low"] <= rows["corrected"]).all()
    assert (rows["corrected"] <= rows["corrected_high"]).all()


@pytest.mark.parametrize("hyperparameters", [True, False])
def test_a_protocol_that_the_test_part_chooses_in(tmp_path, hyperparameters):
    one = study("s", classes=["N", "S"], scored=["N", "S"], seeds=[0, 3])
    rule = {"kind": TEST_SELECTED, "honest": False, "title": "chosen by the test part", "folds": 1}
    one["protocols"]["by_test"] = rule | {"hyperparameters": hyperparameters}
    made = make_runs(tmp_path, studies=[one], groups=40, per_group=12)
    compare_runs(made)
    rows = _table(made, "selection").set_index("chosen")
    what = "epoch and hyperparameters" if hyperparameters else "epoch"
    everything = f"{what.replace(' and ', ', ')}, network and seed"
    assert list(rows.index) == ["seed", "network and seed", what, everything]
    assert not rows["honest"].any()

    network = _table(made, "answers")["architecture"].item()
    tested = _scores(made, "test", protocol="by_test")
    mean = np.mean([score for (name, _), score in tested.items() if name == network])
    row = rows.loc[what]
    assert row["protocol"] == "by_test"
    assert row["architecture"] == network
    np.testing.assert_allclose(row["reported"], mean)
    np.testing.assert_allclose(row["difference"], mean - row["honest_estimate"])
    assert row["low"] <= row["difference"] <= row["high"]
    best = max(tested, key=tested.get)
    row = rows.loc[everything]
    assert (row["architecture"], row["seed"], row["choices"]) == (*best, 6)
    np.testing.assert_allclose(row["reported"], tested[best])
    assert rows.loc[[what, everything], "corrected"].isna().all()
    # It is compared with nothing else.
    for name in ("leaderboard", "validation", "differences", "inflation", "confusion"):
        assert "by_test" not in set(_table(made, name)["protocol"]), name


def test_few_groups_and_few_runs_have_a_sentence(tmp_path):
    compare_runs(made := small_runs(tmp_path))
    rows = _table(made, "validation")
    assert rows["interval_note"].str.contains("2 runs: too few").all()
    grouped = rows[rows["protocol"] == "grouped"]
    assert grouped["note"].str.contains("validation has 2 groups: what is best").all()
    assert grouped["gap_note"].str.contains("2 groups: too few").all()
    one = study("one", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"], seeds=[0])
    compare_runs(made := make_runs(tmp_path / "one", studies=[one], groups=24, per_group=6))
    rows = _table(made, "selection")
    assert (rows["note"] == "one run: there is nothing to choose").all()
    assert rows["reported"].isna().all()
