"""What is a sound, and what all headers of a folder say: rate, window, channels, classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from scipy.io import savemat

from lib.datasets.files import read_file, read_file_header, recordings_below
from lib.errors import HeldoutError
from lib.features.registry import make
from lib.own.study import study_text
from lib.own.survey import survey
from tests.support.folders import heartbeats, tone
from tests.support.wild import wild
from tests.wild.test_records import samples, write

CHEAP = np.random.default_rng(0).normal(size=4000).astype(np.float32) / 10


def sounds(folder: Path, count: int, *, rate: int = 8000, seconds: float = 0.05) -> None:
    """Write short sounds, half of them `bell` and half of them `hum`."""
    for number in range(count):
        path = folder / ("bell", "hum")[number % 2] / f"s{number:04}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = number % 1000
        soundfile.write(path, CHEAP[start : start + round(seconds * rate)], rate)


def study(folder: Path, **options: Any) -> dict[str, Any]:
    return dict(yaml.safe_load(study_text(folder, **options)))


def asked(settings: dict[str, Any]) -> dict[str, Any]:
    kind = make(**settings["features"])
    return {**kind.demands, "rate": settings["features"]["rate"]}


HEADERS = {
    "in the header": "{name}.wav 16+44 1000/mV 16 0 0 0 0 PCG",
    "of a .dat": "{name}.dat 16 1000/mV 16 0 0 0 0 PCG",
    "with a date": "{name}.wav 16+44 1000/mV 16 0 0 0 0 PCG\n# Normal",
}


@wild(
    "sounds",
    like="KiLJ4EdeN/Abnormal_Heart_Sound_Diagnosis#1, PhysioNet/CinC 2016 and CirCor as published",
    holds="heart sounds as wav or flac with a .hea beside each, which may name another file",
    right="sounds: MFCC at their rate, not windows at 250 Hz",
)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
@pytest.mark.parametrize("line", HEADERS.values(), ids=HEADERS)
def test_sounds_with_a_header(tmp_path: Path, suffix: str, line: str) -> None:
    for number, name in enumerate(["normal", "murmur"] * 3):
        path = tmp_path / name / f"a{number:04}{suffix}"
        path.parent.mkdir(exist_ok=True)
        wave = tone(number, 100.0, seconds=0.5)
        soundfile.write(path, wave, 2000, format=suffix[1:].upper())
        text = f"a{number:04} 1 2000 {len(wave)}\n{line.format(name=path.stem)}\n"
        path.with_suffix(".hea").write_text(text)
        path.with_suffix(".dat").write_bytes(bytes(2 * len(wave)))
    assert all(path.endswith(suffix) for path in recordings_below(tmp_path))
    features = study(tmp_path)["features"]
    assert (features["kind"], features["rate"]) == ("mfcc", 2000)
    # By the name of the record, or of its header, it is the same sound.
    sound = tmp_path / "normal" / "a0000.hea"
    for named in (sound, sound.with_suffix("")):
        np.testing.assert_array_equal(
            read_file(named).samples, read_file(sound.with_suffix(suffix)).samples
        )
        assert read_file_header(named).sound


@wild(
    "sounds",
    like="KiLJ4EdeN/Abnormal_Heart_Sound_Diagnosis#1, the training set a of PhysioNet/CinC 2016",
    holds="headers alone in metadata.csv, whose signal files are sounds of another name",
    right="sounds: MFCC at their rate",
)
def test_headers_of_sounds_of_another_name(tmp_path: Path) -> None:
    rows = ["path,label"]
    for number in range(6):
        wave = tone(number, 100.0, seconds=0.5)
        soundfile.write(tmp_path / f"pcg_{number}.wav", wave, 2000)
        text = f"r{number} 1 2000 {len(wave)}\npcg_{number}.wav 16+44 32768/FS 16 0 0 0 0 PCG\n"
        (tmp_path / f"r{number}.hea").write_text(text)
        rows.append(f"r{number},{'ab'[number % 2]}")
    (tmp_path / "metadata.csv").write_text("\n".join(rows) + "\n")
    assert study(tmp_path)["features"]["kind"] == "mfcc"
    np.testing.assert_allclose(
        read_file(tmp_path / "r0.hea").samples, read_file(tmp_path / "pcg_0.wav").samples, atol=1e-4
    )


@wild(
    "sounds",
    like="the records of MIT-BIH with a wav to listen to",
    holds="annotated ECG records (.hea, .dat, .atr) with a wav of the same name",
    right="records, with their beats",
)
def test_an_annotated_record_stays_one(tmp_path: Path) -> None:
    import wfdb

    wave, peaks, codes = heartbeats(0)
    options = {"fs": 128, "units": ["mV"], "sig_name": ["II"], "fmt": ["16"]}
    wfdb.wrsamp("r", p_signal=wave[:, None], write_dir=str(tmp_path), **options)
    wfdb.wrann("r", "atr", peaks, symbol=list(codes), write_dir=str(tmp_path))
    soundfile.write(tmp_path / "r.wav", wave / 10, 128)
    assert recordings_below(tmp_path) == ["r.hea"]
    assert len(read_file(tmp_path / "r.hea").positions) == len(peaks)


@wild(
    "rates",
    like="santi-pdp/pase#80, huggingface/datasets#3662, lhotse-speech/lhotse#812",
    holds="hundreds of sounds of 8 kHz, four of them of 4 kHz",
    right="the lowest rate is that of the study, and its file says how many have it",
)
def test_the_rate_follows_from_all_headers(tmp_path: Path) -> None:
    sounds(tmp_path, 400, seconds=0.02)
    for number in (111, 112, 113, 217):
        path = next(tmp_path.glob(f"*/s{number:04}.wav"))
        soundfile.write(path, CHEAP[:80], 4000)
    assert study(tmp_path)["features"]["rate"] == 4000
    assert "(4 of 400 have it)" in study_text(tmp_path)


@wild(
    "rates",
    like="santi-pdp/pase#80, interactiveaudiolab/VocalImitationSet#1",
    holds="sounds of 8 kHz, and one or a few whose headers claim 1, 4 or 900 Hz",
    right="left out and named, in the study and on the page; the others keep their band",
)
@pytest.mark.parametrize(("rate", "odd"), [(4, 1), (1, 2), (900, 1), (150, 3)])
def test_an_odd_header_does_not_decide(tmp_path: Path, rate: int, odd: int) -> None:
    sounds(tmp_path, 40)
    names = [f"hum/p{number}.wav" for number in range(odd)]
    for number, name in enumerate(names):
        soundfile.write(tmp_path / name, CHEAP[number : number + 500], rate)
    text = study_text(tmp_path)
    made = yaml.safe_load(text)
    assert made["features"]["rate"] == 8000
    reason = f"its rate is {rate} Hz by its header, and that of most 8,000 Hz"
    assert reason in text.replace("\n# ", " ")
    surveyed = survey(tmp_path, dataset="folder-x", asked=asked(made))
    assert {item["path"]: item["reason"] for item in surveyed["left_out"]} == dict.fromkeys(
        names, reason
    )


@wild(
    "rates",
    like="santi-pdp/pase#80",
    holds="nothing but wav of 4 or of 125 Hz: breathing, a pulse wave",
    right="measured signals: windows at their rate, not a sound's features that cannot be made",
)
@pytest.mark.parametrize("rate", [4, 125])
def test_what_is_too_slow_for_a_sound_is_measured(tmp_path: Path, rate: int) -> None:
    sounds(tmp_path, 6, rate=rate, seconds=40)
    features = yaml.safe_load(study_text(tmp_path))["features"]
    assert (features["kind"], features["rate"]) == ("windows", rate)
    asked = make(**features).demands
    left_out = survey(tmp_path, dataset="own", asked=asked | {"rate": rate})["left_out"]
    # They are one sound six times, under two labels: nothing is wrong with their rate.
    assert {item["reason"].partition(" as ")[0] for item in left_out} == {"it holds the same audio"}


@wild(
    "rates",
    like="lhotse-speech/lhotse#812, rwth-i6/returnn#1690",
    holds="sounds of 8 and of 4 kHz under a study of 8 kHz",
    right="a caution beside the verdict: what is resampled up can give its class away",
)
def test_a_study_above_the_rate_of_some(tmp_path: Path) -> None:
    sounds(tmp_path, 10)
    soundfile.write(tmp_path / "hum" / "slow.wav", -CHEAP[:400], 4000)
    cautions = survey(tmp_path, dataset="folder-x", asked={"rate": 8000})["cautions"]
    (caution,) = [one for one in cautions if "rate below" in one]
    assert caution.startswith("1 of 11 recordings have a rate below the 8,000 Hz")
    assert "4,000 Hz (hum/slow.wav)" in caution
    assert not any(
        "rate below" in one
        for one in survey(tmp_path, dataset="folder-x", asked={"rate": 4000})["cautions"]
    )


def records(folder: Path, count: int, *, frames: int = 1000, names: tuple[str, ...]) -> None:
    for number in range(count):
        values = samples(number, len(names), frames)
        write(folder / ("a", "b")[number % 2], f"r{number:03}", values, names=names)


@wild(
    "kinds",
    like="the training set a of PhysioNet/CinC 2016 and its like",
    holds="sounds and a stray ECG, or ECG and a stray sound; or half of each",
    right="the stray one is left out and named; a mixture is refused",
)
def test_sounds_and_measured_signals(tmp_path: Path) -> None:
    sounds(tmp_path / "one", 12)
    write(tmp_path / "one" / "hum", "ecg", samples(0))
    made = study(tmp_path / "one")
    assert made["features"]["kind"] == "mfcc"
    (gone,) = survey(tmp_path / "one", dataset="folder-x", asked=asked(made))["left_out"]
    assert gone["path"] == "hum/ecg.hea"
    assert gone["reason"] == "it is a measured signal, and the others are sounds"
    records(tmp_path / "two", 12, names=("I", "II"))
    soundfile.write(tmp_path / "two" / "a" / "remark.wav", CHEAP, 8000)
    made = study(tmp_path / "two")
    assert made["features"]["kind"] == "windows"
    (gone,) = survey(tmp_path / "two", dataset="folder-x", asked=asked(made))["left_out"]
    assert gone["path"] == "a/remark.wav"
    sounds(tmp_path / "two", 12)
    with pytest.raises(HeldoutError, match=r"13 sounds \(.*\) and 12 measured signals .*Put each"):
        study_text(tmp_path / "two")


@wild(
    "kinds",
    like="the 12-lead records of PhysioNet/CinC 2021 with a few of two leads",
    holds="sixty records of ten seconds, one of one second, one that lacks a lead; all lack it",
    right="the few are left out and named; what all lack is not asked for",
)
def test_channels_and_windows_follow_from_all_headers(tmp_path: Path) -> None:
    records(tmp_path, 60, names=("I", "II", "III"))
    write(tmp_path / "a", "short", samples(98, 3, 100))
    write(tmp_path / "b", "narrow", samples(99, 2, 1000))
    text = study_text(tmp_path)
    made = yaml.safe_load(text)
    assert made["features"]["channels"] == ["I", "II", "III"]
    assert made["features"]["samples"] == 1000
    assert "a/short.hea: it lasts 1 s, shorter than a window; left out." in text
    assert "b/narrow.hea: it has no channel III; left out." in text
    surveyed = survey(tmp_path, dataset="folder-x", asked=asked(made))
    assert {item["path"] for item in surveyed["left_out"]} == {"a/short.hea", "b/narrow.hea"}
    # Half of them: the lead is not asked for.
    for number in range(60):
        if number % 4 < 2:
            folder = tmp_path / ("a", "b")[number % 2]
            write(folder, f"r{number:03}", samples(number, 2, 1000))
    assert study(tmp_path)["features"]["channels"] == ["I", "II"]
    write(tmp_path / "a", "other", samples(97, 2, 1000), names=("PLETH", "RESP"))
    assert study(tmp_path)["features"]["channels"] == ["I", "II"]


@wild(
    "kinds",
    like="MIT-LCP/mimic-code#1574",
    holds="records that share no channel",
    right="an error that names which file has which",
)
def test_no_channel_in_common(tmp_path: Path) -> None:
    for number in range(6):
        values = samples(number, 1)
        write(tmp_path / "ab"[number % 2], f"r{number}", values, names=(f"lead{number % 3}",))
    with pytest.raises(HeldoutError, match=r"lead0 in a/r0\.hea; lead2 in a/r2\.hea"):
        study_text(tmp_path)


@wild(
    "kinds",
    like="the records of MIT-BIH, of which few hold beats of a class",
    holds="sixty annotated records, in two of which lie the only V beats",
    right="V is a class; a code of one record alone is named in a comment",
)
def test_classes_follow_from_all_annotations(tmp_path: Path) -> None:
    import wfdb

    options = {"fs": 128, "units": ["mV"], "sig_name": ["II"], "fmt": ["16"]}
    wave, peaks, _ = heartbeats(0, seconds=6)
    for number in range(60):
        codes = ["N"] * len(peaks)
        codes[0] = {17: "V", 41: "V", 23: "F"}.get(number, "N")
        codes[1] = {5: "S", 50: "S"}.get(number, "N")
        wfdb.wrsamp(f"r{number}", p_signal=wave[:, None], write_dir=str(tmp_path), **options)
        wfdb.wrann(f"r{number}", "atr", peaks, symbol=codes, write_dir=str(tmp_path))
    text = study_text(tmp_path)
    assert yaml.safe_load(text)["classes"] == {"N": ["N"], "S": ["S"], "V": ["V"]}
    assert "Beats of code F are not used: only r23.hea has them." in text


@wild(
    "kinds",
    like="the MATLAB files of EPHNOGRAM",
    holds="MATLAB files, one of another rate and one of another shape among many",
    right="the sizes of all variables are looked at, without reading their samples",
)
def test_sizes_of_matlab_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        folder = tmp_path / ("a", "b")[number % 2]
        folder.mkdir(exist_ok=True)
        x = np.random.default_rng(number).normal(size=(2, 2000))
        savemat(folder / f"{number}.mat", {"val": x, "fs": 200.0 if number != 17 else 160.0})
    monkeypatch.setattr("lib.datasets.files._read_matlab", None)
    made = study(tmp_path, variable="val")["features"]
    assert (made["rate"], made["samples"], made["channels"]) == (160, 1600, ["val1", "val2"])


def test_processing_names_rate_band_and_length() -> None:
    """The page says in one line what was done to a recording."""
    mfcc = {"rate": 2000, "duration": 5, "n_mfcc": 13, "n_mels": 40, "n_fft": 256, "hop": 64}
    assert make("mfcc", **mfcc).processing == (
        "Recordings are resampled to 2,000 Hz, which keeps what lies below 1,000 Hz; the first 5 s "
        "of each are used, and shorter ones filled up with silence."
    )
    windows = {"channels": ["II"], "rate": 250, "samples": 2500, "stride": 2500, "limit": 20}
    assert "below 125 Hz; they are cut into windows of 10 s, at most 20 of each." in (
        make("windows", **windows).processing
    )
