"""Copies among real recordings: those that are known, and no other."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lib.audit.files import audit_files
from lib.datasets import get_dataset
from lib.features import write_shard
from lib.features.copies import contradictions, find_copies
from lib.files import read_yaml
from lib.own.survey import survey
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


# Of one patient.
SAME_PERSON = {"202": "201"}


def pieces(folder: Path, seconds: float, *, count: int) -> pd.DataFrame:
    """Cut pieces out of the first signal of each record of MIT-BIH, and list them."""
    source, rows = get_dataset("mitdb"), []
    files = sorted((Path(DATA) / "mitdb").glob("*.hea"))
    if not files:
        pytest.skip("needs mitdb")
    for file in files:
        signal = source.read(file)
        size = round(seconds * signal.rate)
        ventricular = signal.positions[np.isin(signal.symbols, ["V", "E", "F"])]
        starts = np.linspace(0, len(signal.samples) - size, count).astype(int)
        for number, start in enumerate(starts):
            name = f"{file.stem}_{number}.wav"
            wave = signal.samples[start : start + size, 0]
            soundfile.write(folder / name, wave, round(signal.rate), subtype="FLOAT")
            there = ((ventricular >= start) & (ventricular < start + size)).any()
            group = SAME_PERSON.get(file.stem, file.stem)
            rows.append((name, "ventricular" if there else "other", group))
    table = pd.DataFrame(rows, columns=["path", "label", "group"])
    table.to_csv(folder / "metadata.csv", index=False)
    return table


# The shorter a piece, the more it is like others: there are most of the shortest.
@pytest.mark.parametrize(("seconds", "count"), [(5, 25), (10, 10), (30, 10)])
def test_no_piece_of_an_ecg_is_a_copy_of_another(
    tmp_path: Path, seconds: float, count: int
) -> None:
    table = pieces(tmp_path, seconds, count=count)
    result = survey(tmp_path, dataset="own")
    assert result["left_out"] == []
    assert [note for note in result["notes"] if "same audio" in note] == []
    assert len({row["group"] for row in result["recordings"]}) == 47
    people = sorted(set(table["group"]))
    table["part"] = np.where(table["group"].isin(people[::3]), "test", "train")
    audit = audit_files(table.assign(start=np.nan, end=np.nan), root=tmp_path)
    assert not audit["leaks"]
    assert {"same_audio_within", "contradicting_labels"}.isdisjoint(
        finding["kind"] for finding in audit["findings"]
    )
