"""The features of one recording in memory: as the stage computes them, and by librosa's calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from lib.datasets.signal import Signal
from lib.features.registry import make
from lib.files import read_yaml
from lib.project import path_of

STUDIES = ("heart_sounds", "voices", "accents")


def run(rounds: int) -> list[dict[str, Any]]:
    """Time both in turn for each study: milliseconds, medians of rounds."""
    return [_timed(study, rounds) for study in STUDIES]


def _timed(study: str, rounds: int) -> dict[str, Any]:
    """Take noise at the rate of the features."""
    settings = dict(read_yaml(path_of(f"config/studies/{study}.yaml"))["features"])
    kind, rate = settings.pop("kind"), settings["rate"]
    length = settings.get("duration", settings.get("frames", 0) * settings["hop"] / rate)
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(length * rate))
    wave = samples.astype(np.float32)
    signal = Signal(wave[:, None], float(rate), ("audio",))
    chosen = make(kind, **settings)  # the stage makes it once for all recordings
    ways: dict[str, Callable[[], Any]] = {
        "librosa": lambda: LIBROSA[kind](wave, **settings),
        "stage": lambda: chosen.examples(signal),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()  # imports, filters
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            taken[name].append(1000 * (time.perf_counter() - began))
    return {"study": study, "kind": kind, **{name: median(times) for name, times in taken.items()}}


def _mel(wave: np.ndarray, *, rate: float, n_mels: int, n_fft: int, hop: int, **_: Any) -> Any:
    import librosa

    made: dict[str, Any] = {"n_mels": n_mels, "n_fft": n_fft, "hop_length": hop}
    return librosa.power_to_db(librosa.feature.melspectrogram(y=wave, sr=rate, **made))


def _mfcc(
    wave: np.ndarray, *, rate: float, n_mfcc: int, n_mels: int, n_fft: int, hop: int, **_: Any
) -> Any:
    import librosa

    made: dict[str, Any] = {"n_mfcc": n_mfcc, "n_mels": n_mels, "n_fft": n_fft, "hop_length": hop}
    return librosa.feature.mfcc(y=wave, sr=rate, **made)


def _spectral(wave: np.ndarray, *, rate: float, n_fft: int, hop: int, **_: Any) -> Any:
    """As the original project calls librosa, which transforms anew for each part."""
    import librosa

    made: dict[str, Any] = {"y": wave, "sr": rate, "n_fft": n_fft, "hop_length": hop}
    return np.concatenate(
        [
            librosa.feature.mfcc(**made, n_mfcc=13),
            librosa.feature.spectral_centroid(**made),
            librosa.feature.chroma_stft(**made),
            librosa.feature.spectral_contrast(**made),
        ]
    )


LIBROSA: dict[str, Callable[..., Any]] = {"mfcc": _mfcc, "mel": _mel, "spectral": _spectral}
