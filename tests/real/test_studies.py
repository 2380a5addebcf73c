"""The studies on real recordings, through the whole workflow, with the smallest of trainings."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lib.datasets import recordings
from lib.files import read_yaml
from tests.support.workflow import ROOT, Workflow, set_up

DATA = os.environ.get("HELDOUT_DATA", "")

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        not DATA,
        reason="HELDOUT_DATA is not set: it names the folder with real recordings",
    ),
]

# De Chazal et al. (2004), table I, with the beats of every record counted as published.
DS1 = {"N": 45_866, "S": 944, "V": 3_788, "F": 415, "Q": 8}
DS2 = {"N": 44_259, "S": 1_837, "V": 3_221, "F": 388, "Q": 7}
BEATS = 100_733
OF_202 = "202"


def small(*architectures: str, **fixed: Any) -> dict[str, Any]:
    """Return the settings of a study that make its networks small and its trainings short."""
    space = {"units": [[4]]}
    return {
        "architectures": {name: {"fixed": fixed, "space": space} for name in architectures},
        "training": {"epochs": 1},
    }


def prepare(folder: Path, settings: dict[str, dict[str, Any]]) -> Workflow:
    """Copy the project and aim it at the real recordings of some studies."""
    for study in settings:
        dataset = read_yaml(ROOT / "config" / "studies" / f"{study}.yaml")["dataset"]
        if not (Path(DATA) / dataset).is_dir():
            pytest.skip(f"HELDOUT_DATA ({DATA}) has no folder {dataset}")
    workflow = set_up(folder)
    workflow.files = ("config/full.yaml",)
    workflow.config = {
        "studies": [*settings],
        "effort": "quick",
        "mirror": str(Path(DATA).resolve()),
        "shards": 1,
        "seeds": [0],
        "resamples": 100,
        "settings": settings,
    }
    return workflow


def run(workflow: Workflow, *arguments: str) -> str:
    """Run it to its end and give its output."""
    done = workflow.run(*arguments, timeout=1800)
    assert done.status == 0, done.output
    return done.output


def examples(workflow: Workflow, study: str) -> pd.DataFrame:
    return pd.read_parquet(workflow.path(f"results/{study}/examples.parquet"))


def test_arrhythmia_has_the_published_beats(tmp_path: Path) -> None:
    # The quick run leaves out the one with 202, and that by patient, which must be as honest too.
    rules = read_yaml(ROOT / "config" / "studies" / "arrhythmia.yaml")["protocols"]
    left_out = {
        "grouped": rules["grouped"] | {"folds": 1, "test": 0.5},
        "published": rules["published"],
    }
    workflow = prepare(tmp_path / "copy", {"arrhythmia": {"protocols": left_out}})
    audits = [
        f"results/arrhythmia/{protocol}/audit.json"
        for protocol in ("grouped", "published", "published_without_202", "random")
    ]
    run(workflow, *audits)
    table = examples(workflow, "arrhythmia")
    assert len(table) == BEATS

    split = pd.read_parquet(workflow.path("results/arrhythmia/published/split.parquet"))
    joined = split.merge(table, on="example")
    test = joined["part"].astype(str) == "test"
    assert joined.loc[~test, "label"].value_counts().to_dict() == DS1
    assert joined.loc[test, "label"].value_counts().to_dict() == DS2
    assert joined["recording"].nunique() == 44

    split = pd.read_parquet(workflow.path("results/arrhythmia/published_without_202/split.parquet"))
    without = split.merge(table, on="example")
    assert len(joined) - len(without) == (table["recording"] == OF_202).sum()

    found = {path.split("/")[2]: json.loads(workflow.path(path).read_text()) for path in audits}
    assert found["published"]["groups_on_two_sides"]["count"] == 1
    assert "201" in json.dumps(found["published"]["groups_on_two_sides"])
    assert {name for name, audit in found.items() if audit["leaks"]} == {"published", "random"}


def test_three_studies_run_to_their_report(tmp_path: Path) -> None:
    """Heart sounds, voices and accents in one run, as people start them.

    Heart sounds are split by subject, at random, and with each set of recordings tested on the
    other, for one network: the voices have the other two, and compare them.
    """
    heart_sounds = small("simple_rnn", dense=[])
    networks = heart_sounds["architectures"]
    networks["simple_rnn"]["space"] |= {"learning_rate": [0.01], "dropout": [0.0]}
    networks |= {"gru": None, "lstm": None}
    # Five folds of each would be minutes of the same.
    once = {"folds": 1, "test": 0.4}
    by_set = {"by": "set", "honest": True}
    heart_sounds["protocols"] = {
        "random": once,
        "grouped": once,
        "from_a": {
            **{**by_set, "title": "set a, tested on set b", "kind": "external"},
            "parts": {"train": ["a"], "test": ["b"]},
        },
        "sets": {**by_set, "title": "each set alone", "kind": "pairs", "sites": ["a", "b"]},
    }
    voices = small("lstm", "gru", batch_size=25)
    # The heart sounds have splits by group and at random.
    voices["protocols"] = {"random": None, "grouped": None}
    accents = small("gru", batch_size=16)
    accents["architectures"]["lstm"] = None
    accents["protocols"] = {"random": None}
    workflow = prepare(
        tmp_path / "copy",
        {"heart_sounds": heart_sounds, "voices": voices, "accents": accents},
    )
    run(workflow)
    runs = pd.read_csv(workflow.path("results/tables/runs.csv"))
    assert set(runs["study"]) == set(workflow.config["studies"])
    assert not runs["simulated"].any()
    for _, of_study in runs.groupby("study"):
        assert set(of_study["kind"]) == {"network", "baseline"}
    page = workflow.path("results/report.html").read_text(encoding="utf-8")
    assert "simulated recordings" not in page
    assert workflow.plan().jobs == []
    assert_heart_sounds(workflow)
    assert_voices(workflow)
    table = examples(workflow, "accents")
    assert len(table) == table["recording"].nunique() == 57


def assert_heart_sounds(workflow: Workflow) -> None:
    table = examples(workflow, "heart_sounds")
    # Artifact exists in set A only, at 44.1 kHz; the examples are all of one rate.
    assert set(table["label"]) == {"artifact", "murmur", "normal"}
    split = pd.read_parquet(workflow.path("results/heart_sounds/from_a/split.parquet"))
    joined = split.merge(table, on="example")
    assert set(joined.loc[joined["part"].astype(str) == "test", "site"]) == {"b"}
    assert (joined.groupby("group")["part"].nunique() == 1).all()
    sites = pd.read_csv(workflow.path("results/tables/sites.csv"), keep_default_na=False)
    assert set(sites["site"]) == {"", "a", "b"}
    # Only set a has artifacts: what was trained on set b is told no score of theirs to believe.
    of_b = sites[(sites["protocol"] == "sets") & (sites["trained"] == "b")]
    assert of_b["note"].str.contains("no training examples of artifact").all()
    to_b = sites[(sites["site"] == "b") & (sites["metric"] == "macro_f1")]
    assert to_b["interval_note"].str.contains("no test examples of artifact").all()


def assert_voices(workflow: Workflow) -> None:
    labelled = {"train": 50, "validation": 25, "test": 25}
    there = recordings("five_voices", workflow.path("resources/data/five_voices"))
    assert there["split"].value_counts().to_dict() == {**labelled, "predict": 10}
    # What is to be predicted on is neither learned from nor tested on.
    table = pd.read_csv(workflow.path("results/voices/recordings.csv"))
    assert table["split"].value_counts().to_dict() == labelled
    split = pd.read_parquet(workflow.path("results/voices/published/split.parquet"))
    parts = split["part"].astype(str).value_counts().to_dict()
    assert parts == labelled


def test_exercise_stops_and_says_that_classes_are_missing(tmp_path: Path) -> None:
    workflow = prepare(tmp_path / "copy", {"exercise": {}})
    done = workflow.run()
    assert done.status != 0
    for label in ("bicycle", "walking", "treadmill", "laying"):
        assert label in done.output, done.output
    assert "Rest: sitting on armchair" in done.output
    assert "Traceback" not in done.output
    assert not workflow.path("results/exercise").exists() or not list(
        workflow.path("results/exercise").glob("examples*")
    )
    assert workflow.unfinished() == []
