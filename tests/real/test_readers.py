"""Readers and features on real recordings; HELDOUT_DATA names the folder of the datasets."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.datasets import read, recordings
from lib.errors import HeldoutError
from lib.examples.arrays import open_examples
from lib.examples.assembly import assemble
from lib.features import extract, shape, write_shard
from lib.metrics.groups import class_counts
from lib.metrics.sample import make_sample
from lib.recordings.shards import deal
from lib.recordings.table import recordings_table

pytestmark = pytest.mark.real

AAMI = {"N": list("NLRej"), "S": list("AaJS"), "V": list("VE"), "F": ["F"], "Q": list("/fQ")}
# The inter-patient division of de Chazal, O'Dwyer and Reilly (2004).
DS1 = (  # noqa: SIM905
    "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
).split()
PACED = ["102", "104", "107", "217"]


@pytest.fixture(scope="module")
def folder():
    """Return the folder of a dataset."""

    def find(dataset):
        if not os.environ.get("HELDOUT_DATA"):
            pytest.skip("HELDOUT_DATA is not set: it names the folder of the real datasets")
        path = Path(os.environ["HELDOUT_DATA"]) / dataset
        if not path.is_dir():
            pytest.skip(f"{path} is missing: no real recordings of {dataset}")
        return path

    return find


def read_all(dataset, table):
    """Read every recording, and compare it with what was listed."""
    for row in table.itertuples():
        signal = read(dataset, row.path)
        assert signal.rate == row.rate
        assert signal.duration == pytest.approx(row.duration)
        assert np.ptp(signal.samples) > 0
        yield row, signal


def test_mitdb_beats_are_the_published_ones(folder, tmp_path):
    data = folder("mitdb")
    listed = recordings("mitdb", data)
    assert len(listed) == 48
    assert listed["group"].nunique() == 47
    table = recordings_table("mitdb", data, classes=AAMI, exclude=PACED)
    assert len(table) == 44
    shards = []
    settings = {"lead": "MLII", "rate": 125, "samples": 187, "before": 0.6}
    for number, part in enumerate(deal(table, 3)):
        shards.append(tmp_path / f"{number}.npz")
        chosen = {"dataset": "mitdb", "kind": "beats", "settings": settings, "classes": AAMI}
        write_shard(shards[-1], part, **chosen)
    assemble(shards, table, npy=tmp_path / "x.npy", parquet=tmp_path / "x.parquet")
    examples = pd.read_parquet(tmp_path / "x.parquet")
    assert open_examples(tmp_path / "x.npy").shape == (100_733, 187, 1)
    first = examples["recording"].isin(DS1)
    assert examples[first]["label"].value_counts().to_dict() == {
        "N": 45_866,
        "S": 944,
        "V": 3_788,
        "F": 415,
        "Q": 8,
    }
    assert examples[~first]["label"].value_counts().to_dict() == {
        "N": 44_259,
        "S": 1_837,
        "V": 3_221,
        "F": 388,
        "Q": 7,
    }
    # What the page says beside a score on these: one record has most of S, another nearly all of F.
    tested = examples[~first]
    right = pd.get_dummies(tested["label"])[list(AAMI)].to_numpy(dtype=float)
    sample = make_sample(tested["label"], right, classes=list(AAMI), group=tested["recording"])
    share = pd.DataFrame(class_counts(sample), index=sample.names, columns=list(AAMI))
    share /= share.sum()
    assert share["S"].idxmax() == "232"
    assert share["S"].max() == pytest.approx(0.752, abs=5e-4)
    assert share["F"].idxmax() == "213"
    assert share["F"].max() == pytest.approx(0.933, abs=5e-4)
    assert share["N"].max() < 0.5
    # Aligned: in record 100, of normal beats, the peak is the highest of what surrounds it.
    x = open_examples(tmp_path / "x.npy")[(examples["recording"] == "100").to_numpy()]
    assert np.mean(np.abs(x[:, 50:100, 0].argmax(axis=1) - 25) <= 1) > 0.95


def test_mitdb_has_every_annotated_beat_and_leads_by_name(folder):
    data = folder("mitdb")
    beats = 0
    for row, signal in read_all("mitdb", recordings("mitdb", data)):
        beats += len(signal.positions)
        assert signal.samples.shape == (650_000, 2)
        if row.recording == "114":
            assert signal.channels == ("V5", "MLII")
    assert beats == 109_494
    with pytest.raises(HeldoutError, match=r"102\.hea: expected the lead MLII, got V5, V2"):
        extract(
            read("mitdb", data / "102.hea"),
            kind="beats",
            lead="MLII",
            rate=125,
            samples=187,
            before=0.6,
        )


def test_heartbeat_sounds(folder):
    table = recordings("heartbeat_sounds", folder("heartbeat_sounds"))
    assert len(list(read_all("heartbeat_sounds", table))) == len(table)
    assert set(table["label"]) == {"", "artifact", "extrahls", "extrastole", "murmur", "normal"}
    assert set(table.loc[table["label"] == "artifact", "rate"]) == {44_100}
    assert set(table.loc[table["set"] == "b", "rate"]) == {4_000}


def test_ephnogram(folder):
    data = folder("ephnogram")
    table = recordings("ephnogram", data)
    for row, signal in read_all("ephnogram", table):
        assert signal.channels == ("ECG", "PCG")
        twin = data / "WFDB" / f"{row.recording}.hea"
        if twin.is_file():
            np.testing.assert_allclose(read("ephnogram", twin).samples, signal.samples, atol=1e-4)
    sitting, lying = "Rest: sitting on armchair", "Rest: laying on bed"
    assert sitting in set(table["label"])
    if lying not in set(table["label"]):
        with pytest.raises(HeldoutError, match=rf"class lying: .*got none.*{sitting} \(3\)"):
            classes = {"sitting": [sitting], "lying": [lying]}
            recordings_table("ephnogram", data, classes=classes)


def test_five_voices(folder):
    table = recordings("five_voices", folder("five_voices"))
    counts = {"train": 50, "validation": 25, "test": 25, "predict": 10}
    assert table["split"].value_counts().to_dict() == counts
    assert "train-James.01" in set(table["recording"])
    assert len(list(read_all("five_voices", table))) == 110


def test_common_voice(folder):
    table = recordings("common_voice", folder("common_voice"))
    assert len(list(read_all("common_voice", table))) == len(table) >= 100
    assert {"nortepeninsular", "mexicano", ""} <= set(table["label"])
    if len(table) == 100:
        assert table["group"].nunique() == 69
        assert (table["label"] == "").sum() == 43


@pytest.mark.parametrize(
    ("dataset", "kind", "settings"),
    [
        (
            "ephnogram",
            "windows",
            {"channels": ["ECG", "PCG"], "rate": 8000, "samples": 10000, "stride": 10000}
            | {"limit": 40},
        ),
        (
            "heartbeat_sounds",
            "mfcc",
            {"rate": 4000, "duration": 4.0, "n_mfcc": 13, "n_mels": 40, "n_fft": 512, "hop": 128},
        ),
        (
            "five_voices",
            "spectral",
            {"rate": 22050, "frames": 128, "n_fft": 2048, "hop": 512}
            | {"parts": ["mfcc", "centroid", "chroma", "contrast"]},
        ),
        (
            "common_voice",
            "mel",
            {"rate": 32000, "duration": 5.0, "n_mels": 64, "n_fft": 2048, "hop": 512},
        ),
    ],
)
def test_features_of_real_recordings(folder, dataset, kind, settings):
    table = recordings(dataset, folder(dataset))
    for path in table["path"].iloc[:: max(1, len(table) // 12)]:
        features = extract(read(dataset, path), kind=kind, **settings)
        assert len(features.x)
        assert features.x.shape[1:] == shape(kind, **settings)
        assert features.x.std() > 0
