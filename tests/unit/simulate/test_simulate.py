"""What all simulated datasets promise, and that subjects matter in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from lib.errors import HeldoutError
from lib.simulate import DATASETS, NOTE, simulate
from lib.simulate.common import band_noise, colour, equalise, generator, to_pcm, to_rms
from lib.simulate.ephnogram import plan as ephnogram_plan

SMALL = 0.3


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_unknown_dataset_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"expected a dataset of common_voice.*mitdb, got 'm'"):
        simulate("m", tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("scale", [0, -1, float("nan"), 51])
def test_scale_out_of_range(tmp_path: Path, scale: float) -> None:
    with pytest.raises(HeldoutError, match="scale: expected a number above 0"):
        simulate("mitdb", tmp_path / "m", scale=scale)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_seed_out_of_range(tmp_path: Path, seed: object) -> None:
    with pytest.raises(HeldoutError, match="seed: expected an integer from 0"):
        simulate("mitdb", tmp_path / "m", seed=seed)  # type: ignore[arg-type]


def test_real_recordings_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "100.dat").write_bytes(b"real")
    with pytest.raises(HeldoutError, match=r"expected an empty folder or simulated files, got 1"):
        simulate("mitdb", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["100.dat"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, *, seed: int, scale: float) -> None:
        (folder / "half.wav").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("lib.simulate.mitdb.write", fail)
    with pytest.raises(OSError, match="disk full"):
        simulate("mitdb", tmp_path / "mitdb")
    assert [path.name for path in tmp_path.iterdir()] == ["mitdb"]
    assert not list((tmp_path / "mitdb").iterdir())


@pytest.mark.parametrize("dataset", DATASETS)
def test_same_seed_same_bytes(
    tmp_path: Path, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer speakers and records: what is under test is not how many there are.
    monkeypatch.setattr("lib.simulate.common_voice.SPEAKERS", {"mexicano": 2, "": 1})
    monkeypatch.setattr("lib.simulate.common_voice.LEAST_SPEAKERS", 1)
    monkeypatch.setattr("lib.simulate.ephnogram.plan", lambda: ephnogram_plan()[::6])
    monkeypatch.setattr("lib.simulate.mitdb.RECORDS", ("100", "102", "201", "202"))
    monkeypatch.setattr("lib.simulate.heartbeat_sounds.SUBJECTS_B", {161: ("murmur", "murmur")})
    monkeypatch.setattr("lib.simulate.five_voices.NAMES", ("James",))
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate(dataset, tmp_path / name, seed=seed, scale=SMALL)
    first, second, third = (digests(tmp_path / name) for name in "abc")
    assert first == second
    data = [path for path in first if path.endswith((".dat", ".mat", ".wav", ".mp3", ".au"))]
    assert data
    assert not {first[path] for path in data} & set(third.values())
    note = (tmp_path / "a" / NOTE).read_text()
    assert "simulated" in note
    assert "seed 5" in note
    assert f"scale {SMALL:g}" in note


def test_again_into_the_same_folder_replaces_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.simulate.heartbeat_sounds.SET_A", {"artifact": (3, 1)})
    simulate("heartbeat_sounds", tmp_path / "a", seed=1, scale=0.6)
    simulate("heartbeat_sounds", tmp_path / "a", seed=2, scale=SMALL)
    simulate("heartbeat_sounds", tmp_path / "b", seed=2, scale=SMALL)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_generators_of_subjects_are_apart() -> None:
    draws = {
        float(generator(*arguments).random())
        for arguments in ((0, "a", "1"), (1, "a", "1"), (0, "b", "1"), (0, "a", "2"))
    }
    assert len(draws) == 4
    assert generator(0, "a", "1").random() == generator(0, "a", "1").random()


def test_band_noise_is_in_its_band() -> None:
    noise = band_noise(np.random.default_rng(0), 16000, 4000, 100, 200)
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(len(noise), 1 / 4000)
    inside = (frequency > 70) & (frequency < 260)
    assert power[inside].sum() > 0.98 * power.sum()
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(1, abs=0.05)


def test_equalise_applies_its_gains() -> None:
    time = np.arange(4000) / 4000
    flat = np.geomspace(20, 1800, 8), np.full(8, 6.0)
    tone = np.sin(2 * np.pi * 100 * time)
    assert np.std(equalise(tone, 4000, flat)) / np.std(tone) == pytest.approx(10 ** (6 / 20))
    assert colour(np.random.default_rng(0), 20, 1800, 0.0)[1].tolist() == [0.0] * 8


def test_levels() -> None:
    assert np.sqrt(np.mean(to_rms(np.ones(10), -20) ** 2)) == pytest.approx(0.1)
    assert to_pcm(np.array([-2.0, 0.0, 2.0])).tolist() == [-32767, 0, 32767]
