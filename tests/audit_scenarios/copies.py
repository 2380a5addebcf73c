"""Recordings that are there twice, and recordings that are merely alike."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, lfilter, resample_poly, sosfilt

from tests.audit_scenarios.groups import study
from tests.support.folders import ECG_RATE, write_record
from tests.support.repeating import ecg, hum, noisy, pulse
from tests.support.scenarios import (
    RATE,
    SEEDS,
    Verdict,
    audit_study,
    audit_table,
    base,
    noise,
    scenario,
    voice,
)

DUPLICATES = "Kapoor and Narayanan 2023, L1.4"
CODED = "Haitsma and Kalker 2002, degradations, and their like"
ALIKE = "Sturm 2013, GTZAN: replicas against versions"


def coded(wave: np.ndarray, form: str) -> np.ndarray:
    """Write and read a recording in a format that loses something."""
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=form)
    file.seek(0)
    return soundfile.read(file)[0]


Change = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, int, dict[str, str]]]
WAV = {"format": "WAV"}


def _as(form: str, subtype: str | None = None) -> Change:
    how = {"format": form} | ({"subtype": subtype} if subtype else {})
    return lambda wave, rng: (wave, RATE, how)


def _telephone(wave: np.ndarray) -> np.ndarray:
    return sosfilt(butter(4, [100, 2000], "bandpass", fs=RATE, output="sos"), wave)


def _echo(wave: np.ndarray) -> np.ndarray:
    late = RATE // 10
    return wave + 0.3 * np.r_[np.zeros(late), wave[:-late]]


def _all_pass(wave: np.ndarray) -> np.ndarray:
    """Move each frequency by another time, and change nothing else."""
    for _ in range(4):
        wave = lfilter([0.9, 1.0], [1.0, 0.9], wave[::-1])[::-1]
    return wave


def _stereo(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.stack([wave, 0.5 * wave + 0.01 * rng.normal(size=len(wave))], axis=1)


CHANGES: dict[str, tuple[str, Change]] = {
    "as it is": (DUPLICATES, _as("WAV")),
    "as flac": (CODED, _as("FLAC")),
    "as ogg": (CODED, _as("OGG")),
    "as mp3": (CODED, _as("MP3")),
    "with 8 bits": (CODED, _as("WAV", "PCM_U8")),
    "by the law of telephones (µ-law)": (CODED, _as("WAV", "ULAW")),
    "with samples of float": (CODED, _as("WAV", "FLOAT")),
    "at 8 kHz": (CODED, lambda w, _: (resample_poly(w, 1, 2), RATE // 2, WAV)),
    "at 44.1 kHz": (CODED, lambda w, _: (resample_poly(w, 441, 160), 44100, WAV)),
    "louder": (CODED, lambda w, rng: (w * rng.uniform(1.5, 4), RATE, WAV)),
    "quieter": (CODED, lambda w, rng: (w * rng.uniform(0.05, 0.5), RATE, WAV)),
    "upside down": ("added here", lambda w, _: (-w, RATE, WAV)),
    "with an offset": (CODED, lambda w, rng: (w + rng.uniform(0.05, 0.2), RATE, WAV)),
    "with noise 20 dB below": (
        CODED,
        lambda w, rng: (noisy(w, decibels=20, seed=int(rng.integers(99))), RATE, WAV),
    ),
    "through a telephone's band": (CODED, lambda w, _: (_telephone(w), RATE, WAV)),
    "through an all-pass filter": (CODED, lambda w, _: (_all_pass(w), RATE, WAV)),
    "through an equaliser": (CODED, lambda w, _: (lfilter([1, -0.9], [1], w), RATE, WAV)),
    "with its loudness compressed": (
        CODED,
        lambda w, _: (0.3 * np.sign(w) * np.abs(w / np.abs(w).max()) ** 0.6, RATE, WAV),
    ),
    "clipped": (CODED, lambda w, _: (np.clip(w, -0.05, 0.05), RATE, WAV)),
    "with an echo": (CODED, lambda w, _: (_echo(w), RATE, WAV)),
    "3 % faster": (CODED, lambda w, _: (resample_poly(w, 100, 103), RATE, WAV)),
    "by way of mp3 and ogg": (CODED, lambda w, rng: (coded(w, "MP3"), RATE, {"format": "OGG"})),
    "as aiff": (CODED, _as("AIFF")),
    "as au, by A-law": (CODED, _as("AU", "ALAW")),
    "faded in and out": (ALIKE, lambda w, _: (w * np.hanning(len(w)) ** 0.5, RATE, WAV)),
    "in the left of two channels, the right one empty": (
        ALIKE,
        lambda w, _: (np.stack([w, 0 * w], axis=1), RATE, WAV),
    ),
    "cut to its middle": (ALIKE, lambda w, _: (w[len(w) // 5 : -len(w) // 5], RATE, WAV)),
    "with silence before it": (
        ALIKE,
        lambda w, rng: (np.r_[np.zeros(rng.integers(2000, 9000)), w], RATE, WAV),
    ),
    "cut, quieter, as mp3": (
        CODED,
        lambda w, _: (w[RATE // 2 : RATE * 5 // 2] / 3, RATE, {"format": "MP3"}),
    ),
    "in two channels": (CODED, lambda w, rng: (_stereo(w, rng), RATE, WAV)),
    "in two channels, swapped": (CODED, lambda w, rng: (_stereo(w, rng)[:, ::-1], RATE, WAV)),
    "within a longer recording": (
        ALIKE,
        lambda w, rng: (np.r_[voice(99, int(rng.integers(9))), w, voice(98, 1)], RATE, WAV),
    ),
    "mixed with another sound 15 dB below": (
        "Kapoor and Narayanan 2023, L1.2: augmented before the split",
        lambda w, rng: (w + 0.18 * voice(97, int(rng.integers(9))), RATE, WAV),
    ),
}


# Too little is left of one recording or another: the seeds.
MISSED = {"clipped": (3,), "with its loudness compressed": (4,), "3 % faster": (3, 4)}


def copied(
    folder: Path,
    seed: int,
    leaky: bool,
    *,
    change: Change,
    sides: tuple[int, int] = (0, 11),
    folds: bool = False,
    label: bool = True,
) -> Verdict:
    """Put a changed recording in one part: of a recording of another part, or of no other."""
    rng = np.random.default_rng([seed, 5])
    table = base(seed)
    folder.mkdir(parents=True)
    for number, path in enumerate(table["path"]):
        soundfile.write(folder / path, voice(seed, number), RATE)
    first, second = sides
    wave, rate, how = change(voice(seed, first if leaky else 50), rng)
    name = f"x.{how['format'].lower()}"
    soundfile.write(folder / name, wave, rate, **how)
    (folder / table["path"][second]).unlink()
    table.loc[second, "path"] = name
    if label:
        # One label for both: nothing but the audio gives the copy away.
        table.loc[second, "label"] = table["label"][first]
    if folds:
        table = table.assign(fold=np.repeat([1, 2, 3], [6, 3, 3])).drop(columns="part")
    return audit_table(folder, table)


for what, (source, change) in CHANGES.items():
    scenario(
        "copies",
        source=source,
        leak=f"a recording of the train part in the test part, {what}",
        clean="another recording, made so",
        finds="same_audio",
        missed=MISSED.get(what, ()),
    )(partial(copied, change=change))
for what, sides in {
    "of the train part in the validation part": (2, 6),
    "of the validation part in the test part": (8, 9),
}.items():
    scenario(
        "copies",
        source=DUPLICATES,
        leak=f"a recording {what}",
        clean="another recording",
        finds="same_audio",
    )(partial(copied, change=CHANGES["as it is"][1], sides=sides))
scenario(
    "copies",
    source=DUPLICATES,
    leak="a recording in two folds",
    clean="another recording",
    finds="same_audio",
)(partial(copied, change=CHANGES["as mp3"][1], folds=True))
scenario(
    "copies",
    source="Kapoor and Narayanan 2023, L1.2: augmented before the split",
    leak="a louder, noisy version of a recording of the train part in validation",
    clean="that of another recording",
    finds="same_audio",
)(
    partial(
        copied,
        change=lambda w, rng: (noisy(1.5 * w, decibels=25, seed=int(rng.integers(9))), RATE, WAV),
        sides=(1, 7),
    )
)
scenario(
    "copies",
    source="Northcutt et al. 2021, label errors",
    leak="a recording under two labels in one part",
    clean="another recording",
    finds="contradicting_labels",
    level="warning",
)(partial(copied, change=CHANGES["as ogg"][1], sides=(0, 3), label=False))


@scenario(
    "copies",
    source="Kapoor and Narayanan 2023, L1.2: oversampled before the split",
    leak="files of the rare class three times, dealt to all parts",
    clean="other files of that class",
    finds="same_audio",
)
def oversampled(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    folder.mkdir(parents=True)
    for number, path in enumerate(table["path"]):
        again = {7: 1, 9: 1, 3: 1, 11: 5}.get(number, number) if leaky else number
        soundfile.write(folder / path, voice(seed, again), RATE)
    return audit_table(folder, table)


@scenario(
    "copies",
    source=DUPLICATES,
    leak="a study with one example under the names of two patients",
    clean="examples without a change over time, such as silence, in two parts",
    finds="identical_examples",
)
def examples(folder: Path, seed: int, leaky: bool) -> Verdict:
    from lib.splits import make_split

    table = study(seed)
    split = make_split(table, kind="grouped", seed=seed)
    part = split.set_index("example")["part"].astype(str)
    rng = np.random.default_rng(seed)
    pair = [rng.choice(part.index[part == side]) for side in ("train", "test")]
    table.loc[pair, "content"] = "one"
    table.loc[pair, "flat"] = not leaky
    return audit_study(table, split)


Pair = Callable[[int, bool], tuple[np.ndarray, np.ndarray]]


def _tone(start: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE + start)


def _sentence(rhythm: int, speaker: int) -> np.ndarray:
    """Say the same words, the rhythm of bands, with another voice."""
    of_words, of_speaker = np.random.default_rng(rhythm), np.random.default_rng([speaker, 1])
    time, wave = np.arange(3 * RATE) / RATE, np.zeros(3 * RATE)
    for low in np.geomspace(80, 1500, 12):
        loud = np.interp(time, np.arange(0, 3.1, 0.15), of_words.gamma(0.5, size=21))
        turn = of_speaker.uniform(0, 6)
        wave += loud * np.sin(2 * np.pi * low * of_speaker.uniform(1, 1.3) * time + turn)
    return 0.2 * wave / np.abs(wave).max() + 0.005 * of_speaker.normal(size=len(time))


def _silent(seed: int, leaky: bool) -> tuple[np.ndarray, np.ndarray]:
    wave = voice(seed, 60) if leaky else np.zeros(3 * RATE)
    return wave, wave


SOUNDS: dict[str, tuple[str, Pair]] = {
    "one hum of the mains": (
        "two hums",
        lambda s, leaky: (hum(s, rate=RATE), hum(s if leaky else s + 10, rate=RATE)),
    ),
    "one test tone, sample for sample": (
        "two tones of one pitch",
        lambda s, leaky: (_tone(s), _tone(s if leaky else s + 2)),
    ),
    "a recording": ("silence, of which no two can be told", _silent),
    "one sentence of a speaker, quieter": (
        "the same sentence by two speakers",
        lambda s, leaky: (_sentence(s, 1), 0.5 * _sentence(s, 1 if leaky else 2)),
    ),
    "one rustle, louder": (
        "two rustles (white noise)",
        lambda s, leaky: (
            noise(np.random.default_rng(s), seconds=3),
            2 * noise(np.random.default_rng(s if leaky else s + 10), seconds=3),
        ),
    ),
}


def alike(folder: Path, seed: int, leaky: bool, *, pair: Pair) -> Verdict:
    table = base(seed)
    folder.mkdir(parents=True)
    waves = [voice(seed, number) for number in range(12)]
    waves[0], waves[10] = pair(seed, leaky)
    for path, wave in zip(table["path"], waves, strict=True):
        soundfile.write(folder / path, wave, RATE, subtype="FLOAT")
    return audit_table(folder, table)


for what, (clean, pair) in SOUNDS.items():
    scenario(
        "alike",
        source=ALIKE,
        leak=f"{what} in two parts",
        clean=clean,
        finds="same_audio",
    )(partial(alike, pair=pair))

Wave = Callable[..., np.ndarray]


def beating(folder: Path, seed: int, leaky: bool, *, wave: Wave, changed: str) -> Verdict:
    """Write measured signals as WFDB records; of the last, what a copy has been through."""
    table = base(seed)
    for number, path in enumerate(table["path"]):
        who = 1 if leaky and number == 11 else number
        made = wave(100 * seed + who, seconds=24.0, rate=ECG_RATE)
        if number == 11:
            made = {
                "cut to its middle": lambda w: w[5 * ECG_RATE : 19 * ECG_RATE],
                "with noise 20 dB below": lambda w: noisy(w, decibels=20, seed=seed),
                "": lambda w: w,
            }[changed](made)
        nothing = np.array([], dtype=int)
        name = Path(path).stem
        write_record(folder, name, (made, nothing, nothing), leads=("II",), annotated=False)
    return audit_table(folder, table.assign(path=[Path(path).stem for path in table["path"]]))


# A copy with noise is no more alike than the next beat is.
UNTOLD = ("the ECG of a paced heart", "a pulse wave")
HEARTS = {
    "the ECG of a heart at rest": partial(ecg, varied=0.03),
    "the ECG of a paced heart": ecg,
    "a pulse wave": pulse,
}
for called, wave in HEARTS.items():
    for changed in ("", "cut to its middle", "with noise 20 dB below"):
        scenario(
            "alike",
            source="Kapoor and Narayanan 2023, L1.4; hearts that beat alike",
            leak=f"{called} in two parts, 24 s{', ' * bool(changed)}{changed}",
            clean="two persons with one heart rate",
            finds="same_audio",
            missed=SEEDS if called in UNTOLD and "noise" in changed else (),
        )(partial(beating, wave=wave, changed=changed))
