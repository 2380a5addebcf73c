"""Likeness: a copy is told from what repeats, wherever it begins and whatever was done to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lib.features.fingerprint import BANDS, fingerprint
from lib.features.likeness import Likeness, likeness
from lib.features.matches import unmistakable
from lib.features.resampling import resample
from tests.support.repeating import ecg, hum, noisy, pulse
from tests.unit.features.test_fingerprint import RATE as SOUND_RATE
from tests.unit.features.test_fingerprint import signal, sound

BAND, _, SLOW = BANDS
RATE = round(BAND.rate)


@given(
    seed=st.integers(0, 50),
    start=st.floats(0, 1.5),
    gain=st.floats(0.05, 4),
    sign=st.sampled_from([-1, 1]),
    off=st.floats(-0.5, 0.5),
)
def test_a_part_is_found_where_it_is(
    seed: int, start: float, gain: float, sign: int, off: float
) -> None:
    # Made at 16 kHz, so that the part begins between two samples of the band.
    wave = sound(seed, rate=16000)
    part = sign * gain * wave[round(start * 16000) :] + 0.1
    first, second = (resample(one, rate=16000, new_rate=RATE) for one in (wave, part))
    alike = likeness(first, second, shift=start + off, band=BAND)
    assert alike.same
    assert alike.shift == pytest.approx(start, abs=1.5 / RATE)
    assert alike.overlap == pytest.approx(3 - start, abs=2 / RATE)
    assert sign * alike.correlation > 0.995
    # From the other side it is the same.
    back = likeness(second, first, shift=off - start, band=BAND)
    assert back.shift == pytest.approx(-start, abs=1.5 / RATE)
    assert back.correlation == pytest.approx(alike.correlation, abs=1e-3)


@given(seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)), start=st.floats(-2, 2))
def test_different_recordings_are_not_the_same(seeds: tuple[int, int], start: float) -> None:
    assume(seeds[0] != seeds[1])
    first, second = (sound(seed, rate=RATE) for seed in seeds)
    alike = likeness(first, second, shift=start, band=BAND)
    assert not alike.same
    assert abs(alike.correlation) < 0.9


def test_silence_and_constants_are_like_nothing() -> None:
    wave = sound(0, rate=RATE)
    silent = np.zeros_like(wave)
    flat = np.full_like(wave, 0.5)
    empty = np.zeros(0, np.float32)
    for first, second in [
        (flat, flat),
        (wave, flat),
        (empty, empty),
        (wave, empty),
        (wave, silent),
    ]:
        assert likeness(first, second, shift=0.0, band=BAND) == Likeness()
    # What both say so softly is no proof that they are one.
    soft = np.concatenate([wave, 1e-3 * sound(1, rate=RATE)])
    other = np.concatenate([1e-3 * sound(1, rate=RATE), sound(2, rate=RATE)])
    assert not likeness(soft, other, shift=3.0, band=BAND).same


@given(
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    make=st.sampled_from([ecg, pulse]),
    seconds=st.sampled_from([6, 10, 30]),
)
def test_hearts_that_beat_alike_are_not_the_same(
    seeds: tuple[int, int], make: Callable[..., np.ndarray], seconds: float
) -> None:
    assume(seeds[0] != seeds[1])
    first, second = (make(seed, seconds=seconds, rate=SLOW.rate) for seed in seeds)
    assert not likeness(first, second, shift=0.0, band=SLOW).same


@given(seed=st.integers(0, 99), seconds=st.sampled_from([10, 30]), cut=st.floats(0, 0.5))
def test_a_noisy_copy_of_an_ecg_is_found_among_its_beats(
    seed: int, seconds: float, cut: float
) -> None:
    wave = ecg(seed, seconds=seconds, rate=SLOW.rate, varied=0.03)
    start = round(cut * len(wave))
    copy = noisy(wave[start:], decibels=20, seed=seed)
    # The fingerprint may be wrong by beats.
    alike = likeness(wave, copy, shift=start / SLOW.rate + 1.6, band=SLOW)
    assert alike.same
    assert alike.shift == pytest.approx(start / SLOW.rate, abs=1e-3)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-2])
def test_a_hum_is_no_copy_of_another(noise: float) -> None:
    """A wave that repeats exactly has no shift of its own: what is the same cannot be told."""
    for seed in range(5):
        first, second = (hum(seed + n, rate=RATE, noise=noise) for n in (0, 100))
        alike = likeness(first, second, shift=0.0, band=BAND)
        assert abs(alike.correlation) > 0.95
        assert not alike.same


def test_of_long_signals_the_loudest_stretch_is_compared() -> None:
    rng = np.random.default_rng(0)
    wave = rng.normal(size=400_000).astype(np.float32)
    wave[:150_000] *= 1e-3
    copy = noisy(wave[20_000:], decibels=20, seed=1)
    alike = likeness(wave, copy, shift=5.02, band=BAND)
    assert alike.same
    assert alike.shift == pytest.approx(5.0)
    assert 25 < alike.overlap < 40


def all_pass(wave: np.ndarray) -> np.ndarray:
    """Move each frequency by another time: samples do not correlate any more."""
    from scipy.signal import lfilter

    for _ in range(6):
        wave = lfilter([0.9, 1.0], [1.0, 0.9], wave[::-1])[::-1]
    return wave.astype(np.float32)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (all_pass(sound(1)), True),
        (np.clip(sound(1), -0.08, 0.08), True),
        (sound(2), False),
        (sound(1)[: SOUND_RATE * 3 // 2], False),  # less than two seconds
    ],
    ids=["all-pass", "clipped", "another", "too short"],
)
def test_fingerprints_that_agree_at_one_shift_alone(other: np.ndarray, same: bool) -> None:
    one, two = fingerprint(signal(sound(1))), fingerprint(signal(other))
    assert unmistakable(one, two, 0.0) == same


@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_fingerprints_of_what_repeats_agree_at_many_shifts_or_none(noise: float) -> None:
    hums = (hum(seed, rate=SOUND_RATE, noise=noise) for seed in (1, 2))
    one, two = (fingerprint(signal(wave)) for wave in hums)
    assert not unmistakable(one, two, 0.0)
