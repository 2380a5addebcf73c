"""Simulated MIT-BIH Arrhythmia Database: 48 WFDB records at 360 Hz with beat annotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.simulate import ecg
from lib.simulate.common import Array, generator, write_text

RATE = 360  # Hz
GAIN = 200  # steps per mV
BASELINE = 1024  # the step of 0 mV
SECONDS = 40.0
SHORTEST = 20.0

DS1 = (
    "101",
    "106",
    "108",
    "109",
    "112",
    "114",
    "115",
    "116",
    "118",
    "119",
    "122",
    "124",
    "201",
    "203",
    "205",
    "207",
    "208",
    "209",
    "215",
    "220",
    "223",
    "230",
)
DS2 = (
    "100",
    "103",
    "105",
    "111",
    "113",
    "117",
    "121",
    "123",
    "200",
    "202",
    "210",
    "212",
    "213",
    "214",
    "219",
    "221",
    "222",
    "228",
    "231",
    "232",
    "233",
    "234",
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
_EXCEPTIONS: dict[str, dict[str, int]] = {
    "100": {"A": 5, "V": 1},
    "101": {"A": 3, "Q": 2},
    "102": {"N": 4, "f": 3, "V": 1},
    "103": {"A": 2},
    "104": {"f": 10, "N": 6, "Q": 1},
    "105": {"V": 4, "Q": 3},
    "106": {"V": 10},
    "107": {"V": 4},
    "108": {"V": 3, "F": 3, "j": 2, "A": 3},
    "109": {"V": 6, "F": 3},
    "111": {"V": 2},
    "112": {"A": 3},
    "113": {"a": 4},
    "114": {"V": 4, "F": 3, "J": 2, "A": 3},
    "116": {"V": 6, "A": 2},
    "117": {"A": 2},
    "118": {"A": 7, "V": 2},
    "119": {"V": 10},
    "121": {"A": 2, "V": 2},
    "123": {"V": 3},
    "124": {"V": 4, "J": 3, "F": 4},
    "200": {"V": 12, "A": 3, "F": 3},
    "201": {"a": 4, "V": 5, "j": 3, "F": 2, "A": 3},
    "202": {"V": 3, "A": 4, "a": 3, "F": 2},
    "203": {"V": 9, "a": 2, "F": 2, "Q": 2},
    "205": {"V": 5, "A": 2, "F": 4},
    "207": {"V": 5, "E": 4, "A": 5},
    "208": {"V": 10, "F": 9, "Q": 2, "S": 2},
    "209": {"A": 9, "V": 2},
    "210": {"V": 6, "a": 3, "F": 4, "E": 1},
    "213": {"V": 6, "F": 8, "A": 4, "a": 2},
    "214": {"V": 7, "F": 3, "Q": 2},
    "215": {"V": 6, "A": 2, "F": 3, "Q": 2},
    "217": {"f": 9, "N": 6, "V": 4},
    "219": {"V": 4, "A": 3, "F": 3},
    "220": {"A": 6},
    "221": {"V": 9},
    "222": {"A": 7, "J": 2, "j": 4},
    "223": {"V": 8, "A": 4, "a": 2, "F": 4, "e": 2},
    "228": {"V": 9, "A": 2, "Q": 2},
    "230": {"V": 2},
    "231": {"A": 2, "V": 2},
    "232": {"A": 16, "j": 2},
    "233": {"V": 12, "A": 2, "F": 4},
    "234": {"J": 4, "V": 2},
}

#: RR before a beat, and RR after it, as a share of the usual: bounds of a uniform draw.
_TIMING = {
    **dict.fromkeys("AaS", ((0.58, 0.82), (1.0, 1.15))),
    "J": ((0.62, 0.85), (1.0, 1.2)),
    "V": ((0.52, 0.78), (1.2, 1.45)),
    "F": ((0.84, 0.97), (1.0, 1.1)),
    "E": ((1.35, 1.7), (1.0, 1.1)),
    "j": ((1.15, 1.4), (1.0, 1.05)),
    "e": ((1.1, 1.3), (1.0, 1.05)),
}


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
        generator(seed, "mitdb", name), leads(name), block=block if block in "LR" else ""
    )


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
    rng: np.random.Generator, heart: ecg.Heart, record: str, codes: list[str]
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
            before, after = _TIMING[code]
            intervals[place] *= rng.uniform(*before)
            if place + 1 < count:
                intervals[place + 1] *= rng.uniform(*after)
    intervals = np.clip(intervals, 0.32, 2.5)
    return 0.45 + np.cumsum(intervals) - intervals[0], intervals


def _beat(rng: np.random.Generator, heart: ecg.Heart, paced: ecg.Beat, code: str) -> ecg.Beat:
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
        beat = ecg.mixed(sinus, ventricular, rng.uniform(0.35, 0.65))
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
    return ecg.varied(rng, beat)


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
        heart = draw_patient(record, seed=seed)
        about = generator(seed, "mitdb", f"{name}/about")
        comments, paced = _comments(about, name), _paced(about, heart)
        rng = generator(seed, "mitdb", f"{name}/{record}")
        codes = _codes(rng, record, int((seconds - 1.6) * heart.rate / 60))
        times, intervals = _rhythm(rng, heart, record, codes)
        keep = times < seconds - 0.6
        codes = [code for code, kept in zip(codes, keep, strict=True) if kept]
        times, intervals = times[keep], intervals[keep]
        beats = [_beat(rng, heart, paced, code) for code in codes]
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
        folder / "ANNOTATORS",
        "atr\treference beat, rhythm, and signal quality annotations\n",
    )
