"""Searches inside the workflow: several workers on one journal, and a device that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.support.workflow import Workflow

SEARCH = {
    "method": "bayes",
    "trials": 4,
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
    assert len(table) == 4
    best = json.loads(fresh.path(f"{FOLDER}/best.json").read_text())
    complete = table[table["state"] == "complete"]
    assert best["val_loss"] == pytest.approx(complete["val_loss"].min())

    # Other settings begin another journal.
    fresh.configure({"settings": {"tiny": {"architectures": {"gru": {"factor": 4, "trials": 2}}}}})
    assert fresh.run(f"{FOLDER}/best.json").status == 0
    assert len(list(fresh.path(FOLDER).glob("journal-*.log"))) == 2


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_a_gpu_that_is_asked_for_and_absent_leaves_no_failed_trial(copied: Workflow) -> None:
    copied.configure({"device": "gpu"})
    done = copied.run("results/tiny/search/simple_rnn/best.json")
    assert done.status != 0
    assert "device gpu: expected a GPU that jax can use, got only a cpu" in done.output
    assert "Traceback" not in done.output
    assert not list(copied.path("results/tiny/search/simple_rnn").glob("*/run.json"))


@pytest.mark.slow
def test_trials_are_chosen_by_folds_inside_the_train_part(copied: Workflow) -> None:
    over = {"simple_rnn": {"choose": "folds", "folds": 2}}
    copied.configure({"settings": {"tiny": {"architectures": over}}})
    plan = copied.plan()
    assert plan.values("architecture", "trial") == {"simple_rnn"}
    folder = "results/tiny/search/simple_rnn"
    done = copied.run(f"{folder}/best.json")
    assert done.status == 0, done.output
    table = pd.read_csv(copied.path(f"{folder}/trials.csv")).set_index("trial")
    for run in copied.path(folder).glob("*/run.json"):
        record = json.loads(run.read_text())
        losses = [one["loss"] for one in record["folds"]]
        assert len(losses) == 2
        assert table.loc[record["trial"], "val_loss"] == pytest.approx(sum(losses) / 2)
