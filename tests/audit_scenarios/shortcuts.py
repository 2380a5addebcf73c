"""Labels that can be had without listening, and parts that lack something."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy.signal import resample_poly

from tests.support.scenarios import (
    RATE,
    Verdict,
    audit_table,
    base,
    noise,
    scenario,
    write_noises,
)

ILLEGITIMATE = "Kapoor and Narayanan 2023, L2"
SHORTCUTS = "Geirhos et al. 2020, shortcut learning"
SITES = "Zech et al. 2018, the hospital gives the disease away"
FILES = 120

# Of a noise, whether it is to be of the first kind, and a generator: samples, rate, how to write.
Made = Callable[[bool, np.random.Generator], tuple[np.ndarray, int, dict[str, str]]]
WAV = {"format": "WAV"}


def _level(one: bool, rng: np.random.Generator) -> np.ndarray:
    return noise(rng) * 10 ** ((rng.normal(0, 3) + 9 * one) / 20)


def _once_coded(one: bool, rng: np.random.Generator) -> tuple[np.ndarray, int, dict[str, str]]:
    file = io.BytesIO()
    soundfile.write(file, noise(rng), RATE, format="MP3" if one else "WAV")
    file.seek(0)
    # Decoders of mp3 add samples at the ends.
    return soundfile.read(file)[0][: round(0.15 * RATE)], RATE, WAV


ATTRIBUTES: dict[str, tuple[str, Made]] = {
    "the band (recorded at 8 kHz, written at 16 kHz)": (
        SHORTCUTS,
        lambda one, rng: (
            resample_poly(noise(rng, rate=RATE / 2), 2, 1) if one else noise(rng),
            RATE,
            WAV,
        ),
    ),
    "the bit rate of an mp3 made into a wav": (SHORTCUTS, lambda one, rng: _once_coded(one, rng)),
    "the sampling rate": (
        SHORTCUTS,
        lambda one, rng: (noise(rng, rate=8000 if one else RATE), 8000 if one else RATE, WAV),
    ),
    "the duration": (
        SHORTCUTS,
        lambda one, rng: (noise(rng, seconds=0.15 + 0.05 * one + rng.uniform(0, 0.05)), RATE, WAV),
    ),
    "the number of channels": (
        SHORTCUTS,
        lambda one, rng: (np.stack([noise(rng)] * (1 + one), axis=1), RATE, WAV),
    ),
    "the level, on average 9 dB more": (
        SHORTCUTS,
        lambda one, rng: (_level(one, rng), RATE, WAV),
    ),
    "the container (wav or flac)": (
        SHORTCUTS,
        lambda one, rng: (noise(rng), RATE, {"format": "FLAC" if one else "WAV"}),
    ),
    "the bits of a sample (16 or 24)": (
        SHORTCUTS,
        lambda one, rng: (noise(rng), RATE, WAV | {"subtype": "PCM_24" if one else "PCM_16"}),
    ),
    "the silence at the start": (
        SHORTCUTS,
        lambda one, rng: (
            np.r_[np.zeros(round(RATE * (0.01 + 0.05 * one))), noise(rng)][: round(0.15 * RATE)],
            RATE,
            WAV,
        ),
    ),
}


def _dealt(seed: int, leaky: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table, and the kind of each file: that of its label, or dealt at random."""
    table = base(seed, count=FILES)
    # Half of the files are for testing: of a few little can be said.
    table["part"] = np.array(["train", "test"])[np.arange(FILES) // 2 % 2]
    rng = np.random.default_rng([seed, 7])
    # Of one in ten files the kind is the other one: no shortcut is without exceptions.
    kind = (table["label"] == "murmur").to_numpy() ^ (rng.random(FILES) < 0.1)
    return table, kind if leaky else rng.permutation(kind)


def attribute(
    folder: Path, seed: int, leaky: bool, *, made: Made, folds: bool = False, people: int = 0
) -> Verdict:
    """Give the files of one label, or any files, what those of the other do not have."""
    table, kind = _dealt(seed, leaky)
    folder.mkdir(parents=True)
    if people:
        # All files of a person have one label, and in the clean table one level.
        number = np.arange(FILES) // (FILES // people)
        table["group"] = [f"p{one}" for one in number]
        table["part"] = np.array(["train", "test"])[(number % 2)]
        table["label"] = np.array(["murmur", "normal"])[number // 2 % 2]
        own = np.random.default_rng([seed, 8]).random(people) < 0.5
        kind = (table["label"] == "murmur").to_numpy() if leaky else own[number]
    for row, path in enumerate(table["path"]):
        samples, rate, how = made(bool(kind[row]), np.random.default_rng([seed, row]))
        name = f"{Path(path).stem}.{how['format'].lower()}"
        soundfile.write(folder / name, samples, rate, **how)
        table.loc[row, "path"] = name
    if folds:
        table = table.assign(fold=np.arange(FILES) // 2 % 5 + 1).drop(columns="part")
    return audit_table(folder, table)


for what, (source, made) in ATTRIBUTES.items():
    scenario(
        "labels",
        source=source,
        leak=f"{what} gives the label, but for one file in ten",
        clean="it is dealt at random",
        finds="metadata",
        level="warning",
    )(partial(attribute, made=made))
scenario(
    "labels",
    source=SHORTCUTS,
    leak="the sampling rate gives the label in five folds",
    clean="it is dealt at random",
    finds="metadata",
    level="warning",
)(partial(attribute, made=ATTRIBUTES["the sampling rate"][1], folds=True))
scenario(
    "labels",
    source="Chaibub Neto et al. 2019, identity confounding",
    leak="the level gives the label of 40 persons with three files each",
    clean="each person has a level of their own",
    finds="metadata",
    level="warning",
)(partial(attribute, made=ATTRIBUTES["the level, on average 9 dB more"][1], people=40))


def named(folder: Path, seed: int, leaky: bool, *, form: str) -> Verdict:
    """Name files after their kind."""
    table, kind = _dealt(seed, leaky)
    rng = np.random.default_rng([seed, 9])
    numbers = np.where(kind, rng.permutation(FILES), 500 + rng.permutation(FILES))
    any_number = rng.permutation(FILES)
    table["path"] = [
        form.format(word="zoom" if one else "phone", number=number, any=other, label=label)
        for one, number, other, label in zip(kind, numbers, any_number, table["label"], strict=True)
    ]
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table)


FORMS = {
    "a word in the name of the file": "{word}_{any:03}.wav",
    "the number in the name of the file": "{label}_{number:03}.wav",
    "the folder": "{word}/{any:03}.wav",
}
for what, form in FORMS.items():
    scenario(
        "labels",
        source=ILLEGITIMATE,
        leak=f"{what} gives the label, but for one file in ten",
        clean="it is dealt at random",
        finds="file_names",
        level="warning",
    )(partial(named, form=form))


def placed(folder: Path, seed: int, leaky: bool, *, column: str, places: int) -> Verdict:
    """Name a site or a device for each file: one of a few for each label, or any."""
    table, kind = _dealt(seed, leaky)
    rng = np.random.default_rng([seed, 10])
    table[column] = [f"{column} {2 * rng.integers(places // 2) + one}" for one in kind]
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table)


for column, places in (("site", 2), ("Device", 4)):
    scenario(
        "labels",
        source=SITES,
        leak=f"a column {column.lower()}: of {places}, each has one label, but for one file in ten",
        clean="each has both",
        finds="sites",
        level="warning",
    )(partial(placed, column=column, places=places))


@scenario(
    "parts",
    source="Kapoor and Narayanan 2023, L3.3",
    leak="no file of a label in the test part",
    clean="both labels in each part",
    finds="missing_classes",
    level="warning",
)
def lacking(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    if leaky:
        table.loc[table["part"] == "test", "label"] = "normal"
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table)


@scenario(
    "parts",
    source="Kapoor and Narayanan 2023, L1.1",
    leak="no test part: what was chosen on is reported",
    clean="a test part",
    finds="missing_part",
    level="warning",
)
def untested(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    write_noises(folder, table["path"], seed=seed)
    return audit_table(folder, table[table["part"] != "test"] if leaky else table)


@scenario(
    "parts",
    source="Kapoor and Narayanan 2023, L1.1; Roth 2026, class II (selection)",
    leak="the validation part is the test part: epoch and settings are chosen on it",
    clean="a validation part of its own",
    finds="files_on_two_sides",
)
def chosen_on_test(folder: Path, seed: int, leaky: bool) -> Verdict:
    table = base(seed)
    write_noises(folder, table["path"], seed=seed)
    if leaky:
        test = table[table["part"] == "test"]
        table = pd.concat([table[table["part"] != "validation"], test.assign(part="validation")])
    return audit_table(folder, table)
