"""A context, from the recordings to the page, a file and an exported network.

The page is the same for both kinds: a folder has it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.datasets.files import recordings_below
from lib.examples.context import context_columns
from lib.features.rhythm import RHYTHM
from tests.support.folders import own_folder
from tests.support.workflow import Workflow
from tests.workflow.test_own import ONE_EPOCH, SMALLEST, lib

pytestmark = pytest.mark.slow


def test_a_study_of_beats_with_their_rhythm(fresh: Workflow, tmp_path: Path) -> None:
    features = {"baseline": True, "scale": "record", "median_beat": True, "rhythm": True}
    tiny = {"features": features, "architectures": {"simple_rnn": None}}
    fresh.configure(SMALLEST | {"settings": {"tiny": tiny}, "baselines": ["logistic"]})
    run = fresh.path("results/tiny/grouped/gru/seed-0/fold-0")
    wanted = ("exploration.json", "grouped/logistic/seed-0/fold-0/run.json")
    names = [f"results/tiny/{name}" for name in wanted]
    done = fresh.run(*names, str(run.relative_to(fresh.folder) / "run.json"))
    assert done.status == 0, done.output

    base = fresh.path("results/tiny")
    assert np.load(base / "examples.npy", mmap_mode="r").shape[1:] == (48, 2)
    examples = pd.read_parquet(base / "examples.parquet")
    context = examples[context_columns(RHYTHM)]
    assert set(context.dtypes) == {np.dtype(np.float32)}
    # Simulated beats of class S come early, as real ones do.
    early = context["context_rr_before"].groupby(examples["label"]).median()
    assert early["S"] < -0.1 < early["N"]
    exploration = json.loads((base / "exploration.json").read_text())
    assert list(exploration["context"]) == list(RHYTHM)

    # A record gives what the run gave when its beats were examples of the test part.
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


def test_a_folder_whose_table_tells_an_age(fresh: Workflow, tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine")
    paths = [path for path in recordings_below(folder) if "copy" not in path]
    age = {path: float(20 + number) for number, path in enumerate(paths)}
    rows = [f"{path},{Path(path).parent},{age[path]}" for path in paths]
    (folder / "metadata.csv").write_text("\n".join(["path,label,age", *rows, ""]))
    protocols = {**ONE_EPOCH["protocols"], "random": None}
    over = {**ONE_EPOCH, "protocols": protocols, "folder": {"context": ["age"]}}
    fresh.configure(SMALLEST | {"folder": str(folder), "settings": {"folder": over}})
    done = fresh.run()
    assert done.status == 0, done.output
    assert ">age<" in fresh.path("results/report.html").read_text()

    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    assert examples["context_age"].tolist() == [age[path] for path in examples["recording"]]

    # A file gives what the run gave, when the same is told of it, and nothing without.
    run = fresh.path("results/folder/grouped/gru/seed-0/fold-0")
    predicted = pd.read_parquet(run / "predictions.parquet").merge(examples, on="example")
    row = predicted[predicted["part"] == "test"].iloc[0]
    file = folder / row["recording"]
    exported = tmp_path / "exported"
    assert lib(fresh, "export", run, "--output", exported).returncode == 0
    assert "--context age=NUMBER" in (exported / "README.md").read_text()
    for network in (run, exported):
        told = ["--context", f"age={row['context_age']}"]
        answer = lib(fresh, "predict", network, file, *told, "--json")
        assert answer.returncode == 0, answer.stderr
        (item,) = json.loads(answer.stdout)["files"]
        for label, share in item["probabilities"].items():
            assert share == pytest.approx(row[label], abs=1e-5)
    untold = lib(fresh, "predict", run, file)
    assert untold.returncode != 0
    assert "none for age. Add --context age=NUMBER." in untold.stderr

    # Another age is another training; one that is missing stops the run before any.
    assert fresh.plan().jobs == []
    table = (folder / "metadata.csv").read_text()
    (folder / "metadata.csv").write_text(table.replace(",20.0\n", ",\n"))
    failed = fresh.run()
    assert failed.status != 0
    wanted = "column age: expected a finite number for each recording, since folder.context names"
    assert wanted in failed.output
    assert f"got nothing for {paths[0]} (1 of {len(paths)})" in failed.output
