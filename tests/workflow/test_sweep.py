"""Searches inside the workflow: several workers on one journal, and journals that do not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.support.workflow import Workflow

SEARCH = {
    "method": "bayes",
    "trials": 6,
    "workers": 2,
    "fixed": {"units": [3], "dense": [], "batch_size": 64},
    "space": {"learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
}
FOLDER = "results/tiny/search/gru"


@pytest.mark.slow
def test_two_workers_share_a_search_and_its_journal(fresh: Workflow) -> None:
    fresh.configure({"settings": {"tiny": {"architectures": {"gru": SEARCH}}}})
    done = fresh.run(f"{FOLDER}/best.json")
    assert done.status == 0, done.output
    workers = [fresh.path(f"{FOLDER}/worker-{number}.json") for number in (0, 1)]
    one, other = (json.loads(path.read_text()) for path in workers)
    assert one == other
    table = pd.read_csv(fresh.path(f"{FOLDER}/trials.csv"))
    assert len(table) == 6
    best = json.loads(fresh.path(f"{FOLDER}/best.json").read_text())
    complete = table[table["state"] == "complete"]
    assert best["val_loss"] == pytest.approx(complete["val_loss"].min())

    # A journal under the name of another search is refused, and says what to do.
    (journal,) = fresh.path(FOLDER).glob("journal-*.log")
    fresh.configure({"settings": {"tiny": {"architectures": {"gru": {"factor": 4}}}}})
    assert fresh.run(f"{FOLDER}/best.json").status == 0
    (new,) = set(fresh.path(FOLDER).glob("journal-*.log")) - {journal}
    shutil.copy(journal, new)
    workers[0].unlink()
    done = fresh.run(f"{FOLDER}/worker-0.json")
    assert done.status != 0
    assert "written with other settings. Move it away: a new one is begun." in done.output
    assert "Traceback" not in done.output


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_gpu_that_is_asked_for_and_absent_leaves_no_failed_trial(copied: Workflow) -> None:
    copied.configure({"device": "gpu"})
    done = copied.run("results/tiny/search/simple_rnn/best.json")
    assert done.status != 0
    assert "device gpu: expected a GPU that jax can use, got only a cpu" in done.output
    assert "Traceback" not in done.output
    assert not list(copied.path("results/tiny/search/simple_rnn").glob("*/run.json"))
