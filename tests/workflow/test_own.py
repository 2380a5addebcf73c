"""A person's own folder from end to end: the verdict, the faults on the page, a file predicted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.folder import NO_GROUPS
from tests.folders import own_folder
from tests.workflow.copies import Workflow

pytestmark = pytest.mark.slow


def lib(workflow: Workflow, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m lib` in a copy of the project."""
    command = [sys.executable, "-m", "lib", *map(str, arguments)]
    return subprocess.run(command, cwd=workflow.folder, capture_output=True, text=True)


def test_a_folder_of_twenty_files(fresh: Workflow, tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine")
    parts = {name: {"folds": 1, "test": 0.33} for name in ("grouped", "random")}
    short = {"training": {"epochs": 4}, "protocols": parts}
    fresh.configure({"folder": str(folder), "seeds": [0], "settings": {"folder": short}})
    done = fresh.run()
    assert done.status == 0, done.output

    page = fresh.path("results/report.html").read_text()
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
    shutil.copy(folder / "bell" / "06.flac", folder / "bell" / "99.flac")
    assert fresh.plan().rules["folder"] == 1


def test_what_cannot_be_used_stops_the_run_when_asked_to(fresh: Workflow, tmp_path: Path) -> None:
    folder = own_folder(tmp_path / "mine")
    over = {"folder": {"folder": {"faulty": "stop"}}}
    fresh.configure({"folder": str(folder), "settings": over})
    done = fresh.run()
    assert done.status != 0
    assert "expected recordings that can all be used, got 3 that cannot" in done.output
    assert "bell/03.wav: expected 16,044 bytes by its header" in done.output
