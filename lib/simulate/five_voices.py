"""Simulated five-speaker set: Sun au files, 48 kHz, both channels equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.simulate import voice
from lib.simulate.common import colour, equalise, generator, to_rms, write_audio

RATE = 48000  # Hz
SAMPLES = 148800

NAMES = ("James", "Jennifer", "Linda", "Maria", "Patricia")

PARTS = {
    "gtzan/_train": range(1, 11),
    "gtzan/_test": range(11, 16),
    "gtzan/_validation": range(16, 21),
    "audio": range(21, 23),
}
"""Numbers of the files of each speaker, by folder."""


def file_name(name: str, number: int) -> str:
    """Name a file as it is published: the number after a 0, and once a space."""
    return "James.01 .au" if (name, number) == ("James", 1) else f"{name}.0{number}.au"


def write(folder: Path, *, seed: int, scale: float) -> None:
    """Write all 110 files. `scale` has nothing to change: the folders are the published split."""
    from scipy.signal import resample_poly

    for name in NAMES:
        speaker = voice.draw_speaker(
            generator(seed, "five_voices", name), woman=name != "James", spread=0.6
        )
        for part, numbers in PARTS.items():
            for number in numbers:
                rng = generator(seed, "five_voices", f"{name}/{number}")
                # Recorded on different days: the same voice, not the same room or mood.
                today = replace(
                    speaker,
                    pitch=speaker.pitch * float(np.exp(rng.normal(0, 0.10))),
                    tract=speaker.tract * float(np.exp(rng.normal(0, 0.015))),
                    noise=speaker.noise + float(rng.normal(0, 4)),
                )
                clip = voice.speak(rng, today, SAMPLES / RATE)
                clip = equalise(clip, voice.RATE, colour(rng, 80, 7500, 3.0))
                mono = to_rms(resample_poly(clip, 3, 1)[:SAMPLES], float(rng.normal(-31, 2)))
                both = np.stack([mono, mono], axis=1)
                write_audio(folder / part / file_name(name, number), both, RATE)
