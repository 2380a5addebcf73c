"""What repeats by nature is no copy, and a copy is found whatever was done to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from lib.audit.files import audit_files
from lib.features.resampling import resample
from lib.own.survey import survey
from tests.support.repeating import ecg, hum, noisy, pulse
from tests.support.wild import wild
from tests.unit.features.test_fingerprint import sound


def write(folder: Path, name: str, wave: np.ndarray, rate: int) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    subtype = "FLOAT" if name.endswith("wav") else None
    soundfile.write(folder / name, wave, rate, subtype=subtype)


def pairs(folder: Path) -> set[tuple[str, str]]:
    """List the pairs that an audit takes for the same audio, one file in each part."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    table = pd.DataFrame({"path": paths, "label": "", "group": paths})
    table["part"] = ["train", "test"] * (len(paths) // 2) + ["train"] * (len(paths) % 2)
    audit = audit_files(table.assign(start=np.nan, end=np.nan), root=folder)
    return {
        (case["first"], case["second"])
        for finding in audit["findings"]
        if finding["kind"].startswith("same_audio")
        for case in finding["cases"]
    }


@wild(
    "same audio",
    like="NeptuneHub/AudioMuse-AI#773, yss14/musicshare#2558",
    holds="pieces of 10 s of people whose hearts beat alike, a pulse wave, a hum of the mains",
    right="no copies: nobody is left out, and no two persons become one group",
)
@pytest.mark.parametrize(
    ("make", "rate"),
    [(ecg, 250), (pulse, 125), (partial(hum, noise=0), 8000)],
    ids=["ecg", "pulse", "hum"],
)
def test_what_repeats_is_no_copy(tmp_path: Path, make: Callable[..., Any], rate: int) -> None:
    for person in range(12):
        wave = make(person, seconds=10 if rate < 1000 else 4, rate=rate)
        write(tmp_path, f"{'ab'[person % 2]}/{person}.wav", wave, rate)
    assert pairs(tmp_path) == set()
    result = survey(tmp_path, dataset="own", groups=r"(\d+)\.wav")
    assert result["left_out"] == result["notes"] == []
    assert len({row["group"] for row in result["recordings"]}) == 12


DONE: dict[str, Callable[[np.ndarray, int], tuple[np.ndarray, int, str]]] = {
    "resampled": lambda wave, rate: (resample(wave, rate=rate, new_rate=rate * 2), rate * 2, "wav"),
    "cut": lambda wave, rate: (wave[len(wave) // 3 :], rate, "wav"),
    "louder": lambda wave, rate: (wave * 3, rate, "wav"),
    "upside down": lambda wave, rate: (-wave, rate, "wav"),
    "noisy": lambda wave, rate: (noisy(wave, decibels=20, seed=1), rate, "wav"),
    "cut, noisy": lambda wave, rate: (
        noisy(wave[len(wave) // 3 :], decibels=20, seed=1) / 2,
        rate,
        "wav",
    ),
}
CODED = {
    "mp3": lambda wave, rate: (wave, rate, "mp3"),
    "ogg": lambda wave, rate: (wave, rate, "ogg"),
}


@wild(
    "same audio",
    like="worldveil/dejavu#289, cosmir/openmic-2018#25",
    holds="a recording a second time: re-encoded, resampled, cut, louder, with noise at 20 dB",
    right="the pair is found, and no other",
)
@pytest.mark.parametrize("done", [*DONE, *CODED])
def test_a_copy_of_a_sound_is_found(tmp_path: Path, done: str) -> None:
    for number in range(5):
        write(tmp_path, f"{number}.wav", sound(number, rate=16000), 16000)
    wave, rate, suffix = {**DONE, **CODED}[done](sound(2, rate=16000), 16000)
    write(tmp_path, f"copy.{suffix}", wave, rate)
    assert pairs(tmp_path) == {("2.wav", f"copy.{suffix}")}


@wild(
    "same audio",
    like="nibtehaz/PPG2ABP#24",
    holds="ECG of several people, one of them a second time: resampled, cut, louder, noisy",
    right="the pair is found, and no other",
)
@pytest.mark.parametrize("done", DONE)
def test_a_copy_of_an_ecg_is_found(tmp_path: Path, done: str) -> None:
    for person in range(5):
        write(tmp_path, f"{person}.wav", ecg(person, seconds=15, rate=250, varied=0.03), 250)
    wave, rate, _ = DONE[done](ecg(2, seconds=15, rate=250, varied=0.03), 250)
    write(tmp_path, "copy.wav", wave, rate)
    assert pairs(tmp_path) == {("2.wav", "copy.wav")}
