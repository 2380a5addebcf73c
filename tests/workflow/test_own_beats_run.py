"""A person's own annotated ECG: beats, from the folder to a network and to new annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.folders import ECG_RATE, heartbeats, own_records, write_record
from tests.support.workflow import Workflow
from tests.workflow.test_own import ONE_EPOCH, SMALLEST, lib, told, train_one

pytestmark = pytest.mark.slow


def test_records_whose_beats_have_codes(fresh: Workflow, tmp_path: Path) -> None:
    import wfdb

    folder = own_records(tmp_path / "mine")
    over = {**ONE_EPOCH, "training": {"epochs": 6}, "folder": {"groups": "(p[0-9]+)_"}}
    fresh.configure({**SMALLEST, "folder": str(folder), "settings": {"folder": over}})
    train_one(fresh, "grouped/gru")

    # What test_own.py finds on the page.
    notes, cautions = told(fresh, "notes"), told(fresh, "cautions")
    assert [note for note in notes if "p7_bare.hea: it has no annotated beats" in note]
    assert [note for note in notes if "p7_other.hea: it has no channel II, but V5" in note]
    assert [line for line in cautions if line.startswith("2 of 16 recordings were left out")]
    kept = fresh.path("resources/data/.folder-folder/study.json").read_text()
    assert "Which class does a heartbeat belong to: N, V?" in kept
    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    written = [heartbeats(number)[2] for number in range(14)]
    codes, counts = np.unique(np.concatenate(written), return_counts=True)
    assert examples["label"].value_counts().to_dict() == dict(zip(codes, counts, strict=True))
    assert set(examples["group"]) == {f"p{number}" for number in range(7)}

    # A record that nobody has annotated, of a person whom the network has never met.
    unknown = heartbeats(99)
    record = write_record(tmp_path / "new", "p99", unknown, annotated=False)
    predicted = lib(fresh, "predict", "folder", record, "--annotations", tmp_path / "beats")
    assert predicted.returncode == 0, predicted.stderr
    notes = wfdb.rdann(str(tmp_path / "beats" / "p99"), "atr")
    assert notes.fs == ECG_RATE
    assert list(notes.symbol) == [note.rstrip("\0") for note in notes.aux_note]
    _, peaks, codes = unknown
    apart = np.abs(notes.sample[:, None] - peaks)
    # XQRS misses some of beats as uneven as these, and finds none where there is none.
    assert 0.7 * len(peaks) <= len(notes.sample) <= len(peaks)
    assert apart.min(axis=1).max() <= 0.08 * ECG_RATE
    right = np.array(notes.symbol) == codes[apart.argmin(axis=1)]
    assert right.mean() > 0.8
    # Once more: what is there is not overwritten, and what was predicted is shown all the same.
    again = lib(fresh, "predict", "folder", record, "--annotations", tmp_path / "beats", "--csv")
    assert again.returncode == 1
    assert "annotations are not overwritten" in again.stderr
    assert again.stdout.startswith("file,class,examples,N,V\n")


def test_records_that_have_a_class_and_beats_that_have_none(
    fresh: Workflow, tmp_path: Path
) -> None:
    folder, rows = tmp_path / "mine", ["path,label,group"]
    for number in range(12):
        label = ("healthy", "ill")[number % 2]
        ecg = heartbeats(number, seconds=12, codes="NV"[number % 2])
        write_record(folder / "raw", f"r{number}", ecg)
        rows.append(f"raw/r{number},{label},s{number // 2}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    over = {**ONE_EPOCH, "folder": {"beats": "recordings"}}
    fresh.configure({**SMALLEST, "folder": str(folder), "settings": {"folder": over}})
    done = fresh.run("results/folder/examples.parquet")
    assert done.status == 0, done.output

    examples = pd.read_parquet(fresh.path("results/folder/examples.parquet"))
    assert len(examples) == sum(len(heartbeats(n, seconds=12)[1]) for n in range(12))
    of_record = examples.groupby("recording")["label"].unique()
    assert of_record["raw/r0.hea"].tolist() == ["healthy"]
    assert of_record["raw/r1.hea"].tolist() == ["ill"]
