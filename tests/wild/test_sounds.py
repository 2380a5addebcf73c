"""Sounds as recorders, phones and converters leave them, and names as people give them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from lib.datasets.files import read_file
from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.own.study import study_text
from lib.own.survey import survey
from lib.predict.rpeaks import find_beats
from tests.support.folders import CLASSES, RATE, tone
from tests.support.wild import wild
from tests.wild.test_beats import ecg

NAMES = list(CLASSES)[:2]


def folder_of(folder: Path, *, each: int = 3) -> Path:
    """Write some sounds of two classes."""
    for number in range(2 * each):
        name = NAMES[number % 2]
        file = folder / name / f"{number:02}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, tone(number, CLASSES[name]), RATE)
    return folder


@wild(
    "sounds",
    like="librosa/librosa#694, tyiannak/pyAudioAnalysis#337, scipy/scipy#12059",
    holds="wav of 8, 16, 24 and 32 bits, float, µ-law and A-law",
    right="the same samples, to the precision of the format",
)
@pytest.mark.parametrize(
    ("subtype", "precision"),
    [
        ("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-23),
        ("FLOAT", 1e-7), ("DOUBLE", 1e-7), ("ULAW", 0.02), ("ALAW", 0.02),
    ],
)  # fmt: skip
def test_sample_formats(tmp_path: Path, subtype: str, precision: float) -> None:
    wave = tone(1, 440.0)
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype=subtype)
    read = read_file(tmp_path / "a.wav")
    assert np.abs(read.samples[:, 0] - wave).max() <= precision
    assert read.rate == RATE


@wild(
    "sounds",
    like="Jakobovski/free-spoken-digit-dataset#10, NVIDIA-NeMo/Speech#1489",
    holds="mono and stereo sounds side by side",
    right="all are read as the mean of their channels",
)
def test_mono_and_stereo(tmp_path: Path) -> None:
    left, right = tone(1, 440.0), tone(2, 300.0)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", (left + right) / 2, RATE, subtype="FLOAT")
    a, b = (read_file(tmp_path / name) for name in ("a.wav", "b.wav"))
    np.testing.assert_allclose(a.samples, b.samples, atol=1e-6)
    assert a.channels == b.channels


@wild(
    "sounds",
    like="kitzeslab/opensoundscape#249, macaodha/batdetect2#20, librosa/librosa#129",
    holds="files of 0 bytes, or with a header and no sample, among good ones",
    right="left out by name, the others are used",
)
def test_empty_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f")
    (folder / "bell" / "card_full.wav").touch()
    soundfile.write(folder / "hum" / "no_samples.wav", np.zeros(0), RATE)
    found = survey(folder, dataset="f")
    reasons = {item["path"]: item["reason"] for item in found["left_out"]}
    assert set(reasons) == {"bell/card_full.wav", "hum/no_samples.wav"}
    assert "empty file" in reasons["bell/card_full.wav"]
    assert "0 frames" in reasons["hum/no_samples.wav"]
    assert len(found["recordings"]) == 6


@wild(
    "sounds",
    like="huggingface/datasets#5947, pytorch/audio#3810",
    holds="one file of many that cannot be decoded",
    right="the file is named, whatever reads it",
)
def test_the_file_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f")
    bad = folder / "bell" / "broken.flac"
    bad.write_bytes(b"fLaC" + bytes(200))
    (item,) = survey(folder, dataset="f")["left_out"]
    assert item["path"] == "bell/broken.flac"
    with pytest.raises(HeldoutError) as raised:
        read_file(bad)
    assert raised.value.place == str(bad)


@wild(
    "sounds",
    like="rmbrone/flutter_audio_recorder#67",
    holds="flac, ogg or mp3 that is called .wav",
    right="read as what it is",
)
@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "AIFF"])
def test_a_suffix_that_is_wrong(tmp_path: Path, kind: str) -> None:
    stream = io.BytesIO()
    soundfile.write(stream, tone(1, 440.0, seconds=2), 16000, format=kind)
    (tmp_path / "a.wav").write_bytes(stream.getvalue())
    read = read_file(tmp_path / "a.wav")
    assert read.rate == 16000
    assert read.duration == pytest.approx(1.0, abs=0.1)


@wild(
    "sounds",
    like="SimpleMobileTools/Simple-Voice-Recorder#1",
    holds="AAC of a phone that is called .mp3",
    right="left out by name: no AAC is decoded",
)
def test_aac_that_is_called_mp3(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "f")
    box = b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42" + b"\x00\x00\x10\x00mdat"
    (folder / "bell" / "phone.mp3").write_bytes(box + np.random.default_rng(0).bytes(4096))
    (item,) = survey(folder, dataset="f")["left_out"]
    assert item["path"] == "bell/phone.mp3"


@wild(
    "sounds",
    like="bastibe/python-soundfile#20",
    holds="float wav beyond full scale, up to ±4",
    right="read as it is: nothing is cut off",
)
def test_beyond_full_scale(tmp_path: Path) -> None:
    wave = 20 * tone(1, 440.0)
    soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
    assert np.abs(read_file(tmp_path / "a.wav").samples).max() == np.abs(wave).max() > 1


@wild(
    "names",
    like="snakemake/snakemake#3235, maxplanck-ie/snakepipes#450, hammerlab/biokepi#126",
    holds="folders, classes and files with blanks, braces, quotes, `#`, `:`, `%`, `&`, emoji",
    right="the study names them as they are",
)
@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "{class}",
        "it's",
        'a "b"',
        "# no",
        "a: b",
        "100 %",
        "a & b",
        "{{ x }}",
        "🫀",
        "-x",
    ],
)
def test_awkward_names(tmp_path: Path, name: str) -> None:
    folder = tmp_path / f"my {name}"
    for label in (name, "other"):
        place = folder / label
        place.mkdir(parents=True)
        for number in range(3):
            soundfile.write(place / f"{name} {number}.wav", tone(number, 440.0), RATE)
    study = yaml.safe_load(study_text(folder))
    assert sorted(study["classes"]) == sorted([name, "other"])
    assert study["folder"]["path"] == folder.as_posix()
    kept = survey(folder, dataset="f")
    names = {row["recording"] for row in kept["recordings"]} | {
        item["path"] for item in kept["left_out"]
    }
    assert f"{name}/{name} 0.wav" in names


@wild(
    "beats",
    like="cbrnr/sleepecg#92",
    holds="an ECG whose first seconds are flat, before the electrodes are on",
    right="no beat in the flat part, all others are found",
)
def test_an_ecg_that_begins_flat() -> None:
    signal, peaks = ecg(250.0)
    flat = np.zeros((round(8 * signal.rate), 1), np.float32)
    late = Signal(np.concatenate([flat, signal.samples]), signal.rate, signal.channels)
    places = find_beats(late, lead="II").positions / signal.rate - 8
    assert (places > -0.1).all()
    distance = np.abs(places[:, None] - peaks).min(axis=0)
    assert (distance <= 0.02).mean() >= 0.95
