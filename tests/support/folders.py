"""A folder as a person might have it: three classes, two formats, one file damaged, one twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000
CLASSES = {"bell": 700.0, "hum": 120.0, "whistle": 1500.0}


def tone(seed: int, frequency: float, *, seconds: float = 1.0) -> np.ndarray:
    """Make a sound of a class: a wavering tone in noise, never the same twice."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    steps = np.arange(0, seconds + 0.2, 0.1)
    loud = np.interp(time, steps, rng.uniform(0.1, 1, len(steps)))
    pitch = frequency * np.interp(time, steps, rng.uniform(0.85, 1.15, len(steps)))
    wave = loud * np.sin(2 * np.pi * np.cumsum(pitch) / RATE) + 0.3 * rng.normal(size=len(time))
    return (0.2 * wave).astype(np.float32)


def own_folder(folder: Path) -> Path:
    """Write twenty files: `bell/03.wav` is cut short, `hum/copy.flac` is a bell."""
    for number in range(19):
        name = list(CLASSES)[number % 3]
        suffix = "wav" if number % 2 else "flac"
        file = folder / name / f"{number:02}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, tone(number, CLASSES[name]), RATE)
    damaged = folder / "bell" / "03.wav"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    bell, rate = soundfile.read(folder / "bell" / "00.flac")
    soundfile.write(folder / "hum" / "copy.flac", bell, rate)
    return folder


ECG_RATE = 128
BEAT_SECONDS = 0.8
WIDTHS = {"N": 0.02, "V": 0.06}


def heartbeats(
    seed: int, *, seconds: float = 24.0, codes: str = "NNV"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make an ECG of narrow (N) and wide (V) beats: mV of shape (time,), R peaks, their codes."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * ECG_RATE)) / ECG_RATE
    peaks = np.arange(1.0, seconds - 1, BEAT_SECONDS)
    peaks = peaks + rng.uniform(-0.05, 0.05, len(peaks))
    symbols = rng.choice(list(codes), len(peaks))
    wave = 0.02 * rng.normal(size=len(time))
    for peak, code in zip(peaks, symbols, strict=True):
        wide = WIDTHS[str(code)]
        wave += (1 + 10 * wide) * np.exp(-0.5 * ((time - peak) / wide) ** 2)
        wave += 0.2 * np.exp(-0.5 * ((time - peak - 0.3) / 0.05) ** 2)
    return wave, np.rint(peaks * ECG_RATE).astype(np.int64), symbols


def write_record(
    folder: Path,
    name: str,
    ecg: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    leads: tuple[str, ...] = ("II", "V1"),
    annotated: bool = True,
) -> Path:
    """Write a WFDB record, the ECG on lead II, with its beats as annotations."""
    import wfdb

    wave, peaks, codes = ecg
    folder.mkdir(parents=True, exist_ok=True)
    of = [wave if lead == "II" else wave / 3 for lead in leads]
    wfdb.wrsamp(
        name, ECG_RATE, ["mV"] * len(leads), list(leads), np.stack(of, axis=1),
        fmt=["16"] * len(leads), write_dir=str(folder),
    )  # fmt: skip
    if annotated:
        wfdb.wrann(name, "atr", peaks, list(codes), write_dir=str(folder))
    return folder / f"{name}.hea"


def own_records(folder: Path) -> Path:
    """Write fourteen records of seven people, and two that lack annotations or the lead."""
    for number in range(14):
        # The leads stand in another order in every third record.
        leads = ("II", "V1") if number % 3 else ("V1", "II")
        write_record(folder, f"p{number // 2}_{number}", heartbeats(number), leads=leads)
    write_record(folder, "p7_bare", heartbeats(20), annotated=False)
    write_record(folder, "p7_other", heartbeats(21), leads=("V5",))
    return folder
