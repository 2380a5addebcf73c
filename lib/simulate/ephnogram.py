"""Simulated EPHNOGRAM: simultaneous ECG and heart sounds in MAT files, and their spreadsheet."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lib.files import atomic
from lib.simulate import ecg, heart
from lib.simulate.common import Array, band_noise, generator, write_text

RATE = 8000  # Hz
SECONDS = 6.0
SHORTEST = 4.0
SUBJECTS = 24


@dataclass(frozen=True)
class Scenario:
    """What a scenario does to a recording.

    Attributes
    ----------
    name : str
        As the spreadsheet spells it.
    effort : float
        Rise of the heart rate in beats per minute.
    cadence : float
        Steps or turns per second; 0 at rest.
    shake : float
        RMS of the motion in the ECG, mV.
    thud : float
        Amplitude of a step in the heart sounds.
    """

    name: str
    effort: float
    cadence: float
    shake: float
    thud: float


SCENARIOS = (
    Scenario("Exercise: pedaling a stationary bicycle", 35, 1.0, 0.05, 0.0),
    Scenario("Exercise: walking at constant speed (3.7 km/h) ", 20, 1.7, 0.09, 0.25),
    Scenario("Rest: sitting on armchair", 4, 0.0, 0.08, 0.0),
    Scenario("Exercise: Bruce protocol treadmill stress test", 70, 2.4, 0.16, 0.5),
    Scenario("Exercise: bicycle stress test", 62, 1.3, 0.12, 0.0),
    Scenario("Rest: laying on bed", -5, 0.0, 0.005, 0.0),
)
"""The six scenarios that are compared, spelled as published, final space included."""

_MIXED = (
    "Exercise: slow walk (7 min); fast walk (8 min); "
    "sit down and stand up (4 min); slow walk (6 min);"
)
MIXED = (
    Scenario(_MIXED + "rest", 25, 1.8, 0.10, 0.25),
    Scenario(_MIXED + " rest", 25, 1.8, 0.10, 0.25),
)
"""The mixed walking protocol in its two published spellings."""

COLUMNS = (
    *("Record Name", "Subject ID", "Record Duration (min)", "Age (years)", "Gender"),
    *("Recording Scenario", "Num Channels", "ECG Notes", "PCG Notes", "PCG2 Notes"),
    *("AUX1 Notes", "AUX2 Notes", "Database Housekeeping"),
)
_EMPTY_COLUMNS = 32

_HEADER = b"MATLAB 5.0 MAT-file, simulated by Heldout"


def plan() -> list[tuple[int, Scenario]]:
    """List subject (from 1) and scenario of each record, in the order of their numbers.

    Each of the six scenarios has eight subjects or more, each subject two scenarios or more.
    """
    # 5 has no divisor in common with 24, so every block of 24 has each subject once.
    rows = [
        ((4 * place + turn) * 5 % SUBJECTS + 1, scenario)
        for place, scenario in enumerate(SCENARIOS)
        for turn in range(8)
    ]
    rows += [(9, MIXED[0]), (9, MIXED[1]), (15, SCENARIOS[0]), (17, SCENARIOS[3])]
    return rows


def _motion(rng: np.random.Generator, cadence: float, n: int) -> Array:
    """Draw the times of the steps as a train of unit impulses, shape (n,)."""
    train = np.zeros(n)
    if cadence:
        gaps = rng.normal(1 / cadence, 0.05 / cadence, int(2 * n / RATE * cadence) + 3).clip(0.1)
        at = (np.cumsum(gaps) * RATE).astype(int)
        at = at[at < n]
        train[at] = rng.normal(1, 0.2, len(at))
    return train


def _record(
    rng: np.random.Generator,
    subject: np.random.Generator,
    scenario: Scenario,
    seconds: float,
    channels: int,
) -> dict[str, Array]:
    from scipy.signal import fftconvolve, resample_poly

    body = ecg.draw_heart(subject, ("MLII",), spread=0.5)
    sounds = heart.draw_sounds(subject, spread=0.5)
    fitness = float(np.exp(subject.normal(0, 0.08)))
    loose = float(np.exp(subject.normal(0, 0.2)))  # how well the electrodes hold
    gain_ecg, gain_pcg = 0.25 * np.exp(subject.normal(0, 0.3, 2))
    n = int(seconds * RATE)
    cadence = scenario.cadence * rng.normal(1, 0.03)

    rate = float(np.clip(body.rate - 8 + scenario.effort * fitness + rng.normal(0, 3), 45, 185))
    wobble = body.variability * (0.4 if scenario.effort > 15 else 1.0)
    intervals = 60 / rate * rng.normal(1, wobble, int(seconds * rate / 60) + 3).clip(0.8, 1.2)
    peaks = np.cumsum(intervals) - intervals[0] * rng.uniform(0.2, 1)
    beats = [ecg.varied(rng, body.sinus, 0.5) for _ in peaks]

    # Waves are slow: 1 kHz is enough for them, and eight times less work.
    slow = int(seconds * 1000)
    noisy = replace(body, wander=0.6 * body.wander * (1 + 2 * loose * scenario.shake / 0.1))
    curve = ecg.render(beats, peaks, intervals, slow, 1000) + ecg.noise(rng, noisy, slow, 1, 1000)
    electric = resample_poly(curve[:, 0], 8, 1)[:n]
    steps = _motion(rng, cadence, n)
    sway = band_noise(rng, n, RATE, 0.5, 6) if scenario.cadence else np.zeros(n)
    bump = np.diff(np.hanning(int(0.35 * RATE)), prepend=0)
    electric = electric + loose * scenario.shake * (
        0.6 * sway + 2.0 * fftconvolve(steps, bump / np.abs(bump).max())[:n]
    )
    electric += loose * 0.4 * scenario.shake * band_noise(rng, n, RATE, 20, 150)

    onsets = peaks[peaks < seconds - 0.02] + 0.035
    strength = 1 + max(scenario.effort, 0) / 90
    heard = strength * heart.auscultate(rng, sounds, onsets, seconds=seconds, rate=RATE)[0]
    heard += heart.room(rng, sounds.noise + rng.normal(0, 2), n, RATE)
    if scenario.thud:
        thud = heart.thump(RATE, 22 * np.exp(subject.normal(0, 0.2)), 0.05)
        heard += 2 * loose * scenario.thud * fftconvolve(steps, thud)[:n]
        heard += 0.35 * loose * scenario.thud * band_noise(rng, n, RATE, 150, 700)

    out = {"ECG": gain_ecg * electric, "PCG": gain_pcg * heard}
    if channels == 5:
        for name, level in (("PCG2", 0.001), ("AUX1", 0.036), ("AUX2", 0.034)):
            out[name] = level + 0.001 * rng.standard_normal(n)
    # The published samples are those of an ADC with 2048 steps on ±1.
    return {name: np.clip(np.round(x * 1024), -1024, 1023) / 1024 for name, x in out.items()}


def _write_mat(path: Path, signals: dict[str, Array]) -> None:
    from scipy.io import savemat

    stream = io.BytesIO()
    variables = {name: x[None, :] for name, x in sorted(signals.items())}
    savemat(stream, {**variables, "fs": np.full((1, 1), RATE, np.uint16)}, do_compression=True)
    content = stream.getvalue()
    # The first 116 bytes hold the date of writing: the same seed has to give the same bytes.
    with atomic(path) as part:
        part.write_bytes(_HEADER.ljust(116) + content[116:])


def write(folder: Path, *, seed: int, scale: float) -> None:
    """Write `MAT/`, the spreadsheet, `RECORDS` and `LICENSE.txt`.

    `scale` multiplies the 6 s of a record (never less than 4 s, half an hour at most); the 52
    records of 24 subjects are always all there.
    """
    seconds = float(np.clip(SECONDS * scale, SHORTEST, 1800.0))
    lines = [",".join(COLUMNS) + "," * _EMPTY_COLUMNS]
    names = []
    for number, (who, scenario) in enumerate(plan(), 1):
        name, subject = f"ECGPCG{number:04d}", f"S{who:03d}"
        about = generator(seed, "ephnogram", f"{subject}/about")
        age = "" if about.random() < 0.2 else str(int(about.integers(23, 30)))
        gender = "Male"
        channels = 5 if who % 3 == 0 else 2
        signals = _record(
            generator(seed, "ephnogram", f"{subject}/{name}"),
            generator(seed, "ephnogram", subject),
            scenario,
            seconds,
            channels,
        )
        _write_mat(folder / "MAT" / f"{name}.mat", signals)
        other = "Quantization noise level " if channels == 5 else "NA"
        fields = [name, subject, f"{seconds / 60:g}", age, gender, scenario.name, str(channels)]
        fields += ["Good", "Good", other, other, other, ""]
        lines.append(",".join(fields) + "," * _EMPTY_COLUMNS)
        names.append(f"WFDB/{name}")
    blank = "," * (len(COLUMNS) + _EMPTY_COLUMNS - 1) + "\n"
    write_text(folder / "ECGPCGSpreadsheet.csv", "\r\n".join([*lines, blank]))
    # The published list has no line end after its last name.
    write_text(folder / "RECORDS", "\n".join(names))
    write_text(
        folder / "LICENSE.txt",
        "These are simulated recordings; nobody was recorded. The licence of Heldout applies.\n",
    )
