"""Compare on damaged runs: each is refused, by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.compare import compare
from lib.errors import HeldoutError
from lib.files import read_table, write_table
from tests.support.runs import compare_runs, small_runs

RUN = Path("arrhythmia/grouped/lstm/seed-0/fold-0")


@pytest.fixture
def small(tmp_path):
    return small_runs(tmp_path)


def _edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_missing_or_damaged_file_is_named(small):
    run = small["results"] / RUN
    (run / "run.json").write_text("{")
    with pytest.raises(HeldoutError, match=r"lstm/seed-0/fold-0/run.json: expected a JSON file"):
        compare_runs(small)
    (run / "run.json").unlink()
    with pytest.raises(HeldoutError, match=r"seed-0/fold-0/run.json"):
        compare_runs(small)


def test_a_damaged_prediction_is_named(small):
    (small["results"] / RUN / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(HeldoutError, match=r"predictions.parquet: expected a parquet table"):
        compare_runs(small)


def test_a_search_that_says_nothing_of_its_edges_is_named(small):
    path = small["results"] / "arrhythmia/search/lstm/best.json"
    path.write_text(json.dumps({"trial": "lstm-00"}))
    with pytest.raises(HeldoutError, match=r"lstm/best\.json: expected the edges of the search"):
        compare_runs(small)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"classes": ["N", "X"]}, "expected the classes N, S of the study, got N, X"),
        ({"trial": "other"}, "expected trial .* got"),
        ({"simulated": False}, "expected a run on simulated recordings, got one on real"),
        ({"seed": 1}, "expected seed 0 as its folder says, got 1"),
        ({"protocol": "random"}, "expected protocol grouped as its folder says, got random"),
        ({"metrics": {"train": {}}}, "expected metrics of the validation part, got none"),
        ({"metrics": []}, "expected metrics of the train part, got none"),
        (
            {"metrics": {part: {} for part in ("train", "validation", "test")}},
            "expected macro_f1 of the validation part, got none",
        ),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(small, values, words):
    _edit(small["results"] / RUN / "run.json", **values)
    with pytest.raises(HeldoutError, match=words):
        compare_runs(small)


def test_a_run_without_what_is_needed_is_refused(small):
    path = small["results"] / RUN / "run.json"
    run = json.loads(path.read_text())
    del run["metrics"]
    path.write_text(json.dumps(run))
    with pytest.raises(HeldoutError, match="expected a run with metrics"):
        compare_runs(small)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.iloc[:-3], "expected a prediction for each of the"),
        (lambda t: t.assign(label="N"), "expected the labels of examples.parquet"),
        (lambda t: t.assign(N=0.9, S=0.9), "add up to 1"),
        (lambda t: t.assign(N=1.5, S=-0.5), "from 0 to 1"),
        (lambda t: t.assign(N=1.0005, S=-0.0005), "predictions.parquet: .* from 0 to 1"),
        (lambda t: t.assign(N=1.0005, S=0.0), "predictions.parquet: .* from 0 to 1"),
        (lambda t: t.assign(N=np.nan), "or NaN"),
        (lambda t: t[t["part"] == "test"], "each of the .* validation examples"),
        (lambda t: pd.concat([t, t.head(1)]), "expected a prediction for each of the"),
        (lambda t: t.drop(columns="S"), "expected the columns example, part, label, N, S"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(small, change, words):
    path = small["results"] / RUN / "predictions.parquet"
    table = pd.read_parquet(path).sort_values("part", ascending=False)
    write_table(path, change(table))
    with pytest.raises(HeldoutError, match=words):
        compare_runs(small)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (
            "grouped/split",
            lambda t: t.drop(columns="part"),
            "split.parquet: expected a column part",
        ),
        ("grouped/split", lambda t: t.assign(example=t["example"] + 1), "got example 72, which"),
        ("grouped/split", lambda t: t[t["part"] != "test"], "expected a test part"),
        ("grouped/split", lambda t: t[t["part"] != "validation"], "expected a validation part of"),
        ("examples", lambda t: t.drop(columns="group"), "expected a column group"),
        ("examples", lambda t: pd.concat([t, t.head(1)]), "expected each example once"),
    ],
)
def test_damaged_splits_and_examples_are_named(small, name, change, words):
    path = small["results"] / f"arrhythmia/{name}.parquet"
    write_table(path, change(pd.read_parquet(path)))
    with pytest.raises(HeldoutError, match=words):
        compare_runs(small)


def test_a_table_of_claims_without_a_column_is_refused(small):
    write_table(small["claims"], read_table(small["claims"]).drop(columns="valid"))
    with pytest.raises(HeldoutError, match="expected the columns study, source"):
        compare_runs(small)


def test_no_study_is_refused(tmp_path):
    with pytest.raises(HeldoutError, match="expected at least one to compare"):
        compare([], results=tmp_path, tables=tmp_path, claims=tmp_path / "claims.csv")
