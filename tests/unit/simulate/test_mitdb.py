"""The simulated arrhythmia database is laid out as the published one, and patients matter."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import wfdb

from lib.metrics.aami import CODES
from lib.simulate import mitdb, simulate
from lib.simulate.mitdb import DS1, DS2, PACED, RECORDS

AAMI = {code: name for name, codes in CODES.items() for code in codes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mitdb")
    simulate("mitdb", path, seed=0)
    return path


def _codes(folder: Path) -> dict[str, list[str]]:
    return {name: wfdb.rdann(str(folder / name), "atr").symbol for name in RECORDS}


def test_records(folder: Path) -> None:
    assert (folder / "RECORDS").read_bytes() == "".join(f"{r}\n" for r in RECORDS).encode()
    assert len(RECORDS) == 48
    assert not set(DS1) & set(DS2)
    for name in RECORDS:
        record = wfdb.rdrecord(str(folder / name), physical=False)
        assert (record.fs, record.n_sig, record.sig_len) == (360, 2, 14400)
        assert record.adc_gain == [200, 200]
        assert record.calc_checksum() == [value % 65536 for value in record.checksum]
        assert record.init_value == record.d_signal[0].tolist()
        assert len(set(record.d_signal[:, 0].tolist())) > 50
        fields = record.comments[0].split()
        assert len(fields) == 5
        assert -1 <= int(fields[0]) <= 89
        assert fields[1] in "MF"
        assert "Simulated." in record.comments
        assert (folder / f"{name}.hea").read_bytes().count(b"\r\n") == 6


def test_leads(folder: Path) -> None:
    names = {name: wfdb.rdheader(str(folder / name)).sig_name for name in RECORDS}
    assert names["100"] == ["MLII", "V5"]
    assert names["114"] == ["V5", "MLII"]
    assert names["102"] == names["104"] == ["V5", "V2"]
    assert sum(name[0] == "MLII" for name in names.values()) == 45


def test_beats(folder: Path) -> None:
    found = _codes(folder)
    for codes in found.values():
        assert 25 <= sum(code in AAMI for code in codes) <= 66
    for part in (DS1, DS2):
        patients = defaultdict(set)
        for record in part:
            for code in found[record]:
                patients[AAMI.get(code, "")].add(mitdb.patient(record))
        assert {name: len(patients[name]) >= 5 for name in "NSVF"} == dict.fromkeys("NSVF", True)
        assert len(patients["Q"]) >= 3
    every = {code for codes in found.values() for code in codes}
    assert every >= set("NLRejAaJSVEFQ/f") | set('+~|"x')
    for record in RECORDS:
        assert ("/" in found[record]) == (record in PACED)


def test_rhythms_are_in_the_notes(folder: Path) -> None:
    notes = {name: wfdb.rdann(str(folder / name), "atr").aux_note for name in RECORDS}
    assert notes["100"][0] == "(N\0"
    assert notes["201"][0] == "(AFIB\0"
    assert notes["106"][0] == "(B\0"
    assert notes["217"][0] == "(P\0"


def test_premature_beats_are_early(folder: Path) -> None:
    for record, code in (("208", "V"), ("209", "A")):
        notes = wfdb.rdann(str(folder / record), "atr")
        beats = [(s, c) for s, c in zip(notes.sample, notes.symbol, strict=True) if c in AAMI]
        times, codes = np.array([b[0] for b in beats]), np.array([b[1] for b in beats])
        intervals = np.diff(times)
        usual = np.median(intervals[(codes[1:] == "N") & (codes[:-1] == "N")])
        early = np.median(intervals[codes[1:] == code]) / usual
        assert early < 0.95
        # Coupling is the patient's own.
        least, most = mitdb._TIMING[code][0]
        share = mitdb.draw_habits(record, seed=0).coupling[code]
        assert early == pytest.approx(least + share * (most - least), abs=0.06)
    notes = wfdb.rdann(str(folder / "100"), "atr")
    signal = wfdb.rdrecord(str(folder / "100")).p_signal[:, 0]
    assert np.ptp(signal) > 0.3  # mV
    assert notes.sample.max() < len(signal)


def test_a_patient_is_the_same_in_both_records() -> None:
    first, second = (mitdb.draw_patient(name, seed=3) for name in ("201", "202"))
    assert first.rate == second.rate
    np.testing.assert_array_equal(first.sinus.amplitudes, second.sinus.amplitudes)
    np.testing.assert_array_equal(first.ventricular[0].widths, second.ventricular[0].widths)
    other = mitdb.draw_patient("203", seed=3)
    assert not np.array_equal(first.sinus.amplitudes, other.sinus.amplitudes)
    assert mitdb.patient("202") == mitdb.patient("201") == "201"


def test_the_two_records_of_a_patient_differ(folder: Path) -> None:
    assert (folder / "201.dat").read_bytes() != (folder / "202.dat").read_bytes()
    first, second = (wfdb.rdheader(str(folder / name)).comments for name in ("201", "202"))
    assert first == second


def test_short_records_keep_every_class(tmp_path: Path) -> None:
    simulate("mitdb", tmp_path, scale=0.01)
    codes = _codes(tmp_path)
    assert wfdb.rdheader(str(tmp_path / "100")).sig_len == 7200
    for part in (DS1, DS2):
        for name, least in (("N", 5), ("S", 5), ("V", 5), ("F", 5), ("Q", 3)):
            holders = [r for r in part if any(AAMI.get(code) == name for code in codes[r])]
            assert len(holders) >= least, name


def test_a_random_split_flatters(folder: Path) -> None:
    from scipy.signal import resample_poly
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

    rows, labels, groups = [], [], []
    for name in (*DS1, *DS2):
        record = wfdb.rdrecord(str(folder / name))
        notes = wfdb.rdann(str(folder / name), "atr")
        lead = resample_poly(record.p_signal[:, record.sig_name.index("MLII")], 125, 360)
        for place, code in zip(notes.sample, notes.symbol, strict=True):
            start = int(place * 125 / 360) - 62
            if AAMI.get(code, "Q") != "Q" and 0 <= start <= len(lead) - 187:
                beat = lead[start : start + 187 : 3]
                rows.append((beat - beat.mean()) / beat.std())
                labels.append(AAMI[code])
                groups.append(mitdb.patient(name))
    forest = RandomForestClassifier(
        30, class_weight="balanced", min_samples_leaf=2, random_state=0, n_jobs=1
    )
    score = {
        name: f1_score(
            labels,
            cross_val_predict(forest, np.array(rows), labels, cv=cv, groups=groups),
            average="macro",
        )
        for name, cv in (
            ("random", StratifiedKFold(4, shuffle=True, random_state=0)),
            ("grouped", GroupKFold(4)),
        )
    }
    assert score["grouped"] > 0.40  # one class alone gives 0.22
    assert score["random"] > score["grouped"] + 0.05
