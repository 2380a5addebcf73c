"""Fingerprints: copies of every kind are found where they are, and nothing else is."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.signal import Signal
from lib.features.fingerprint import BANDS, Fingerprint, band_of, fingerprint, pack, unpack
from lib.features.matches import find_matches
from lib.features.resampling import resample

RATE = 22050


@cache
def sound(seed: int, *, seconds: float = 3.0, rate: float = RATE) -> np.ndarray:
    """Make something like speech: noise whose bands rise and fall several times a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = np.zeros(len(time))
    for low in np.geomspace(60, 1500, 12):
        envelope = np.interp(
            time,
            np.arange(0, seconds + 1, 0.15),
            rng.gamma(0.5, size=99)[: len(np.arange(0, seconds + 1, 0.15))],
        )
        wave += envelope * np.sin(2 * np.pi * low * rng.uniform(1, 1.3) * time + rng.uniform(0, 6))
    wave += 0.02 * rng.normal(size=len(time))
    return (0.2 * wave / np.abs(wave).max()).astype(np.float32)


def signal(wave: np.ndarray, rate: float = RATE) -> Signal:
    return Signal(np.asarray(wave, np.float32).reshape(len(wave), -1), rate, ("audio",))


def coded(wave: np.ndarray, form: str) -> Signal:
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=form)
    file.seek(0)
    samples, rate = soundfile.read(file)
    return signal(samples, rate)


COPIES = {
    "exact": lambda w: signal(w),
    "louder": lambda w: signal(w * 4),
    "quieter": lambda w: signal(w * 0.05),
    "mp3": lambda w: coded(w, "MP3"),
    "ogg": lambda w: coded(w, "OGG"),
    "16 kHz": lambda w: signal(resample(w, rate=RATE, new_rate=16000), 16000),
    "4 kHz": lambda w: signal(resample(w, rate=RATE, new_rate=4000), 4000),
    "8 bit": lambda w: signal(np.round(w * 127) / 127),
    "turned around": lambda w: signal(-w),
}


@pytest.fixture(scope="module")
def others() -> list[Signal]:
    return [signal(sound(seed)) for seed in range(1, 15)]


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found(kind: str, others: list[Signal]) -> None:
    wave = sound(0)
    prints = [fingerprint(s) for s in (signal(wave), *others, COPIES[kind](wave))]
    (match,) = find_matches(prints)
    assert (match.first, match.second) == (0, len(prints) - 1)
    assert abs(match.shift) < 0.1
    assert match.overlap > 2.8
    assert match.differing < 0.2


@given(start=st.floats(0, 1.4), seconds=st.floats(1.2, 1.6), gain=st.floats(0.05, 3))
def test_a_part_is_found_where_it_is(start: float, seconds: float, gain: float) -> None:
    wave = sound(0)
    part = wave[round(start * RATE) : round((start + seconds) * RATE)] * gain
    prints = [fingerprint(signal(w)) for w in (wave, sound(1), part)]
    (match,) = find_matches(prints)
    assert (match.first, match.second) == (0, 2)
    assert match.shift == pytest.approx(start, abs=0.05)


def test_windows_that_overlap_are_found() -> None:
    wave = sound(0, seconds=5)
    first, second = wave[: 3 * RATE], wave[round(1.5 * RATE) :]
    (match,) = find_matches([fingerprint(signal(first)), fingerprint(signal(second))])
    assert match.shift == pytest.approx(1.5, abs=0.05)
    assert match.overlap == pytest.approx(1.5, abs=0.1)


def test_different_recordings_do_not_match(others: list[Signal]) -> None:
    assert find_matches([fingerprint(s) for s in others]) == []


def test_silence_and_too_short_sounds_match_nothing() -> None:
    silent = signal(np.zeros(3 * RATE))
    short = signal(sound(0)[: RATE // 4])
    prints = [fingerprint(s) for s in (silent, silent, short, short)]
    assert len(prints[2].bits) == 0
    assert find_matches(prints) == []
    assert find_matches([]) == []


def test_many_copies_are_one_chain() -> None:
    wave = sound(0)
    prints = [fingerprint(signal(wave * (1 + i / 10))) for i in range(30)]
    met = {number for match in find_matches(prints) for number in match[:2]}
    assert met == set(range(30))


def test_slow_signals_have_a_band_of_their_own() -> None:
    assert [band_of([rate, 48000]) for rate in (44100, 4000, 2000, 360, 50)] == [
        *(BANDS[0], BANDS[0], BANDS[1], BANDS[2], BANDS[2]),
    ]
    rng = np.random.default_rng(0)
    beats = [
        signal(
            np.convolve(rng.random(360 * 60) < 1 / 300, np.hanning(40))
            + 0.05 * rng.normal(size=360 * 60 + 39),
            360,
        )
        for _ in range(3)
    ]
    copy = signal(resample(beats[0].samples[:, 0], rate=360, new_rate=250)[250 * 5 :] * 3, 250)
    prints = [fingerprint(s, band=BANDS[2]) for s in (*beats, copy)]
    (match,) = find_matches(prints, band=BANDS[2])
    assert (match.first, match.second) == (0, 3)
    assert match.shift == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_among_very_many(
    kind: str, others: list[Signal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.features.matches._FEW", 0)
    wave = sound(0)
    prints = [fingerprint(s) for s in (signal(wave), *others, COPIES[kind](wave))]
    (match,) = find_matches(prints)
    assert (match.first, match.second) == (0, len(prints) - 1)
    assert abs(match.shift) < 0.1


@given(sizes=st.lists(st.integers(0, 5), max_size=6), seed=st.integers(0, 9))
def test_fingerprints_come_out_of_their_arrays_as_they_went_in(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    prints = [
        Fingerprint(rng.integers(0, 1 << 32, size, dtype=np.uint32), rng.random(size) < 0.5)
        for size in sizes
    ]
    again = unpack(pack(prints))
    assert len(again) == len(prints)
    for before, after in zip(prints, again, strict=True):
        np.testing.assert_array_equal(before.bits, after.bits)
        np.testing.assert_array_equal(before.heard, after.heard)
