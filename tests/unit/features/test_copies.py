"""Copies: what two recordings share is found where it is, and nothing is taken for a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from lib.audit import audit_split
from lib.examples.assembly import assemble, undecodable
from lib.explore import explore
from lib.features import write_shard
from lib.features.copies import contradictions, find_copies
from lib.files import sha256
from lib.recordings.shards import deal
from lib.recordings.table import recordings_table
from lib.simulate import simulate
from lib.splits import make_split

CLASSES = {name: [name] for name in ("murmur", "normal")}
MFCC = {"rate": 4000, "duration": 2.0, "n_mfcc": 5, "n_mels": 16, "n_fft": 512, "hop": 512}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "heartbeat_sounds"
    simulate("heartbeat_sounds", folder, scale=0.05)
    return folder


@pytest.fixture
def heart_sounds(published: Path, tmp_path: Path) -> Path:
    """Return the simulated heart sounds of set B, to be changed by a test."""
    folder = tmp_path / "heartbeat_sounds"
    (folder / "set_b").mkdir(parents=True)
    for path in published.glob("set_b/*.wav"):
        (folder / "set_b" / path.name).symlink_to(path)
    return folder


def sums(folder: Path) -> dict[str, Any]:
    paths = sorted(path for path in folder.rglob("*.*") if path.is_file())
    rows = [{"path": p.relative_to(folder).as_posix(), "sha256": sha256(p)} for p in paths]
    return {"files": rows}


def listed(folder: Path, classes: dict[str, list[str]]) -> pd.DataFrame:
    manifest = sums(folder)
    return recordings_table(
        "heartbeat_sounds", folder, classes=classes, manifest=manifest, min_groups=1
    )


def shards(folder: Path, table: pd.DataFrame, number: int = 1) -> list[Path]:
    paths = [folder / f"{shard}.npz" for shard in range(number)]
    for path, part in zip(paths, deal(table, number), strict=True):
        chosen = {"dataset": "heartbeat_sounds", "kind": "mfcc", "settings": MFCC}
        write_shard(path, part, **chosen, classes=CLASSES)
    return paths


def cut(folder: Path, source: str, name: str, *, start: float, gain: float = 1.0) -> None:
    """Write a recording a second time, under another name, from some second on."""
    wave, rate = soundfile.read(folder / "set_b" / f"{source}.wav")
    soundfile.write(folder / "set_b" / f"{name}.wav", wave[round(start * rate) :] * gain, rate)


def long_one(folder: Path, label: str) -> str:
    """Name a recording of a label from which a second can be cut."""
    paths = sorted(folder.glob(f"set_b/{label}__*.wav"))
    return next(path.stem for path in paths if soundfile.info(path).duration > 3)


def test_simulated_recordings_hold_no_copies(heart_sounds: Path, tmp_path: Path) -> None:
    table = listed(heart_sounds, CLASSES)
    assert len(table) > 20
    assert find_copies(shards(tmp_path, table), table, dataset="heartbeat_sounds") == []


def test_a_clip_under_two_names_is_found_whatever_the_shards(
    heart_sounds: Path, tmp_path: Path
) -> None:
    name = long_one(heart_sounds, "normal")
    subject = name.split("_")[2]
    cut(heart_sounds, name, "normal__900_1305000000000_A", start=0.8, gain=0.5)
    # The same under the name of the same subject is one group already.
    cut(heart_sounds, name, f"normal__{subject}_1305000000001_B1", start=0.4)
    table = listed(heart_sounds, CLASSES)
    expected = {
        frozenset((name, "normal__900_1305000000000_A")),
        frozenset((f"normal__{subject}_1305000000001_B1", "normal__900_1305000000000_A")),
    }
    of_shards = [
        find_copies(shards(tmp_path, table, number), table, dataset="heartbeat_sounds")
        for number in (1, 3)
    ]
    assert {frozenset((copy.first, copy.second)) for copy in of_shards[0]} == expected
    assert of_shards[0] == of_shards[1]
    by_names = {frozenset((copy.first, copy.second)): copy for copy in of_shards[0]}
    copy = by_names[frozenset((name, "normal__900_1305000000000_A"))]
    assert abs(copy.shift) == pytest.approx(0.8, abs=1e-3)
    assert copy.correlation > 0.999
    pairs = [(copy.first, copy.second) for copy in of_shards[0]]
    assert contradictions(pairs, dict(zip(table["recording"], table["label"], strict=True))) == {}


def test_a_clip_of_one_group_under_two_labels_is_found(heart_sounds: Path, tmp_path: Path) -> None:
    name = long_one(heart_sounds, "murmur")
    other = name.replace("murmur_", "normal_")
    cut(heart_sounds, name, other, start=0.0)
    table = listed(heart_sounds, CLASSES)
    (copy,) = find_copies(shards(tmp_path, table), table, dataset="heartbeat_sounds")
    assert (copy.first, copy.second) == (name, other)
    assert contradictions([(copy.first, copy.second)], {name: "murmur", other: "normal"}) == {
        name: f"it holds the same audio as {other}, which is labelled normal, and this one murmur: "
        "one of the two is wrong",
        other: f"it holds the same audio as {name}, which is labelled murmur, and this one normal: "
        "one of the two is wrong",
    }
    # One of the two may be in no class of the study: then nothing contradicts.
    table = listed(heart_sounds, {"murmur": ["murmur"], "other": ["extrastole"]})
    assert find_copies(shards(tmp_path, table), table, dataset="heartbeat_sounds") == []


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_constant_recordings_are_no_copies_and_short_ones_are(
    heart_sounds: Path, tmp_path: Path, seconds: float
) -> None:
    size = round(seconds * 4000)
    wave = 0.2 * np.random.default_rng(0).normal(size=size)
    for number, samples in enumerate([np.full(size, 0.1)] * 3 + [wave] * 2):
        path = heart_sounds / "set_b" / f"normal__{900 + number}_1305000000000_A.wav"
        soundfile.write(path, samples, 4000, subtype="FLOAT")
    table = listed(heart_sounds, CLASSES)
    with pytest.warns(UserWarning, match="constant"):
        paths = shards(tmp_path, table)
    pairs = [copy[:2] for copy in find_copies(paths, table, dataset="heartbeat_sounds")]
    assert pairs == [("normal__903_1305000000000_A", "normal__904_1305000000000_A")]


def test_what_cannot_be_decoded_is_passed_over(heart_sounds: Path, tmp_path: Path) -> None:
    empty = heart_sounds / "set_b" / "normal__900_1305000000000_A.wav"
    empty.touch()
    noise = heart_sounds / "set_b" / "normal__901_1305000000000_A.wav"
    noise.write_bytes(b"no audio" * 100)
    table = listed(heart_sounds, CLASSES)
    paths = shards(tmp_path, table, 2)
    reasons = undecodable(paths)
    assert set(reasons) == {empty.stem, noise.stem}
    assert reasons[empty.stem] == "expected a recording, got an empty file"
    assert "cannot be decoded" in reasons[noise.stem]
    assert find_copies(paths, table, dataset="heartbeat_sounds") == []


@given(
    labels=st.lists(st.sampled_from(["", "a", "b"]), min_size=2, max_size=6),
    pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8),
)
def test_both_of_a_contradiction_are_named(labels: list[str], pairs: list[tuple[int, int]]) -> None:
    known = {str(number): label for number, label in enumerate(labels)}
    named = [(str(a), str(b)) for a, b in pairs if max(a, b) < len(labels)]
    wrong = {
        name for a, b in named for name in (a, b) if known[a] != known[b] and known[a] and known[b]
    }
    assert set(contradictions(named, known)) == wrong


def test_flat_and_saturated_stretches_of_an_ecg_run_through(tmp_path: Path) -> None:
    folder = tmp_path / "ephnogram"
    simulate("ephnogram", folder, scale=0.01)
    labels = ["Rest: sitting on armchair", "Rest: laying on bed"]
    classes = {"sitting": labels[:1], "laying": labels[1:]}
    chosen = {"dataset": "ephnogram", "kind": "windows", "classes": classes}
    settings = {"channels": ["ECG", "PCG"], "rate": 1000, "samples": 1000, "stride": 1000}
    table = recordings_table("ephnogram", folder, classes=classes)
    flat, half, cut_off, *_ = names = table.loc[table["label"] == "sitting", "recording"].tolist()
    other = table.loc[~table["recording"].isin(names), "recording"].iloc[0]

    def change(name: str, to: str, edit: Callable[[np.ndarray], np.ndarray]) -> None:
        mat = loadmat(folder / "MAT" / f"{name}.mat")
        signals = {key: edit(mat[key].astype(float)) for key in ("ECG", "PCG")}
        savemat(folder / "MAT" / f"{to}.mat", {**signals, "fs": mat["fs"]})

    change(names[3], names[4], lambda wave: wave)  # of another subject
    change(cut_off, cut_off, lambda wave: np.clip(9 * wave, -1, 1))
    change(flat, flat, lambda wave: np.zeros_like(wave))
    change(other, other, lambda wave: np.zeros_like(wave))  # as flat, with another label
    change(half, half, lambda wave: wave * (np.arange(wave.size).reshape(wave.shape) < 16000))

    shard = tmp_path / "0.npz"
    with pytest.warns(UserWarning, match="constant"):
        write_shard(shard, table, **chosen, settings=settings)
    copies = find_copies([shard], table, dataset="ephnogram")
    pairs = [(copy.first, copy.second) for copy in copies]
    assert pairs == [(names[3], names[4])]
    assemble([shard], table, npy=tmp_path / "x.npy", parquet=tmp_path / "x.parquet", copies=pairs)
    examples = pd.read_parquet(tmp_path / "x.parquet")
    groups = examples.groupby("recording")["group"].first()
    assert groups[names[3]] == groups[names[4]]
    published = dict(zip(table["recording"], table["group"], strict=True))
    assert groups[flat] == published[flat]
    assert groups[other] == published[other]
    result = explore(examples, classes=list(classes), recordings=len(table), copies=[])
    reasons = {suspect["recording"]: suspect["reason"] for suspect in result["suspects"]}
    assert "silent" in reasons[flat]
    assert "constant over time" in reasons[half]
    assert "saturated" in reasons[cut_off]
    split = make_split(examples, kind="grouped", seed=0, folds=1, test=0.33, validation=0.3)
    audit = audit_split(examples, split, duration=1.0, classes=list(classes), honest=True)
    assert not audit["leaks"]
