"""Beats told apart by their record alone: baseline, amplitude, the median beat, the rhythm."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets import Signal
from lib.errors import HeldoutError
from lib.features import extract, make
from lib.features.rhythm import INTERVALS, RHYTHM, intervals, rhythm

RATE = 250
PLAIN = {"kind": "beats", "lead": "MLII", "rate": 50, "samples": 40, "before": 0.4}
ALL = PLAIN | {"baseline": True, "scale": "record", "median_beat": True, "rhythm": True}


def record(intervals=(200,) * 9, *, wander=0.0, early=()):
    """Return an ECG of narrow R peaks of 1 mV, those of `early` beats turned upside down."""
    positions = 300 + np.cumsum(intervals)
    n = positions[-1] + 300
    lead = wander * np.sin(2 * np.pi * 0.1 * np.arange(n) / RATE)
    for number, position in enumerate(positions):
        bump = np.exp(-(((np.arange(n) - position) / 5) ** 2))
        lead += -bump if number in early else bump
    symbols = np.full(len(positions), "N")
    return Signal(lead[:, None], RATE, ("MLII",), positions, symbols, name="100", unit="mV")


lengths = st.lists(st.integers(60, 600), min_size=3, max_size=30)


def test_settings_of_the_record_are_off_unless_they_are_asked_for():
    one = extract(record(wander=1.0), **PLAIN)
    off = {"baseline": False, "scale": "none", "periods": 0, "median_beat": False, "rhythm": False}
    np.testing.assert_array_equal(one.x, extract(record(wander=1.0), **PLAIN | off).x)
    assert make(**PLAIN).context == ()
    assert one.context.shape == (9, 0)


def test_what_is_asked_for_is_known_without_reading():
    kind = make(**ALL)
    features = extract(record(), **ALL)
    assert kind.shape == features.x.shape[1:] == (40, 2)
    assert len(kind.axes["channels"]) == 2
    assert list(kind.context) == list(RHYTHM)
    assert features.context.shape == (9, len(RHYTHM))
    assert features.context.dtype == features.x.dtype == np.float32


@settings(max_examples=20, deadline=None)
@given(lengths, st.permutations("NVSFQ"))
def test_codes_of_beats_change_nothing_but_their_own(lengths, codes):
    signal = record(lengths)
    other = replace(signal, symbols=np.resize(codes, len(lengths)))
    one, two = (extract(of, **ALL | {"intervals": True}) for of in (signal, other))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.context, two.context)


@settings(max_examples=20, deadline=None)
@given(lengths, st.floats(0.01, 100))
def test_amplitude_of_a_record_changes_nothing_where_it_is_scaled(lengths, gain):
    signal = record(lengths, wander=0.3)
    other = replace(signal, samples=signal.samples * np.float32(gain))
    for chosen in (ALL, PLAIN | {"scale": "record"}):
        np.testing.assert_allclose(
            extract(signal, **chosen).x, extract(other, **chosen).x, atol=1e-4
        )


def test_peaks_of_a_scaled_record_are_about_one():
    signal = record()
    loud = replace(signal, samples=7 * signal.samples)
    np.testing.assert_allclose(extract(loud, **ALL).x[:, 20, 0], 1, atol=0.3)
    np.testing.assert_allclose(extract(loud, **PLAIN).x[:, 20, 0], 7, atol=2)


def test_a_slow_wave_is_taken_off_and_peaks_are_left():
    still, wave = (extract(record(wander=w), **PLAIN | {"baseline": True}).x for w in (0, 2))
    np.testing.assert_allclose(still, wave, atol=0.1)
    assert np.abs(extract(record(wander=2), **PLAIN).x - still).max() > 1
    assert still[:, 20].min() > 0.7


def test_median_beat_shows_the_beat_that_is_another():
    x = extract(record(early=(4,)), **PLAIN | {"median_beat": True}).x
    np.testing.assert_allclose(np.median(x[:, :, 1], axis=0), 0, atol=1e-6)
    usual = np.broadcast_to(np.median(x[:, :, 0], axis=0), (9, 40))
    np.testing.assert_allclose(x[:, :, 0] - x[:, :, 1], usual, atol=1e-6)
    assert np.abs(x[:, :, 1]).max(axis=1).argmax() == 4


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_beats_have_a_neutral_context(count):
    signal = record()
    few = replace(signal, positions=signal.positions[:count], symbols=signal.symbols[:count])
    features = extract(few, **ALL | {"intervals": True})
    assert features.x.shape == (count, 40, 2)
    assert features.context.tolist() == [[0] * len(RHYTHM + INTERVALS)] * count


@pytest.mark.filterwarnings("ignore:.*is constant")
def test_flat_leads_and_beats_at_one_sample_give_finite_features():
    flat = Signal(np.ones((500, 1)), RATE, ("MLII",), np.full(5, 250), np.full(5, "N"))
    features = extract(flat, **ALL)
    np.testing.assert_allclose(features.x, 0)
    assert np.isfinite(features.context).all()
    short = Signal(np.ones((9, 1)), RATE, ("MLII",), np.array([0, 3, 8]), np.full(3, "N"))
    assert np.isfinite(extract(short, **ALL).x).all()


@given(lengths, st.integers(0, 10**6), st.integers(1, 9))
def test_rhythm_is_that_of_the_intervals(lengths, start, rate):
    times = np.cumsum(lengths)
    context = rhythm(times)
    assert context.shape == (len(lengths), len(RHYTHM))
    assert np.isfinite(context).all()
    np.testing.assert_array_equal(context, rhythm(times + start))
    np.testing.assert_allclose(context, rhythm(times * rate), atol=1e-6)


@given(st.integers(1, 1000), st.integers(3, 60))
def test_steady_rhythm_is_neutral(interval, count):
    np.testing.assert_array_equal(rhythm(interval * np.arange(count)), 0)


def test_early_beat_has_a_short_interval_before_it_and_a_long_one_after():
    lengths = np.full(30, 200)
    lengths[20:22] = 120, 280
    context = dict(zip(RHYTHM, rhythm(np.cumsum(lengths)).T, strict=True))
    for usual in ("", "_recent", "_near"):
        assert context[f"rr_before{usual}"][20] == pytest.approx(np.log(0.6))
        assert context[f"rr_after{usual}"][20] == pytest.approx(np.log(1.4))
    assert context["rr_ratio"][20] == pytest.approx(np.log(120 / 280))
    assert context["rr_score"].argmin() == 20
    # Where intervals vary by themselves the same one is less unusual.
    uneven = lengths + 30 * np.random.default_rng(0).integers(-1, 2, 30)
    uneven[20] = 120
    score = rhythm(np.cumsum(uneven))[20, RHYTHM.index("rr_score")]
    assert context["rr_score"][20] < score < 0


@given(lengths, st.integers(0, 10**6), st.integers(1, 9))
def test_intervals_are_those_between_beats_at_any_rate(lengths, start, factor):
    times = np.cumsum(lengths)
    context = intervals(times, RATE)
    columns = dict(zip(INTERVALS, np.exp(context.T), strict=True))
    np.testing.assert_allclose(columns["rr_before_s"][1:], np.diff(times) / RATE, rtol=1e-5)
    np.testing.assert_allclose(columns["rr_after_s"][:-1], np.diff(times) / RATE, rtol=1e-5)
    np.testing.assert_allclose(columns["rr_mean_s"], np.diff(times).mean() / RATE, rtol=1e-5)
    for side in ("rr_before", "rr_after"):
        ratio = columns[f"{side}_s"] / columns["rr_mean_s"]
        np.testing.assert_allclose(columns[f"{side}_mean"], ratio, rtol=1e-5)
    np.testing.assert_allclose(intervals(factor * times + start, factor * RATE), context, atol=1e-6)


def test_early_beats_that_are_most_of_a_record_are_short_in_seconds_alone():
    few, most = np.full(40, 200), np.full(40, 120)
    few[20], most[::10] = 120, 200
    early = [(few, 20), (most, 21)]
    in_seconds = [intervals(np.cumsum(one), RATE)[at, 2] for one, at in early]
    beside_others = [rhythm(np.cumsum(one))[at, 0] for one, at in early]
    assert in_seconds[0] == in_seconds[1] == pytest.approx(np.log(120 / RATE))
    assert beside_others == [pytest.approx(np.log(0.6)), 0]


def test_intervals_follow_the_rhythm():
    both = ALL | {"intervals": True}
    assert list(make(**both).context) == [*RHYTHM, *INTERVALS]
    assert list(make(**PLAIN | {"intervals": True}).context) == list(INTERVALS)
    signal = record()
    expected = [extract(signal, **one).context for one in (ALL, PLAIN | {"intervals": True})]
    np.testing.assert_array_equal(extract(signal, **both).context, np.hstack(expected))


def test_ends_take_the_interval_of_their_neighbour():
    context = dict(zip(RHYTHM, rhythm(np.array([0, 100, 300])).T, strict=True))
    assert context["rr_before"][0] == context["rr_after"][0] == context["rr_before"][1]
    assert context["rr_after"][2] == context["rr_before"][2] == context["rr_after"][1]


def test_unknown_scale_is_refused():
    with pytest.raises(
        HeldoutError, match=r"scale: expected one of none, record, window, got 'recor'.*Did"
    ):
        make(**PLAIN | {"scale": "recor"})
    with pytest.raises(HeldoutError, match="rhythm: expected true or false, got 1"):
        make(**PLAIN | {"rhythm": 1})


# As Kachuee et al. (2018) make the beats of Kaggle's file.
KACHUEE = PLAIN | {"samples": 80, "before": 0.0, "scale": "window", "periods": 1.2}


@settings(max_examples=20, deadline=None)
@given(lengths, st.floats(0.01, 100), st.floats(-5, 5))
def test_ten_seconds_are_mapped_to_0_to_1_whatever_gain_and_offset(lengths, gain, offset):
    signal = record(lengths, wander=0.3)
    x = extract(signal, **KACHUEE).x
    assert x.min() >= 0
    assert x.max() <= 1
    other = replace(signal, samples=gain * signal.samples + offset)
    np.testing.assert_allclose(extract(other, **KACHUEE).x, x, atol=1e-3)


def test_a_beat_ends_1_2_median_intervals_after_its_peak():
    # 0.8 s apart, later 1.2 s: in two windows of 10 s each, and one between.
    signal = record((200,) * 10 + (300,) * 18)
    x = extract(signal, **KACHUEE).x[:, :, 0]
    whole = extract(signal, **KACHUEE | {"periods": 0}).x[:, :, 0]
    for number, length in {0: 1.2 * 0.8, 27: 1.2 * 1.2}.items():
        samples = round(length * 50)
        np.testing.assert_array_equal(x[number, :samples], whole[number, :samples])
        assert not x[number, samples:].any()
        assert whole[number, samples:].any()


@pytest.mark.parametrize("beats", [0, 1])
def test_a_record_of_hardly_a_beat_has_a_length_too(beats):
    whole = record()
    signal = replace(whole, positions=whole.positions[:beats], symbols=whole.symbols[:beats])
    assert extract(signal, **KACHUEE).x.shape == (beats, 80, 1)


def test_a_length_below_0_is_refused():
    with pytest.raises(HeldoutError, match="setting periods: expected 0 or more, got"):
        make(**KACHUEE | {"periods": -1})


def test_a_flat_stretch_is_0():
    signal = record()
    flat = replace(signal, samples=np.ones_like(signal.samples))
    assert not extract(flat, **KACHUEE).x.any()
