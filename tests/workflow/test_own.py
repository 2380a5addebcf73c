"""A person's own folder: the verdict, the faults on the page, a file predicted.

One folder goes from end to end; others, of which all that is different comes before the page, to a
trained network.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlcroissant import Dataset

from lib.own.survey import NO_GROUPS
from tests.support.folders import own_folder
from tests.support.workflow import Workflow

pytestmark = pytest.mark.slow


def lib(workflow: Workflow, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m lib` in a copy of the project."""
    command = [sys.executable, "-m", "lib", *map(str, arguments)]
    return subprocess.run(command, cwd=workflow.folder, capture_output=True, text=True)


def told(workflow: Workflow, name: str) -> list[str]:
    """Return what the manifest of the folder has for the page: `cautions` or `notes`."""
    manifest = json.loads(workflow.path("resources/data/folder-folder.json").read_text())
    return list(manifest[name])


def train_one(workflow: Workflow, network: str) -> None:
    """Run the workflow up to one trained network, such as `grouped/gru`, and the exploration."""
    run = f"results/folder/{network}/seed-0/fold-0/run.json"
    done = workflow.run(run, "results/folder/exploration.json")
    assert done.status == 0, done.output


def test_a_folder_of_twenty_files(fresh: Workflow, tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "Dr. Smith")
    parts = {name: {"folds": 1, "test": 0.33} for name in ("grouped", "random")}
    short = {"training": {"epochs": 4}, "protocols": parts}
    over = {"seeds": [0], "shards": 1, "resamples": 100, "settings": {"folder": short}}
    fresh.configure({"folder": str(folder), **over})
    done = fresh.run()
    assert done.status == 0, done.output

    page = fresh.path("results/report.html").read_text()
    # What the manifest says is what the page says.
    assert all(escape(line) in page for name in ("cautions", "notes") for line in told(fresh, name))
    assert NO_GROUPS[:60] in page
    assert "Left out: bell/03.wav: expected 16,044 bytes by its header, got 2,000" in page
    assert "Left out: hum/copy.flac: it holds the same audio as bell/00.flac" in page
    answers = pd.read_csv(fresh.path("results/tables/answers.csv"))
    assert answers["study"].tolist() == ["folder"]
    assert 0 <= answers["macro_f1"].item() <= 1

    # A file gives what the run gave when it was an example of the test part.
    run = "results/folder/grouped/gru/seed-0/fold-0"
    predicted = pd.read_parquet(fresh.path(f"{run}/predictions.parquet"))
    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    recordings = pd.read_csv(fresh.path("results/folder/recordings.csv"))
    described = Dataset(jsonld=str(fresh.path("results/croissant/folder-folder.json")))
    assert described.metadata.issues.errors == set()
    assert len(list(described.records("folder"))) == len(recordings)
    checklist = pd.read_csv(fresh.path("results/checklists/folder/reforms.csv"), index_col="item")
    assert "from a folder of the author's own" in checklist.loc["2a", "answer"]
    assert "Left out: 3 of 20 recordings" in checklist.loc["3f", "answer"]
    test = predicted[predicted["part"] == "test"].merge(examples, on="example")
    test = test.merge(recordings, on="recording", suffixes=("", "_of"))
    done_lib = lib(fresh, "predict", run, *test["path"], "--json")
    assert done_lib.returncode == 0, done_lib.stderr
    found = json.loads(done_lib.stdout)
    for item, row in zip(found["files"], test.to_dict("records"), strict=True):
        expected = [row[name] for name in found["classes"]]
        got = [item["probabilities"][name] for name in found["classes"]]
        np.testing.assert_allclose(got, expected, atol=1e-5)

    # One recording more: the folder is surveyed anew. Nothing more: nothing is done.
    assert fresh.plan().jobs == []
    kept = fresh.path("resources/data/.folder-folder/study.json")
    before = kept.read_text()
    shutil.copy(folder / "bell" / "06.flac", folder / "bell" / "99.flac")
    assert fresh.plan().rules["folder"] == 1
    assert kept.read_text() != before


SMALLEST: dict[str, Any] = {"seeds": [0], "shards": 1, "baselines": ["majority"], "resamples": 100}
# One network: `test_a_folder_of_twenty_files` has both.
ONE_EPOCH: dict[str, Any] = {
    "training": {"epochs": 1},
    "architectures": {"cnn": None},
    "protocols": {name: {"folds": 1, "test": 0.33} for name in ("grouped", "random")},
}


def wave(seed: int, frequency: float, *, rate: int, seconds: float) -> np.ndarray:
    """Make a measured signal of a class, never the same twice: shape (time,), mV."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    return np.sin(2 * np.pi * frequency * time + rng.uniform(0, 6)) + 0.3 * rng.normal(
        size=len(time)
    )


def test_wfdb_records_with_the_person_in_the_path(fresh: Workflow, tmp_path: Path) -> None:
    import wfdb

    rate = 128
    for number in range(12):
        label, person = ("slow", "fast")[number % 2], f"p{number // 2}"
        folder = tmp_path / "mine" / label / person
        folder.mkdir(parents=True, exist_ok=True)
        signal = wave(number, 1.0 + 3 * (number % 2), rate=rate, seconds=12)
        # Leads stand in another order in every second record.
        names = ["II", "V1"] if number % 3 else ["V1", "II"]
        both = np.stack([signal, signal / 2 + 0.1 * number], axis=1)
        wfdb.wrsamp(f"r{number}", rate, ["mV"] * 2, names, both, fmt=["16"] * 2, write_dir=folder)
        if number % 4 == 0:
            wfdb.wrann(f"r{number}", "atr", np.array([99, 500]), ["N", "V"], write_dir=str(folder))
    (tmp_path / "mine" / "slow" / "p0" / "r0.dat").write_bytes(b"cut")
    over = {**ONE_EPOCH, "folder": {"groups": "(p[0-9]+)"}}
    fresh.configure({**SMALLEST, "folder": str(tmp_path / "mine"), "settings": {"folder": over}})
    train_one(fresh, "grouped/cnn_lstm")

    (note,) = told(fresh, "notes")
    assert note.startswith("Left out: slow/p0/r0.hea")
    # And none that groups are not known.
    (caution,) = told(fresh, "cautions")
    assert caution.startswith("1 of 12 recordings were left out")
    recordings = pd.read_csv(fresh.path("results/folder/recordings.csv"))
    assert sorted(recordings["group"].unique()) == [f"p{number}" for number in range(6)]
    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    assert len(examples) == 11
    done_lib = lib(fresh, "predict", "folder", tmp_path / "mine/fast/p1/r3", "--windows", "--csv")
    assert done_lib.returncode == 0, done_lib.stderr
    assert done_lib.stdout.splitlines()[0] == "file,start,end,class,fast,slow"


def test_matlab_files_that_a_table_describes(fresh: Workflow, tmp_path: Path) -> None:
    from scipy.io import savemat

    folder = tmp_path / "mine"
    (folder / "raw").mkdir(parents=True)
    rows = ["path,label,group,split"]
    for number in range(18):
        x = wave(number, 1.0 + 3 * (number % 2), rate=100, seconds=6)
        savemat(folder / "raw" / f"{number}.mat", {"ECG": x, "hz": 100.0, "note": "text"})
        part = ("train", "train", "test")[number // 6]
        rows.append(f"raw/{number}.mat,{('rest', 'run')[number % 2]},s{number // 2},{part}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    over = {**ONE_EPOCH, "folder": {"variable": "ECG", "rate": "hz"}}
    fresh.configure({**SMALLEST, "folder": str(folder), "settings": {"folder": over}})
    train_one(fresh, "published/cnn_lstm")

    split = pd.read_parquet(fresh.path("results/folder/published/split.parquet"))
    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    joined = split.merge(examples[["example", "split"]], on="example")
    test = joined["part"] == "test"
    assert (joined.loc[test, "split"] == "test").all()
    assert test.sum() == 6
    assert not [line for line in told(fresh, "notes") if "left out" in line.lower()]
    exploration = json.loads(fresh.path("results/folder/exploration.json").read_text())
    assert exploration["left_out"] == {}
    kept = fresh.path("resources/data/.folder-folder/study.json").read_text()
    assert "as in metadata.csv" in kept
    # The variable and its rate travel with the model.
    done_lib = lib(fresh, "predict", "folder", folder / "raw/17.mat", "--json")
    assert done_lib.returncode == 0, done_lib.stderr
    assert json.loads(done_lib.stdout)["files"][0]["rate"] == 100


def test_what_cannot_be_used_stops_the_run_when_asked_to(fresh: Workflow, tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine")
    over = {"folder": {"folder": {"faulty": "stop"}}}
    fresh.configure({"folder": str(folder), "settings": over})
    done = fresh.run()
    assert done.status != 0
    assert "expected recordings that can all be used, got 3 that cannot" in done.output
    assert "bell/03.wav: expected 16,044 bytes by its header" in done.output
