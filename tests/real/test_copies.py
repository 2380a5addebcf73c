"""Copies among real recordings: those that are known, and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.datasets import get_dataset
from lib.features import write_shard
from lib.features.copies import contradictions, find_copies
from lib.files import read_yaml
from lib.recordings.table import recordings_table
from tests.real.test_split_audit import TWICE
from tests.support.workflow import ROOT

DATA = os.environ.get("HELDOUT_DATA", "")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not DATA, reason="HELDOUT_DATA is not set: it names the folder with real recordings"
    ),
]

STUDIES = ("accents", "arrhythmia", "exercise", "heart_sounds", "voices")
CONTRADICTING = {"murmur__201106141148", "normal__201106141148"}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_holds_the_known_copies_and_no_other(name: str, tmp_path: Path) -> None:
    study = read_yaml(ROOT / "config" / "studies" / f"{name}.yaml")
    folder = Path(DATA) / study["dataset"]
    if not folder.is_dir():
        pytest.skip(f"needs {folder}, which is not there")
    source = get_dataset(study["dataset"])
    there = set(source.recordings(folder)["label"])
    classes = study["classes"]
    if not source.examples_have_labels:
        # A mirror may lack a class.
        classes = {key: labels for key, labels in classes.items() if there & set(labels)}
    table = recordings_table(
        study["dataset"],
        folder,
        classes=classes,
        exclude=study["recordings"]["exclude"],
        min_groups=1,
    )
    settings = dict(study["features"])
    kind, shard = settings.pop("kind"), tmp_path / "0.npz"
    write_shard(
        shard, table, dataset=study["dataset"], kind=kind, settings=settings, classes=classes
    )
    copies = find_copies([shard], table, dataset=study["dataset"])
    pairs = {(copy.first, copy.second) for copy in copies}
    known = {pair for pair in TWICE if set(table["recording"]).issuperset(pair)}
    assert pairs == known
    assert len(known) == (5 if name == "heart_sounds" else 0)
    assert all(copy.correlation > 0.9999 for copy in copies)
    labels = dict(zip(table["recording"], table["label"], strict=True))
    expected = CONTRADICTING if name == "heart_sounds" else set()
    assert set(contradictions(pairs, labels)) == expected
