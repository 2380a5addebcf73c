"""Beats with their rhythm: from the recordings to the page, a file and an exported network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.examples.context import context_columns
from lib.features.rhythm import RHYTHM
from tests.support.workflow import Workflow
from tests.workflow.test_own import SMALLEST, lib

pytestmark = pytest.mark.slow


def test_a_study_of_beats_with_their_rhythm(fresh: Workflow, tmp_path: Path) -> None:
    features = {"baseline": True, "scale": "record", "median_beat": True, "rhythm": True}
    over = {"settings": {"tiny": {"features": features}}, "baselines": ["logistic"]}
    fresh.configure(SMALLEST | over)
    done = fresh.run()
    assert done.status == 0, done.output

    base = fresh.path("results/tiny")
    assert np.load(base / "examples.npy", mmap_mode="r").shape[1:] == (48, 2)
    examples = pd.read_parquet(base / "examples.parquet")
    context = examples[context_columns(RHYTHM)]
    assert set(context.dtypes) == {np.dtype(np.float32)}
    # Simulated beats of class S come early, as real ones do.
    early = context["context_rr_before"].groupby(examples["label"]).median()
    assert early["S"] < -0.1 < early["N"]
    page = fresh.path("results/report.html").read_text()
    assert all(f">{name}<" in page for name in RHYTHM)

    # A record gives what the run gave when its beats were examples of the test part.
    run = base / "grouped" / "gru" / "seed-0" / "fold-0"
    inputs = json.loads((run / "run.json").read_text())["inputs"]
    assert inputs["context"]["names"] == list(RHYTHM)
    predicted = pd.read_parquet(run / "predictions.parquet").merge(examples, on="example")
    test = predicted[predicted["part"] == "test"]
    name = test["recording"].iloc[0]
    of_record = test[test["recording"] == name].sort_values("start")
    record = fresh.path(f"resources/data/mitdb/{name}.hea")
    exported = tmp_path / "exported"
    assert lib(fresh, "export", run, "--output", exported).returncode == 0
    for network in (run, exported):
        answer = lib(fresh, "predict", network, record, "--json")
        assert answer.returncode == 0, answer.stderr
        windows = pd.DataFrame(json.loads(answer.stdout)["files"][0]["windows"])
        # A record has beats of no class of the study, too.
        kept = windows[windows["start"].round(4).isin(of_record["start"].round(4))]
        got = np.array([[row[label] for label in "NSV"] for row in kept["probabilities"]])
        np.testing.assert_allclose(got, of_record[["N", "S", "V"]], atol=1e-5)
