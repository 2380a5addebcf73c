"""Folders as PhysioNet's challenges publish them: lists of labels, copies under another folder."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
import soundfile
import yaml

from lib.errors import HeldoutError
from lib.own.study import study_text
from lib.own.survey import survey
from lib.own.table import examine
from tests.support.folders import RATE, heartbeats, tone, write_record
from tests.support.wild import wild

SITES = [f"training-{site}" for site in "abcdef"]


def challenge_2016(folder: Path, *, recordings: int = 6) -> Path:
    """Write six sites with a list of labels in each, and copies of two of each in `validation`."""
    (folder / "validation").mkdir(parents=True)
    copied = []
    for seed, site in enumerate(SITES):
        (folder / site).mkdir()
        lines = []
        for number in range(recordings):
            name, label = f"{site[-1]}{number:04}", 1 - 2 * (number % 2)
            wave = tone(100 * seed + number, 300.0 + 200 * label, seconds=2.0)
            soundfile.write(folder / site / f"{name}.wav", wave, RATE)
            (folder / site / f"{name}.hea").write_text(f"{name} 1 {RATE} {len(wave)}\n")
            lines.append(f"{name},{label}")
            if number < 2:
                copied.append(lines[-1])
                for suffix in (".wav", ".hea"):
                    shutil.copy(folder / site / f"{name}{suffix}", folder / "validation")
        (folder / site / "REFERENCE.csv").write_text("\n".join(lines) + "\n")
    (folder / "validation" / "REFERENCE.csv").write_text("\n".join(copied) + "\n")
    return folder


@wild(
    "challenges",
    like="PhysioNet/CinC 2016 as published (training-a to -f, and validation with copies)",
    holds="`training-a/` … `training-f/`, REFERENCE.csv in each, and `validation/`, all copies",
    right="six sites; each copy belongs to the site it comes from, and the page says so",
)
def test_the_heart_sounds_of_2016(tmp_path: Path) -> None:
    folder = challenge_2016(tmp_path)
    surveyed = survey(folder, dataset="folder-x")
    rows = surveyed["recordings"]
    assert Counter(row["group"] for row in rows) == dict.fromkeys(SITES, 8)
    assert Counter(row["label"] for row in rows) == {"1": 24, "-1": 24}
    for row in rows:
        assert row["group"][-1] == Path(row["recording"]).name[0]
    assert surveyed["left_out"] == []
    labels, sites, moved = surveyed["cautions"]
    assert "REFERENCE.csv" in labels
    assert "taken for sites" in sites
    assert moved.startswith("12 recordings (validation/a0000.wav, validation/a0001.wav, ")
    assert "would hold 48 of all 48 recordings" in moved
    assert "12 pairs hold the same audio" in surveyed["notes"][0]
    study = yaml.safe_load(study_text(folder))
    assert study["classes"] == {"-1": ["-1"], "1": ["1"]}
    assert study["features"]["kind"] == "mfcc"


@wild(
    "challenges",
    like="PhysioNet/CinC 2016, with a table written by hand",
    holds="the same, with `metadata.csv` whose groups are the folders",
    right="the same: copies do not make one group of all sites",
)
def test_sites_by_a_table(tmp_path: Path) -> None:
    folder = challenge_2016(tmp_path)
    rows = ["path,label,group"]
    for list_ in sorted(folder.glob("*/REFERENCE.csv")):
        place = list_.parent.name
        for line in list_.read_text().split():
            name, label = line.split(",")
            rows.append(f"{place}/{name}.wav,{label},{place}")
    (folder / "metadata.csv").write_text("\n".join(rows))
    surveyed = survey(folder, dataset="folder-x")
    assert Counter(row["group"] for row in surveyed["recordings"]) == dict.fromkeys(SITES, 8)
    assert "each copy alone counts to the group that it comes from" in surveyed["cautions"][0]


@wild(
    "challenges",
    like="worldveil/dejavu#289, one patient who was recorded under two numbers",
    holds="six persons, one recording of whom is that of another person, too",
    right="these two persons are one group, all of their recordings",
)
def test_persons_with_a_common_recording_are_one_group(tmp_path: Path) -> None:
    for number in range(24):
        person = f"p{number % 6}"
        place = tmp_path / ("bell" if number < 12 else "hum") / person
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{number}.wav", tone(number, 300.0 + 20 * number), RATE)
    shutil.copy(tmp_path / "bell" / "p1" / "1.wav", tmp_path / "bell" / "p4" / "copy.wav")
    surveyed = survey(tmp_path, dataset="folder-x")
    groups = Counter(row["group"] for row in surveyed["recordings"])
    assert groups == {"p0": 4, "p1": 9, "p2": 4, "p3": 4, "p5": 4}
    assert surveyed["notes"] == [
        "bell/p1/1.wav and bell/p4/copy.wav hold the same audio: they count as one group."
    ]


@wild(
    "challenges",
    like="PhysioNet/CinC 2017 as published",
    holds="`training2017/` with REFERENCE.csv, and .mat and .hea of each record",
    right="the labels of the list, each record a group of its own, and the caution that says so",
)
def test_the_records_of_2017(tmp_path: Path) -> None:
    place = tmp_path / "training2017"
    for number in range(8):
        write_record(place, f"A{number:05}", heartbeats(number, seconds=12), annotated=False)
    lines = [f"A{number:05},{'NAO~'[number % 4]}" for number in range(7)]
    (place / "REFERENCE.csv").write_text("\r\n".join(lines))
    contents = examine(tmp_path)
    assert Counter(contents.table["label"]) == {"N": 2, "A": 2, "O": 2, "~": 1}
    assert contents.left_out == {
        "training2017/A00007.hea": "the list of labels beside it does not name it"
    }
    assert yaml.safe_load(study_text(tmp_path))["features"]["kind"] == "windows"
    (place / "REFERENCE.csv").write_text("A00000,N\nA00000,A\n")
    with pytest.raises(HeldoutError, match=r"N and A for training2017/A00000\.hea"):
        examine(tmp_path)


@wild(
    "challenges",
    like="PhysioNet/CinC 2016, whose folders were sorted into classes since",
    holds="folders of classes with REFERENCE.csv left in them, which names few",
    right="the folders are the classes",
)
def test_a_list_that_names_few(tmp_path: Path) -> None:
    for name in ("bell", "hum"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.wav").touch()
    (tmp_path / "bell" / "REFERENCE.csv").write_text("a0001,1\n0,-1\n")
    assert set(examine(tmp_path).table["label"]) == {"bell", "hum"}
