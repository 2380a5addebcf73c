"""Tables of shortcuts: rows of what was computed, and p values with their correction."""

from __future__ import annotations

import numpy as np
import pytest

from lib.compare.shortcuts import permutation_rows
from lib.errors import HeldoutError
from lib.files import read_json, read_table, write_json
from tests.support.runs import compare_runs, make_runs, study


@pytest.fixture
def made(tmp_path):
    one = study("s", classes=["N", "S"], scored=["N", "S"], seeds=[3, 0], permutations=19)
    return make_runs(tmp_path, studies=[one], groups=12, per_group=6, folds=2)


def _table(made, name):
    return read_table(made["tables"] / f"{name}.csv", text=("note", "interval_note"))


def test_networks_are_set_against_as_many_trainings_of_the_first_seed(made):
    compare_runs(made)
    rows = _table(made, "permutations").set_index("architecture")
    assert list(rows.index) == ["ridge", "lstm", "gru", "cnn"]
    folders = [made["results"] / "s" / "grouped" / "gru" / "seed-3" / f"fold-{k}" for k in (0, 1)]
    own = [read_json(path / "run.json")["metrics"]["test"]["macro_f1"] for path in folders]
    np.testing.assert_allclose(rows.loc["gru", "score"], np.mean(own))
    assert rows.loc["gru", "seed"] == 3
    np.testing.assert_allclose(rows.loc[["lstm", "gru", "cnn"], "p"], 1 / 20)
    np.testing.assert_allclose(rows.loc["ridge", "p"], 1 / 100)
    # Of four tests the smallest is multiplied by four. The others are multiplied by three: none of
    # 20 ways could be rare.
    np.testing.assert_allclose(rows["p_holm"], [0.04, np.nan, np.nan, np.nan])
    few = "too few permutations (19) for 4 tests: no p can be small"
    assert rows["note"].tolist() == ["", few, few, few]
    low, mean, high = rows.loc["gru", ["permuted_low", "permuted", "permuted_high"]]
    assert 0.1 < low < mean < high < 0.3


def test_a_model_without_a_score_makes_no_permutations_too_few(made):
    path = made["results"] / "s" / "shortcuts.json"
    write_json(path, read_json(path) | {"ridge": {"score": None, "permuted": [], "ways": 9e9}})
    for name in ("lstm", "gru"):
        for fold in (0, 1):
            run = made["results"] / "s" / "grouped" / name / "seed-3" / f"fold-{fold}" / "run.json"
            value = read_json(run)
            value["metrics"]["test"]["macro_f1"] = None
            write_json(run, value)
    compare_runs(made)
    rows = _table(made, "permutations").set_index("architecture")
    # The only test.
    assert rows.loc["cnn", "p_holm"] == pytest.approx(1 / 20)
    assert "too few permutations" not in " ".join(rows["note"])


def test_a_training_that_failed_counts_as_one_that_is_as_high(made):
    path = made["results"] / "s" / "permuted" / "gru" / "permutation-4"
    for fold in (0, 1):
        write_json(path / f"fold-{fold}" / "run.json", {"state": "failed", "reason": "nan"})
    compare_runs(made)
    rows = _table(made, "permutations").set_index("architecture")
    np.testing.assert_allclose(rows.loc["gru", "p"], 2 / 20)
    np.testing.assert_allclose(rows.loc["lstm", "p"], 1 / 20)


@pytest.mark.parametrize(
    ("ridge", "note"),
    [
        (
            {"score": 0.9, "permuted": [0.9, 0.5], "ways": 6.0},
            "the labels of the groups can be dealt in 6 ways: no p can be small",
        ),
        (
            {"score": 0.9, "permuted": [0.9], "ways": 1.0},
            "the labels of the groups can be dealt in 1 way: no p can be small",
        ),
        ({"score": None, "permuted": [None], "ways": None}, "the test part has no macro-F1"),
    ],
)
def test_what_cannot_be_told_has_a_sentence(tmp_path, ridge, note):
    one = study("s", classes=["N", "S"], scored=["N", "S"])
    write_json(tmp_path / "s" / "shortcuts.json", {"columns": [], "ridge": ridge})
    (row,) = permutation_rows(one, {}, results=tmp_path)
    assert row["note"] == note
    assert np.isnan(row["p"]) == (ridge["score"] is None)


def test_columns_are_those_that_were_computed(made):
    compare_runs(made)
    rows = _table(made, "shortcuts").set_index("column")
    assert list(rows.index) == ["group", "site", "rate"]
    assert rows.loc["rate", "note"] == "it is the same for all recordings"
    assert np.isnan(rows.loc["rate", "score"])


def test_a_damaged_file_says_what_to_do(made):
    write_json(made["results"] / "s" / "shortcuts.json", [])
    with pytest.raises(HeldoutError, match="Delete it and run again"):
        compare_runs(made)
