"""Shards of features."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from lib.datasets import COLUMNS, DATASETS, Signal
from lib.errors import HeldoutError
from lib.examples.assembly import undecodable
from lib.features import extract, make, shape, write_shard
from lib.features.fingerprint import BANDS, fingerprint, unpack
from lib.files import sha256

WINDOWS = {"channels": ["a"], "rate": 10, "samples": 5, "stride": 5}
BEATS = {"lead": "a", "rate": 10, "samples": 5, "before": 0.2}


def table(*rows):
    """Rows of (recording, class)."""
    fixed = {"group": "g", "split": "", "rate": 20.0, "duration": 9.0, "channels": 2}
    found = [{"recording": n, "path": n, "label": label} | fixed for n, label in rows]
    return pd.DataFrame(found, columns=list(COLUMNS))


@pytest.fixture
def signals(monkeypatch):
    """Return every dataset the recordings of a test, by path."""
    known = {}
    datasets = {name: replace(one, read=known.__getitem__) for name, one in DATASETS.items()}
    monkeypatch.setattr("lib.datasets.registry.DATASETS", datasets)
    return known


def write(path, recordings, **changed):
    chosen = {"dataset": "ephnogram", "kind": "windows", "settings": WINDOWS, "classes": {}}
    write_shard(path, recordings, **chosen | changed)
    with np.load(path) as arrays:
        return dict(arrays)


def test_shard_holds_examples_and_what_is_known_of_them(tmp_path, signals):
    signals["r1"] = Signal(np.arange(12.0)[:, None], 10.0, ("a",))
    signals["r2"] = Signal(np.full((5, 1), 0.1) * np.array([[1], [-1]] * 2 + [[1]]), 10.0, ("a",))
    found = write(tmp_path / "0.npz", table(("r1", "x"), ("r2", "why")))
    assert found["x"].dtype == np.float32
    assert found["x"][:, :, 0].tolist()[:2] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert found["recording"].tolist() == ["r1", "r1", "r2"]
    assert found["label"].tolist() == ["x", "x", "why"]
    assert found["start"].tolist() == [0, 0.5, 0]
    assert found["recordings"].tolist() == ["r1", "r2"]
    # As published, not as read: the metadata baseline is to know what anybody could.
    assert set(found["rate"]) == {20.0}
    assert set(found["duration"]) == {9.0}
    assert set(found["channels"]) == {2}
    assert found["level"][2] == pytest.approx(-20, abs=1e-4)
    assert set(found["unit"]) == {"full scale"}
    assert {path.name for path in tmp_path.iterdir()} == {"0.npz"}


def test_beats_have_their_own_class_and_others_are_dropped(tmp_path, signals):
    symbols = np.array(list("NLVQ"), dtype="<U1")
    wave = np.arange(40.0)[:, None]
    signals["100"] = Signal(wave, 10.0, ("a",), np.array([5, 10, 20, 30]), symbols, unit="mV")
    signals["101"] = Signal(wave, 10.0, ("a",), np.array([5]), np.array(["Q"], dtype="<U1"))
    found = write(
        tmp_path / "0.npz",
        table(("100", ""), ("101", "")),
        dataset="mitdb",
        kind="beats",
        settings=BEATS,
        classes={"normal": ["N", "L"], "ectopic": ["V"]},
    )
    assert found["label"].tolist() == ["normal", "normal", "ectopic"]
    assert found["x"][:, 2, 0].tolist() == [5, 10, 20]
    assert found["recordings"].tolist() == ["100", "101"]
    assert set(found["unit"]) == {"mV"}


def test_context_stays_beside_its_beat(tmp_path, signals):
    symbols = np.array(list("NQVN"), dtype="<U1")
    wave, positions = np.arange(40.0)[:, None], np.array([5, 10, 20, 30])
    signals["100"] = signal = Signal(wave, 10.0, ("a",), positions, symbols, unit="mV")
    chosen = BEATS | {"rhythm": True}
    shard = write(
        tmp_path / "0.npz",
        table(("100", "")),
        dataset="mitdb",
        kind="beats",
        settings=chosen,
        classes={"normal": ["N"], "ectopic": ["V"]},
    )
    assert shard["context_names"].tolist() == list(make("beats", **chosen).context)
    # The beat of no class is left out, but the rhythm is that of all beats.
    whole = extract(signal, kind="beats", **chosen).context
    np.testing.assert_array_equal(shard["context"], whole[[0, 2, 3]])


WHOLE = BEATS | {"median_beat": True}


@pytest.mark.parametrize(
    ("kind", "chosen"), [("windows", WINDOWS), ("beats", BEATS), ("beats", WHOLE)]
)
def test_empty_shard_has_the_shape_of_others(tmp_path, kind, chosen):
    found = write(tmp_path / "0.npz", table(), kind=kind, settings=chosen)
    assert found["x"].shape == (0, *shape(kind, **chosen))
    assert json.loads(str(found.pop("made_with"))) == {}
    assert {len(array) for array in found.values()} == {0}
    assert found["label"].dtype.kind == "U"


def test_shard_is_whole_or_not_there(tmp_path, signals):
    signals["r1"] = Signal(np.arange(12.0)[:, None], 10.0, ("a",))
    signals["r2"] = Signal(np.arange(2.0)[:, None], 10.0, ("a",), name="r2")
    with pytest.raises(HeldoutError, match=r"r2: expected at least the 0\.5 s of one window"):
        write(tmp_path / "0.npz", table(("r1", "x"), ("r2", "x")))
    assert list(tmp_path.iterdir()) == []


def test_shard_says_what_made_it(tmp_path):
    made = write(tmp_path / "0.npz", table(), made_with={"librosa": "0.11.0"})
    assert json.loads(str(made["made_with"])) == {"librosa": "0.11.0"}


def test_shard_holds_a_fingerprint_of_each_recording(tmp_path, signals):
    rng = np.random.default_rng(0)
    for name, rate in (("r1", 500.0), ("r2", 8000.0), ("r3", 10.0)):
        signals[name] = Signal(rng.normal(size=(round(6 * rate), 1)), rate, ("a",))
    rows = table(("r1", "x"), ("r2", "x"), ("r3", "x"))
    arrays = write(tmp_path / "0.npz", rows, settings=WINDOWS | {"rate": 1000})
    # The band follows from the rate of the features, so that all recordings compare.
    assert arrays["band"].tolist() == [1, 1, 1]
    for name, one in zip(("r1", "r2", "r3"), unpack(arrays), strict=True):
        expected = fingerprint(signals[name], band=BANDS[1])
        np.testing.assert_array_equal(one.bits, expected.bits)
        np.testing.assert_array_equal(one.heard, expected.heard)
    assert len(set(arrays["content"])) == 3
    assert arrays["fault"].tolist() == ["", "", ""]


def test_a_file_in_which_nothing_can_be_read(tmp_path):
    known = {"dataset": "common_voice", "kind": "mel", "classes": {}}
    mel = {"rate": 16000, "duration": 0.5, "n_mels": 8, "n_fft": 512, "hop": 256}
    clip, empty = tmp_path / "a.mp3", tmp_path / "b.mp3"
    soundfile.write(clip, 0.1 * np.random.default_rng(0).normal(size=24000), 48000, format="MP3")
    empty.touch()
    rows = table((str(clip), "x"), (str(empty), "x"))
    rows = rows.assign(recording=["a", "b"], sha256=[sha256(clip), sha256(empty)])
    arrays = write(tmp_path / "0.npz", rows, settings=mel, **known)
    assert arrays["recording"].tolist() == ["a"]
    assert arrays["recordings"].tolist() == ["a", "b"]
    assert arrays["fault"].tolist() == ["", "expected a recording, got an empty file"]
    assert undecodable([tmp_path / "0.npz"]) == {"b": "expected a recording, got an empty file"}
    # It was longer when it was retrieved, or nobody knows.
    for wrong in (
        rows.assign(sha256="0" * 64),
        rows.assign(sha256=""),
        rows.drop(columns="sha256"),
    ):
        with pytest.raises(HeldoutError, match=r"b\.mp3: expected a recording, got an empty file"):
            write(tmp_path / "1.npz", wrong, settings=mel, **known)
    # A file that ends too early is no such file.
    clip.write_bytes(clip.read_bytes()[:-30])
    rows = rows.assign(sha256=[sha256(clip), sha256(empty)])
    with pytest.raises(HeldoutError, match=r"a\.mp3: .*truncated"):
        write(tmp_path / "1.npz", rows, settings=mel, **known)


@pytest.mark.parametrize(
    ("low", "high", "share"), [(-9, 9, 0), (-0.5, 9, 1 / 3), (-0.5, 0.5, 2 / 3)]
)
def test_shard_says_how_much_of_a_recording_is_saturated(tmp_path, signals, low, high, share):
    wave = np.random.default_rng(0).normal(size=(2000, 2))
    wave[:, 0] = np.clip(np.sin(np.pi * np.arange(2000) / 100), low, high)
    signals["r1"] = Signal(wave, 10.0, ("a", "b"))
    arrays = write(tmp_path / "0.npz", table(("r1", "x")))
    assert arrays["saturated"] == pytest.approx(share, abs=0.02)
