"""The simulated heart sounds and EPHNOGRAM are laid out as the published ones."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.io import loadmat

from lib.simulate import ephnogram, heart, simulate
from lib.simulate.ephnogram import MIXED, SCENARIOS
from lib.simulate.heartbeat_sounds import SUBJECTS_B


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("heartbeat_sounds")
    simulate("heartbeat_sounds", path, seed=0)
    return path


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ephnogram")
    simulate("ephnogram", path, seed=0)
    return path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_clips(sounds: Path) -> None:
    for part, rate in (("set_a", 44100), ("set_b", 4000)):
        for path in (sounds / part).iterdir():
            info = soundfile.info(path)
            assert (info.samplerate, info.channels, info.subtype) == (rate, 1, "PCM_16")
            assert 1.4 < info.duration < 6.1
            assert np.std(soundfile.read(path)[0]) > 1e-3


def test_counts(sounds: Path) -> None:
    count = Counter(path.name.split("_")[0] for path in sounds.rglob("*.wav"))
    assert count["artifact"] >= 24
    assert count["murmur"] >= 36
    assert count["normal"] >= 40
    assert count["extrahls"] >= 3
    assert count["extrastole"] >= 10
    assert count["Aunlabelledtest"] >= 1
    assert count["Bunlabelledtest"] >= 1
    assert not list((sounds / "set_b").glob("artifact*"))


def test_subjects_of_set_b(sounds: Path) -> None:
    labels, clips = defaultdict(set), Counter[str]()
    for path in (sounds / "set_b").iterdir():
        found = re.fullmatch(
            r"(Bunlabelledtest_|extrastole_|normal_(?:noisynormal)?|murmur_(?:noisymurmur)?)"
            r"_(\d{3})_(\d{13})_([A-D]1?(?:_1)?)\.wav",
            path.name,
        )
        assert found, path.name
        labels[found[2]].add(found[1].split("_")[0])
        clips[found[2]] += 1
    assert len(labels) == len(SUBJECTS_B) >= 30
    assert min(clips.values()) >= 2
    assert sum(len(names) > 1 for names in labels.values()) >= 5


def test_names_in_the_lists_are_not_those_on_disk(sounds: Path) -> None:
    header = (sounds / "set_b.csv").read_bytes().split(b"\r\n")[0]
    assert header == b"dataset,fname,label,sublabel"
    rows = _rows(sounds / "set_b.csv")
    disk = {path.name for path in (sounds / "set_b").iterdir()}
    assert len(rows) == len(disk)
    seen = set()
    for row in rows:
        tail = re.search(r"\d{3}_\d{13}_.*\.wav$", row["fname"])
        assert tail
        match = [name for name in disk if name.endswith("_" + tail[0])]
        assert len(match) == 1
        seen.add(match[0])
        assert f"set_b/{match[0]}" != row["fname"]
        assert row["label"] in ("normal", "murmur", "extrastole", "")
        assert row["sublabel"] in ("", "noisynormal", "noisymurmur")
    assert seen == disk
    assert any("Btraining_normal_Btraining_noisynormal_" in row["fname"] for row in rows)
    rows = _rows(sounds / "set_a.csv")
    disk = {path.name for path in (sounds / "set_a").iterdir()}
    listed = {row["fname"].removeprefix("set_a/") for row in rows}
    assert {name.replace("Aunlabelledtest", "") for name in disk} == listed
    assert {row["label"] for row in rows} == {"artifact", "murmur", "normal", "extrahls", ""}


def test_timing_points_at_the_sounds(sounds: Path) -> None:
    rows = _rows(sounds / "set_a_timing.csv")
    assert list(rows[0]) == ["fname", "cycle", "sound", "location"]
    assert {row["sound"] for row in rows} == {"S1", "S2"}
    for row in rows:
        assert int(row["location"]) < soundfile.info(sounds / row["fname"]).frames


def test_a_murmur_fills_systole() -> None:
    rng = np.random.default_rng(0)
    subject = heart.draw_sounds(rng)
    onsets = np.arange(0.3, 5, 0.8)
    energy = []
    for murmur in (False, True):
        signal, first, second = heart.auscultate(
            np.random.default_rng(1), subject, onsets, seconds=6, rate=4000, murmur=murmur
        )
        middle = [
            signal[int((a + 0.5 * (b - a)) * 4000) : int((a + 0.9 * (b - a)) * 4000)]
            for a, b in zip(first, second, strict=True)
        ]
        energy.append(np.mean(np.concatenate(middle) ** 2))
    assert energy[1] > 2 * energy[0]


def test_spreadsheet(records: Path) -> None:
    text = (records / "ECGPCGSpreadsheet.csv").read_bytes().decode()
    lines = text.split("\r\n")
    assert lines[0].startswith("Record Name,Subject ID,Record Duration (min),Age (years),Gender,")
    assert {line.count(",") for line in lines} == {44}
    assert lines[-1].strip("\n,") == ""
    rows = [row for row in _rows(records / "ECGPCGSpreadsheet.csv") if row["Record Name"]]
    assert len(rows) == 52
    assert {row["Subject ID"] for row in rows} == {f"S{k:03d}" for k in range(1, 25)}
    subjects = defaultdict(set)
    for row in rows:
        subjects[row["Recording Scenario"]].add(row["Subject ID"])
    assert set(subjects) == {scenario.name for scenario in (*SCENARIOS, *MIXED)}
    assert all(len(subjects[scenario.name]) >= 8 for scenario in SCENARIOS)
    assert "Exercise: walking at constant speed (3.7 km/h) " in subjects
    ages = defaultdict(set)
    for row in rows:
        ages[row["Subject ID"]].add(row["Age (years)"])
    assert all(len(values) == 1 for values in ages.values())
    names = [row["Record Name"] for row in rows]
    assert (records / "RECORDS").read_text().split("\n") == [f"WFDB/{name}" for name in names]
    assert "simulated" in (records / "LICENSE.txt").read_text()


def test_mat_files(records: Path) -> None:
    rows = [row for row in _rows(records / "ECGPCGSpreadsheet.csv") if row["Record Name"]]
    for row in rows:
        content = loadmat(records / "MAT" / f"{row['Record Name']}.mat")
        assert content["__header__"].startswith(b"MATLAB 5.0 MAT-file, simulated")
        names = {name for name in content if not name.startswith("__")}
        five = row["Num Channels"] == "5"
        assert names == {"ECG", "PCG", "fs"} | ({"PCG2", "AUX1", "AUX2"} if five else set())
        assert content["fs"].shape == (1, 1)
        assert content["fs"].dtype == np.uint16
        assert content["fs"][0, 0] == 8000
        for name in names - {"fs"}:
            assert content[name].shape == (1, 48000)
            assert content[name].dtype == np.float64
            assert np.abs(content[name]).max() <= 1
        assert content["ECG"].std() > 0.01
        assert content["PCG"].std() > 0.01


def test_exercise_raises_the_heart_rate() -> None:
    efforts = {scenario.name: scenario.effort for scenario in SCENARIOS}
    assert efforts["Rest: laying on bed"] < efforts["Rest: sitting on armchair"]
    assert max(efforts, key=lambda name: efforts[name]).startswith("Exercise: Bruce")
    who = [subject for subject, _ in ephnogram.plan()]
    assert min(Counter(who).values()) >= 2


def test_a_random_split_flatters(records: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

    rows, labels, groups = [], [], []
    edges = np.unique(np.geomspace(1, 1200, 25).astype(int))
    for number, (subject, scenario) in enumerate(ephnogram.plan(), 1):
        if scenario in MIXED:
            continue
        content = loadmat(records / "MAT" / f"ECGPCG{number:04d}.mat")
        for start in range(0, 40000, 10000):
            row: list[float] = []
            for name in ("ECG", "PCG"):
                power = np.abs(np.fft.rfft(content[name][0, start : start + 10000])) ** 2
                bands = np.add.reduceat(power[:1300], edges)
                row += np.log(bands + 1e-9).tolist()
            rows.append(row)
            labels.append(scenario.name)
            groups.append(subject)
    forest = RandomForestClassifier(60, random_state=0, n_jobs=1)
    score = [
        f1_score(
            labels,
            cross_val_predict(forest, np.array(rows), labels, cv=cv, groups=groups),
            average="macro",
        )
        for cv in (
            StratifiedKFold(4, shuffle=True, random_state=0),
            StratifiedGroupKFold(4, shuffle=True, random_state=0),
        )
    ]
    assert score[1] > 0.30  # chance is 0.17
    assert score[0] > score[1] + 0.15
