"""Signals that repeat by nature: two of them are alike without being one."""

from __future__ import annotations

import numpy as np


def _beats(rng: np.random.Generator, seconds: float, period: float, varied: float) -> np.ndarray:
    steps = period * rng.normal(1, varied, round(seconds / period) + 3)
    return np.cumsum(np.r_[rng.uniform(-period, 0), steps])


def ecg(seed: int, *, seconds: float, rate: float, varied: float = 0.004) -> np.ndarray:
    """Make the ECG of one person at 75 beats a minute; all are nearly alike.

    Of a heart at rest intervals vary by 3 % (`varied`), of one that is paced by less than 1 %.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    size = rng.uniform(0.9, 1.1, 5)
    wave = 0.01 * rng.normal(size=len(time))
    for beat in _beats(rng, seconds, 0.8, varied):
        for height, after, width in (
            (0.12 * size[0], -0.16, 0.025),
            (size[1], 0, 0.012 * size[2]),
            (-0.2, 0.035, 0.015),
            (0.25 * size[3], 0.28, 0.05 * size[4]),
        ):
            wave += height * np.exp(-0.5 * ((time - beat - after) / width) ** 2)
    return wave.astype(np.float32)


def pulse(seed: int, *, seconds: float, rate: float) -> np.ndarray:
    """Make the pulse wave of one person at 72 beats a minute, as a light at a finger shows it."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.01 * rng.normal(size=len(time))
    second = rng.uniform(0.3, 0.45)
    for beat in _beats(rng, seconds, 60 / 72, 0.004):
        wave += np.exp(-0.5 * ((time - beat) / 0.075) ** 2)
        wave += second * np.exp(-0.5 * ((time - beat - 0.28) / 0.085) ** 2)
    return wave.astype(np.float32)


def hum(seed: int, *, rate: float, seconds: float = 4.0, noise: float = 0.003) -> np.ndarray:
    """Make the hum of the mains, 50 Hz with its harmonics, from any moment on."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate + rng.uniform(0, 0.02)
    wave = sum(np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 30))
    return (0.2 * wave + noise * rng.normal(size=len(time))).astype(np.float32)


def noisy(wave: np.ndarray, *, decibels: float, seed: int) -> np.ndarray:
    """Add white noise, so many dB below the signal."""
    noise = np.random.default_rng(seed).normal(size=wave.shape)
    return (wave + wave.std() * 10 ** (-decibels / 20) * noise).astype(np.float32)
