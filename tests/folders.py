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
