"""Simulated heart sounds in the layout of the PASCAL challenge of 2011."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lib.simulate import heart
from lib.simulate.common import Array, band_noise, generator, to_rms, write_audio, write_text

RATE_A = 44100  # Hz
RATE_B = 4000  # Hz
#: How much the subjects of set_b differ: enough for a network to know one of them again.
SPREAD = 1.5

#: Recordings of set_a at scale 1 and at least, by label as it is on disk.
SET_A = {
    "artifact": (40, 12),
    "murmur": (10, 3),
    "normal": (10, 3),
    "extrahls": (4, 2),
    "Aunlabelledtest": (3, 1),
}

_LOCATIONS = ("A", "B", "C", "D", "A1", "B1", "C1", "D1")

#: Labels of the subjects of set_b, by number: the first is the usual one, the second that of the
#: last clip. The numbers are those of a real clinic's list only in their range.
SUBJECTS_B: dict[int, tuple[str, str]] = {
    **dict.fromkeys(
        (101, 104, 109, 114, 117, 123, 128, 133, 137, 146, 152, 159), ("normal", "normal")
    ),
    **dict.fromkeys(
        (103, 107, 110, 119, 121, 126, 130, 131, 134, 138, 140, 143, 148, 155), ("normal", "normal")
    ),
    **dict.fromkeys((113, 125, 168, 173), ("normal", "noisynormal")),
    **dict.fromkeys((144, 210), ("normal", "extrastole")),
    151: ("normal", "unlabelled"),
    **dict.fromkeys(
        (112, 116, 160, 164, 171, 176, 185, 193, 197, 203, 207, 214), ("murmur", "murmur")
    ),
    **dict.fromkeys(
        (162, 166, 169, 174, 178, 182, 187, 189, 194, 199, 205, 209, 217, 222), ("murmur", "murmur")
    ),
    **dict.fromkeys((135, 161, 200, 243), ("murmur", "noisymurmur")),
    240: ("murmur", "unlabelled"),
    **dict.fromkeys((127, 191), ("extrastole", "extrastole")),
    **dict.fromkeys((153, 198), ("extrastole", "normal")),
}


def _clean(rng: np.random.Generator, signal: Array, level: float) -> Array:
    return to_rms(signal, float(np.clip(rng.normal(level, 3), -45, -12)))


def _artifact(rng: np.random.Generator, seconds: float) -> Array:
    """Make what a telephone records that is not held to a chest, at 44.1 kHz."""
    n = int(seconds * RATE_A)
    time = np.arange(n) / RATE_A
    signal = 0.02 * np.exp(rng.normal(0, 0.8)) * band_noise(rng, n, RATE_A, 50, 15000)
    kinds = set(rng.choice(["speech", "clicks", "handling", "hum", "bursts"], 2, replace=False))
    if "speech" in kinds:
        pitch = rng.uniform(90, 250) * (1 + 0.15 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * time))
        buzz = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_A)
        for order in range(2, 12):
            buzz += np.sin(2 * np.pi * order * np.cumsum(pitch) / RATE_A) / order ** rng.uniform(
                0.3, 1
            )
        syllables = np.clip(
            np.sin(2 * np.pi * rng.uniform(1.5, 3) * time + rng.uniform(0, 6)), 0, 1
        )
        signal += 0.3 * buzz * syllables * (0.4 + 0.6 * (np.sin(2 * np.pi * 0.4 * time) > -0.5))
    if "clicks" in kinds:
        for start in rng.integers(0, n - 2000, int(rng.integers(4, 25))):
            decay = np.exp(-np.arange(2000) / rng.uniform(30, 500))
            signal[start : start + 2000] += rng.normal(0, 1) * decay * rng.standard_normal(2000)
    if "handling" in kinds:
        slow = np.clip(band_noise(rng, n, RATE_A, 0.3, 3), 0, None) ** 2
        signal += 0.4 * slow * band_noise(rng, n, RATE_A, 20, rng.uniform(100, 900))
    if "hum" in kinds:
        signal += 0.2 * np.sin(2 * np.pi * rng.choice([50, 100, 150]) * time)
    if "bursts" in kinds:
        gate = band_noise(rng, n, RATE_A, 0.5, 4) > rng.uniform(0.2, 1.2)
        edge = rng.uniform(200, 3000)
        signal += 0.3 * gate * band_noise(rng, n, RATE_A, edge, 3 * edge)
    return signal


def _heart(
    rng: np.random.Generator, sounds: heart.Sounds, label: str, seconds: float
) -> tuple[Array, Array, Array]:
    """Make a recording of a heart at 4 kHz, and the times of S1 and S2 in s."""
    label = {"unlabelled": "normal", "Aunlabelledtest": "normal"}.get(label, label)
    onsets = heart.rhythm(
        rng, sounds.rate * rng.normal(1, 0.04), seconds, extrasystole=label == "extrastole"
    )
    signal, first, second = heart.auscultate(
        rng,
        sounds,
        onsets,
        seconds=seconds,
        rate=RATE_B,
        murmur="murmur" in label,
        extra=label == "extrahls",
    )
    level = sounds.noise + rng.normal(0, 2) + (14 if "noisy" in label else 0)
    return signal + heart.room(rng, level, len(signal), RATE_B), first, second


def _set_a(folder: Path, *, seed: int, scale: float) -> None:
    from scipy.signal import resample_poly

    rows, timing = ["dataset,fname,label,sublabel"], ["fname,cycle,sound,location"]
    for label, (usual, least) in SET_A.items():
        for number in range(max(least, round(usual * scale))):
            # Nobody says who the subjects of set_a are: each recording has one of its own.
            rng = generator(seed, "heartbeat_sounds", f"a/{label}/{number}")
            seconds = float(rng.uniform(2.5, 6))
            first = second = np.zeros(0)
            if label == "artifact":
                signal = _artifact(rng, seconds)
            else:
                heard, first, second = _heart(rng, heart.draw_sounds(rng), label, seconds)
                signal = resample_poly(heard, RATE_A // 100, RATE_B // 100)
                signal += 0.002 * band_noise(rng, len(signal), RATE_A, 100, 15000)
            day = f"2011{1 + number // 28 % 12:02d}{1 + number % 28:02d}"
            stamp = f"{day}{int(rng.integers(24)):02d}{int(rng.integers(60)):02d}"
            file = folder / "set_a" / f"{label}__{stamp}.wav"
            write_audio(file, _clean(rng, signal, -25), RATE_A)
            listed = "" if label == "Aunlabelledtest" else label
            rows.append(f"a,set_a/{listed}__{stamp}.wav,{listed},")
            if label == "normal":
                for cycle, times in enumerate(zip(first, second, strict=True), 1):
                    for name, time in zip(("S1", "S2"), times, strict=True):
                        if time < seconds:
                            place = round(float(time) * RATE_A)
                            timing.append(f"set_a/{label}__{stamp}.wav,{cycle},{name},{place}")
    write_text(folder / "set_a.csv", "\r\n".join([*rows, ""]))
    write_text(folder / "set_a_timing.csv", "\r\n".join([*timing, ""]))


def _names(label: str, tail: str) -> tuple[str, str, str]:
    """Return the name on disk, the name in `set_b.csv`, and the label and sublabel there."""
    if label == "unlabelled":
        return f"Bunlabelledtest__{tail}", f"Bunlabelledtest_{tail}", ","
    if label.startswith("noisy"):
        plain = label.removeprefix("noisy")
        return (
            f"{plain}_{label}_{tail}",
            f"Btraining_{plain}_Btraining_{label}_{tail}",
            f"{plain},{label}",
        )
    return f"{label}__{tail}", f"Btraining_{label}_{tail}", f"{label},"


def _set_b(folder: Path, *, seed: int, scale: float) -> None:
    rows = ["dataset,fname,label,sublabel"]
    for number, (usual, last) in SUBJECTS_B.items():
        subject = generator(seed, "heartbeat_sounds", f"b/{number}")
        sounds = heart.draw_sounds(subject, spread=SPREAD)
        rng = generator(seed, "heartbeat_sounds", f"b/{number}/clips")
        stamp = 1305000000000 + (number - 100) * 42_000_000 + int(rng.integers(1, 42_000_000))
        count = int(np.clip(round((5 + number % 2) * scale), 2, len(_LOCATIONS)))
        for place in range(count):
            label = last if place == count - 1 else usual
            signal = _heart(rng, sounds, label, float(rng.uniform(1.5, 6)))[0]
            tail = f"{number}_{stamp}_{_LOCATIONS[place]}"
            if number == 161 and place == count - 1:
                # One place listened to twice: the published names then end in _1.
                tail = f"{number}_{stamp}_{_LOCATIONS[place - 1]}_1"
            disk, listed, labels = _names(label, tail)
            write_audio(folder / "set_b" / f"{disk}.wav", _clean(rng, signal, -23), RATE_B)
            rows.append(f"b,set_b/{listed}.wav,{labels}")
    write_text(folder / "set_b.csv", "\r\n".join([*rows, ""]))


def write(folder: Path, *, seed: int, scale: float) -> None:
    """Write both sets and their three lists.

    `scale` multiplies the recordings of set_a and the clips of each subject of set_b (from 2 to 8).
    """
    _set_a(folder, seed=seed, scale=scale)
    _set_b(folder, seed=seed, scale=scale)
