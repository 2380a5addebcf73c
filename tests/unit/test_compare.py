"""Compare on fabricated runs: what the tables say, their bytes, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.compare import TABLES, compare
from lib.errors import HeldoutError
from lib.files import read_table, write_table
from tests.runs import make_runs, study

RUN = Path("arrhythmia/grouped/lstm/seed-0/fold-0")


def _compare(made, folder=None, **options):
    folder = folder or made["tables"]
    options = {"resamples": 600} | options
    return compare(
        made["studies"], results=made["results"], tables=folder, claims=made["claims"], **options
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_runs(tmp_path_factory.mktemp("runs"))
    _compare(made)
    return made


@pytest.fixture
def small(tmp_path):
    return make_runs(
        tmp_path,
        studies=[
            study("arrhythmia", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"])
        ],
        groups=12,
        per_group=6,
    )


def _table(made, name):
    return read_table(made["tables"] / f"{name}.csv", text=("note", "interval_note"))


def test_every_table_has_its_columns(made):
    for name, columns in TABLES.items():
        found = list(_table(made, name).columns)
        assert found[: len(columns)] == columns, name


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    again = _compare(made, tmp_path)
    for name, path in again.items():
        assert path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes(), name


def test_only_costs_hold_seconds(made, tmp_path):
    for path in made["results"].glob("arrhythmia/*/*/seed-*/fold-*/run.json"):
        assert "train_seconds" in path.read_text()
    shutil.copytree(made["results"], tmp_path / "results")
    for path in (tmp_path / "results").rglob("run.json"):
        run = json.loads(path.read_text())
        path.write_text(json.dumps(run | {"train_seconds": 1e6, "predict_seconds": 1e3}))
    moved = made | {"results": tmp_path / "results"}
    for name, path in _compare(moved, tmp_path / "tables").items():
        same = path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes()
        assert same == (name != "costs"), name


def test_rows_of_predictions_and_examples_may_come_in_any_order(made, tmp_path):
    shutil.copytree(made["results"], tmp_path / "results")
    for name in ("predictions", "examples", "split"):
        for path in (tmp_path / "results").rglob(f"{name}.parquet"):
            write_table(path, pd.read_parquet(path).sample(frac=1, random_state=1))
    moved = made | {"results": tmp_path / "results"}
    for name, path in _compare(moved, tmp_path / "tables").items():
        assert path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes(), name


def test_leaderboard_is_right(made):
    board = _table(made, "leaderboard")
    row = board.query(
        "study == 'arrhythmia' and protocol == 'grouped' and architecture == 'cnn' "
        "and metric == 'accuracy'"
    ).iloc[0]
    right = []
    for seed in (0, 1):
        path = made["results"] / f"arrhythmia/grouped/cnn/seed-{seed}/fold-0/predictions.parquet"
        table = pd.read_parquet(path).query("part == 'test'")
        classes = made["studies"][0]["classes"]
        right.append((table[classes].idxmax(axis=1) == table["label"]).mean())
    assert row["estimate"] == pytest.approx(np.mean(right))
    assert row["low"] < row["estimate"] < row["high"]
    assert (row["groups"], row["seeds"], row["folds"]) == (12, 2, 1)
    assert row["simulated"]


def test_inflation_is_random_minus_honest(made):
    gaps = _table(made, "inflation")
    assert gaps["difference"].tolist() == pytest.approx(gaps["random"] - gaps["honest"])
    cnn = gaps.query("study == 'arrhythmia' and architecture == 'cnn' and metric == 'macro_f1'")
    assert cnn["low"].item() > 0


def test_confusion_counts_all_test_examples(made):
    table = _table(made, "confusion").query("study == 'arrhythmia' and protocol == 'grouped'")
    assert set(table.groupby("architecture")["count"].sum()) == {240.0}
    shares = table.groupby(["architecture", "label"])["share"].sum()
    assert shares.tolist() == pytest.approx([1] * len(shares))


def test_differences_are_corrected_within_a_family(made):
    table = _table(made, "differences")
    assert (table["p_holm"].dropna() >= table["p"].dropna()).all()
    assert (
        len(table.query("study == 'voices' and protocol == 'random' and metric == 'accuracy'"))
        == 12
    )


def test_too_few_resamples_are_said_to_be_too_few(small):
    _compare(small, resamples=50)
    table = _table(small, "differences")
    assert table["p_holm"].isna().all()
    assert table["note"].str.contains("too few resamples for 3 tests").all()
    assert _table(small, "answers")["beats_baselines"].item() == "unknown"


def test_answer_is_chosen_on_validation(made):
    answer = _table(made, "answers").set_index("study").loc["arrhythmia"]
    runs = _table(made, "runs").query(
        "study == 'arrhythmia' and protocol == 'grouped' and kind == 'network'"
    )
    best = runs.groupby("architecture")["validation_macro_f1"].mean().idxmax()
    assert answer["architecture"] == best
    assert answer["beats_baselines"] == "yes"


def test_claims_stand_beside_ours(made):
    claims = _table(made, "claims").set_index("source")
    board = (
        _table(made, "leaderboard")
        .query("study == 'arrhythmia' and architecture == 'cnn' and metric == 'macro_f1'")
        .set_index("protocol")["estimate"]
    )
    assert claims.loc["A 2019", "same_split"] == pytest.approx(board["random"])
    assert claims.loc["A 2019", "honest"] == pytest.approx(board["grouped"])
    assert not claims.loc["B 2019", "valid"]
    # No protocol of this study is that claim's: there is no number to put beside it.
    assert np.isnan(claims.loc["C", "same_split"])


def test_our_claims_name_known_studies_and_metrics():
    table = read_table("resources/claims.csv")
    assert set(table["study"]) <= {"arrhythmia", "exercise", "voices", "accents", "heart_sounds"}
    assert set(table["protocol"].dropna()) <= {"random", "published", "grouped"}
    assert table["value"].between(0, 1).all()
    assert table.loc[~table["valid"], "note"].notna().all()


def test_folds_are_pooled(tmp_path):
    made = make_runs(tmp_path, studies=[study("s", classes=["a", "b"], scored=["a", "b"])], folds=3)
    _compare(made)
    row = (
        _table(made, "leaderboard").query("protocol == 'grouped' and metric == 'accuracy'").iloc[0]
    )
    assert (row["folds"], row["groups"], row["examples"]) == (3, 24, 480)


def test_one_architecture_is_noted(small):
    _compare(small)
    assert "one architecture" in _table(small, "answers")["note"].item()


def test_one_class_in_the_test_part_gives_a_note(small):
    one = small["results"] / "arrhythmia"
    table = pd.read_parquet(one / "examples.parquet")
    write_table(one / "examples.parquet", table.assign(label="N"))
    for path in one.rglob("predictions.parquet"):
        write_table(path, pd.read_parquet(path).assign(label="N"))
    _compare(small)
    board = _table(small, "leaderboard").query("metric == 'macro_f1'")
    assert board["estimate"].isna().all()
    assert board["interval_note"].str.contains("one class").all()


def test_few_groups_give_a_note(tmp_path):
    made = make_runs(
        tmp_path, studies=[study("s", classes=["a", "b"], scored=["a", "b"])], groups=6
    )
    _compare(made)
    row = (
        _table(made, "leaderboard").query("protocol == 'grouped' and metric == 'macro_f1'").iloc[0]
    )
    assert np.isnan(row["low"])
    assert row["interval_note"] == "3 groups: too few for an interval"
    assert _table(made, "answers")["beats_baselines"].item() == "unknown"


def _edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_missing_or_damaged_file_is_named(small):
    run = small["results"] / RUN
    (run / "run.json").write_text("{")
    with pytest.raises(HeldoutError, match=r"lstm/seed-0/fold-0/run.json: expected a JSON file"):
        _compare(small)
    (run / "run.json").unlink()
    with pytest.raises(HeldoutError, match=r"seed-0/fold-0/run.json"):
        _compare(small)


def test_a_damaged_prediction_is_named(small):
    (small["results"] / RUN / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(HeldoutError, match=r"predictions.parquet: expected a parquet table"):
        _compare(small)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"classes": ["N", "X"]}, "expected the classes N, S of the study, got N, X"),
        ({"trial": "other"}, "expected trial .* got"),
        ({"simulated": False}, "expected a run on simulated recordings, got one on real"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(small, values, words):
    _edit(small["results"] / RUN / "run.json", **values)
    with pytest.raises(HeldoutError, match=words):
        _compare(small)


def test_a_run_without_what_is_needed_is_refused(small):
    path = small["results"] / RUN / "run.json"
    run = json.loads(path.read_text())
    del run["metrics"]
    path.write_text(json.dumps(run))
    with pytest.raises(HeldoutError, match="expected a run with metrics"):
        _compare(small)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.iloc[:-3], "expected a prediction for each of the"),
        (lambda t: t.assign(label="N"), "expected the labels of examples.parquet"),
        (lambda t: t.assign(N=0.9, S=0.9), "add up to 1"),
        (lambda t: t.drop(columns="S"), "expected the columns example, part, label, N, S"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(small, change, words):
    path = small["results"] / RUN / "predictions.parquet"
    table = pd.read_parquet(path).sort_values("part", ascending=False)
    write_table(path, change(table))
    with pytest.raises(HeldoutError, match=words):
        _compare(small)


def test_no_study_is_refused(tmp_path):
    with pytest.raises(HeldoutError, match="expected at least one to compare"):
        compare([], results=tmp_path, tables=tmp_path, claims=tmp_path / "claims.csv")
