"""Simulated MIT-BIH Arrhythmia Database: 48 WFDB records at 360 Hz with beat annotations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lib.simulate import ecg
from lib.simulate.common import Array, generator, write_text

RATE = 360  # Hz
GAIN = 200  # steps per mV
BASELINE = 1024  # the step of 0 mV
SECONDS = 40.0
SHORTEST = 20.0
SPREAD = 1.4  # how much patients differ, as in `ecg.draw_heart`

DS1 = (
    *("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122"),
    *("124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230"),
)
DS2 = (
    *("100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210"),
    *("212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234"),
)
PACED = ("102", "104", "107", "217")
RECORDS = tuple(sorted(DS1 + DS2 + PACED))

#: Two records of one patient.
SAME_PATIENT = {"202": "201"}

#: Where the leads are not MLII and V1.
_LEADS = {
    **dict.fromkeys(("100", "123"), ("MLII", "V5")),
    **dict.fromkeys(("102", "104"), ("V5", "V2")),
    **dict.fromkeys(("103", "117"), ("MLII", "V2")),
    "114": ("V5", "MLII"),
    "124": ("MLII", "V4"),
}

#: The beat that is the rule in a record, where it is not N, and its rhythm, where that is not (N.
_RULE = {
    **dict.fromkeys(("109", "111", "207", "214"), "L"),
    **dict.fromkeys(("118", "124", "212", "231", "232"), "R"),
    **dict.fromkeys(PACED, "/"),
}
_RHYTHM = {
    **dict.fromkeys(("201", "202", "203", "210", "219", "221"), "(AFIB"),
    **dict.fromkeys(("106", "119", "228"), "(B"),
    **dict.fromkeys(PACED, "(P"),
    "232": "(SBR",
    "222": "(AFL",
}

#: How many of 40 beats are exceptions, by record and code. Never fewer than one of each.
_ROWS = """
100 A5 V1; 101 A3 Q2; 102 N4 f3 V1; 103 A2; 104 f10 N6 Q1; 105 V4 Q3; 106 V10; 107 V4;
108 V3 F3 j2 A3; 109 V6 F3; 111 V2; 112 A3; 113 a4; 114 V4 F3 J2 A3; 116 V6 A2; 117 A2;
118 A7 V2; 119 V10; 121 A2 V2; 123 V3; 124 V4 J3 F4; 200 V12 A3 F3; 201 a4 V5 j3 F2 A3;
202 V3 A4 a3 F2; 203 V9 a2 F2 Q2; 205 V5 A2 F4; 207 V5 E4 A5; 208 V10 F9 Q2 S2;
209 A9 V2; 210 V6 a3 F4 E1; 213 V6 F8 A4 a2; 214 V7 F3 Q2; 215 V6 A2 F3 Q2;
217 f9 N6 V4; 219 V4 A3 F3; 220 A6; 221 V9; 222 A7 J2 j4; 223 V8 A4 a2 F4 e2;
228 V9 A2 Q2; 230 V2; 231 A2 V2; 232 A16 j2; 233 V12 A2 F4; 234 J4 V2
"""
_EXCEPTIONS = {
    record: {item[0]: int(item[1:]) for item in items}
    for record, *items in map(str.split, _ROWS.split(";"))
}

#: RR before a beat, and RR after it, as a share of the usual: bounds of a uniform draw. RR before
#: varies by 2% beside; where `Habits` has the code, it is drawn once for each patient.
_TIMING = {
    **dict.fromkeys("AaS", ((0.58, 0.92), (1.0, 1.15))),
    "J": ((0.62, 0.85), (1.0, 1.2)),
    "V": ((0.52, 0.88), (1.1, 1.45)),
    "F": ((0.84, 0.97), (1.0, 1.1)),
    "E": ((1.35, 1.7), (1.0, 1.1)),
    "j": ((1.15, 1.4), (1.0, 1.05)),
    "e": ((1.1, 1.3), (1.0, 1.05)),
}


@dataclass(frozen=True)
class Habits:
    """What is particular to the premature beats of one patient.

    Attributes
    ----------
    coupling : dict of str to float
        How early beats of a code come, from 0 (at the lower bound of `_TIMING`) to 1.
    fusion : float
        Share of the sinus beat in a fusion beat.
    """

    coupling: dict[str, float]
    fusion: float


def patient(record: str) -> str:
    """Name the patient of a record: 201 and 202 are one."""
    return SAME_PATIENT.get(record, record)


def leads(record: str) -> tuple[str, str]:
    """Name the two leads of a record, in the order of its signals."""
    return _LEADS.get(record, ("MLII", "V1"))


def draw_patient(record: str, *, seed: int) -> ecg.Heart:
    """Draw what stays the same in a patient, from the patient's own generator."""
    name = patient(record)
    block = _RULE.get(name, "N")
    return ecg.draw_heart(
        generator(seed, "mitdb", name),
        leads(name),
        block=block if block in "LR" else "",
        spread=SPREAD,
    )


def draw_habits(record: str, *, seed: int) -> Habits:
    """Draw the habits of a patient, from a generator of their own."""
    rng = generator(seed, "mitdb", f"{patient(record)}/habits")
    atrial, ventricular, fusion = rng.random(3)
    coupling = {**dict.fromkeys("AaS", atrial), "V": ventricular}
    return Habits(coupling, 0.15 + 0.7 * fusion)


def _codes(rng: np.random.Generator, record: str, count: int) -> list[str]:
    codes = [_RULE.get(record, "N")] * count
    wanted: list[str] = []
    for code, of_forty in _EXCEPTIONS.get(record, {}).items():
        wanted += [code] * max(1, round(of_forty * count / 40))
    # The first and last beats stay what they are as a rule: a window around them may be cut off.
    places = rng.choice(np.arange(2, count - 2), min(len(wanted), count - 6), replace=False)
    for place, code in zip(places, wanted, strict=False):
        codes[place] = code
    return codes


def _rhythm(
    rng: np.random.Generator, heart: ecg.Heart, habits: Habits, record: str, codes: list[str]
) -> tuple[Array, Array]:
    count = len(codes)
    usual = 60 / heart.rate
    if _RULE.get(record) == "/":
        intervals = np.full(count, usual)
    elif _RHYTHM.get(record) in ("(AFIB", "(AFL"):
        intervals = usual * rng.uniform(0.62, 1.4, count)
    else:
        breathing = np.sin(2 * np.pi * np.arange(count) * usual * 0.25 + rng.uniform(0, 6.28))
        wobble = rng.standard_normal(count) * 0.6 + breathing
        intervals = usual * (1 + heart.variability * wobble)
    for place, code in enumerate(codes):
        if code in _TIMING:
            (least, most), after = _TIMING[code]
            share = habits.coupling.get(code, rng.random())
            intervals[place] *= (least + share * (most - least)) * rng.normal(1, 0.02)
            if place + 1 < count:
                intervals[place + 1] *= rng.uniform(*after)
    intervals = np.clip(intervals, 0.32, 2.5)
    return 0.45 + np.cumsum(intervals) - intervals[0], intervals


def _beat(
    rng: np.random.Generator, heart: ecg.Heart, habits: Habits, paced: ecg.Beat, code: str
) -> ecg.Beat:
    sinus = heart.sinus
    ventricular = heart.ventricular[int(rng.integers(len(heart.ventricular)))]
    if code in "NLR":
        beat = sinus
    elif code in "AS":
        beat = heart.atrial
    elif code in "Jj":
        beat = replace(sinus, amplitudes=sinus.amplitudes.copy())
        beat.amplitudes[ecg.P] *= -0.3 if code == "J" else 0.0
    elif code == "e":
        beat = replace(sinus, amplitudes=sinus.amplitudes.copy())
        beat.amplitudes[ecg.P] *= 0.4
    elif code == "a":
        # Conducted on a path that has not recovered: wider, and a little like a ventricular beat.
        beat = ecg.mixed(heart.atrial, ventricular, 0.8)
    elif code == "V":
        beat = ventricular
    elif code == "E":
        beat = replace(ventricular, amplitudes=0.7 * ventricular.amplitudes)
    elif code == "F":
        beat = ecg.mixed(sinus, ventricular, float(np.clip(rng.normal(habits.fusion, 0.03), 0, 1)))
    elif code == "/":
        beat = paced
    elif code == "f":
        beat = ecg.mixed(sinus, paced, rng.uniform(0.3, 0.7))
        beat.amplitudes[ecg.SPIKE] = paced.amplitudes[ecg.SPIKE]
    else:  # Q: nobody can say what it is
        beat = ecg.mixed(sinus, ventricular, rng.uniform(0, 1))
        beat = replace(
            beat,
            centres=beat.centres + rng.normal(0, 0.03, len(ecg.WAVES)),
            widths=beat.widths * np.exp(rng.normal(0, 0.5, len(ecg.WAVES))),
            amplitudes=beat.amplitudes * rng.normal(0.5, 0.6, (len(ecg.WAVES), 1)),
        )
    # Beats of one code differ less within a patient than patients do.
    return ecg.varied(rng, beat, 0.6)


def _paced(rng: np.random.Generator, heart: ecg.Heart) -> ecg.Beat:
    beat = heart.ventricular[0]
    amplitudes = 0.9 * beat.amplitudes
    amplitudes[ecg.SPIKE] = rng.choice([-1, 1]) * rng.uniform(0.4, 1.0, amplitudes.shape[1])
    return replace(beat, amplitudes=amplitudes)


def _comments(rng: np.random.Generator, record: str) -> list[str]:
    # -1 is how the published headers write an age that is not known.
    age = -1 if record in ("103", "219") else int(np.clip(rng.normal(63, 16), 23, 89))
    tape, recorder = int(rng.integers(640, 3190)), int(rng.choice([167, 654, 694, 1629, 3655]))
    sex = "MF"[int(rng.random() < 0.45)]
    return [f"{age} {sex} {tape} {recorder} x{int(rng.integers(1, 3))}", "None", "Simulated."]


def _header(record: str, steps: np.ndarray, comments: list[str]) -> str:
    lines = [f"{record} 2 {RATE} {len(steps)}"]
    for column, lead in zip(steps.T, leads(record), strict=True):
        checksum = (int(column.sum()) + 32768) % 65536 - 32768
        lines.append(f"{record}.dat 212 {GAIN} 11 {BASELINE} {int(column[0])} {checksum} 0 {lead}")
    lines += [f"# {comment}" for comment in comments]
    return "\r\n".join(lines) + "\r\n"


def _annotate(
    rng: np.random.Generator, record: str, peaks: np.ndarray, codes: list[str]
) -> list[tuple[int, str, str, int]]:
    rhythm = _RHYTHM.get(record, "(N")
    rows = [(max(int(peaks[0]) - 60, 1), "+", rhythm + "\0", 0)]
    rows += [(int(peak), code, "", 0) for peak, code in zip(peaks, codes, strict=True)]
    # Marks that are no beats: a reader has to leave them out.
    between = [int(x) for x in (peaks[:-1] + peaks[1:]) // 2]
    if rhythm not in ("(N", "(P"):
        first, second = sorted(rng.choice(np.arange(3, len(between) - 3), 2, replace=False))
        rows += [(between[first], "+", "(N\0", 0), (between[second] + 1, "+", rhythm + "\0", 0)]
    if record in ("101", "105", "203", "208", "215"):
        rows.append((between[5] + 5, "~", "", 1))
    if record in ("101", "116", "203", "228"):
        rows.append((between[7] + 7, "|", "", 0))
    if record in ("201", "232"):
        rows.append((between[8] + 9, "x", "", 0))
    if record in ("106", "117", "222"):
        rows.append((between[9] + 11, '"', "MISSB\0", 0))
    return sorted(rows)


def write(folder: Path, *, seed: int, scale: float) -> None:
    """Write the 48 records, `RECORDS` and `ANNOTATORS`.

    `scale` multiplies the 40 s of a record (never less than 20 s, half an hour at most); the
    records are always all there, since the splits of the literature name them.
    """
    import wfdb

    seconds = float(np.clip(SECONDS * scale, SHORTEST, 1805.0))
    n = int(seconds * RATE)
    for record in RECORDS:
        name = patient(record)
        heart, habits = draw_patient(record, seed=seed), draw_habits(record, seed=seed)
        about = generator(seed, "mitdb", f"{name}/about")
        comments, paced = _comments(about, name), _paced(about, heart)
        rng = generator(seed, "mitdb", f"{name}/{record}")
        codes = _codes(rng, record, int((seconds - 1.6) * heart.rate / 60))
        times, intervals = _rhythm(rng, heart, habits, record, codes)
        keep = times < seconds - 0.6
        codes = [code for code, kept in zip(codes, keep, strict=True) if kept]
        times, intervals = times[keep], intervals[keep]
        beats = [_beat(rng, heart, habits, paced, code) for code in codes]
        if _RHYTHM.get(record) == "(AFIB":
            for beat in beats:
                beat.amplitudes[ecg.P] = 0
        signal = ecg.render(beats, times, intervals, n, RATE)
        signal += ecg.noise(rng, heart, n, 2, RATE)
        steps = np.clip(np.round(signal * GAIN) + BASELINE, 0, 2047).astype(np.int64)
        wfdb.wrsamp(
            record,
            fs=RATE,
            units=["mV", "mV"],
            sig_name=list(leads(record)),
            d_signal=steps,
            fmt=["212", "212"],
            adc_gain=[float(GAIN)] * 2,
            baseline=[BASELINE] * 2,
            write_dir=str(folder),
        )
        # The published headers also give the ADC's resolution and zero, and end lines in CR LF.
        write_text(folder / f"{record}.hea", _header(record, steps, comments))
        rows = _annotate(rng, record, np.round(times * RATE).astype(int), codes)
        wfdb.wrann(
            record,
            "atr",
            np.array([row[0] for row in rows]),
            symbol=[row[1] for row in rows],
            subtype=np.array([row[3] for row in rows]),
            aux_note=[row[2] for row in rows],
            write_dir=str(folder),
        )
    write_text(folder / "RECORDS", "".join(f"{record}\n" for record in RECORDS))
    write_text(
        folder / "ANNOTATORS", "atr\treference beat, rhythm, and signal quality annotations\n"
    )
