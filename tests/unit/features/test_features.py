"""Features of one recording."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.datasets import Signal
from lib.errors import HeldoutError
from lib.features import extract, make, shape
from lib.features.kinds import Kind
from lib.features.types import require_types
from lib.train.augmentation import AUGMENTATIONS

SETTINGS = {
    "beats": {"lead": "MLII", "rate": 125, "samples": 187, "before": 0.6},
    "windows": {"channels": ["ECG", "PCG"], "rate": 8000, "samples": 10000, "stride": 10000}
    | {"limit": 40},
    "mfcc": {"rate": 4000, "duration": 4.0, "n_mfcc": 13, "n_mels": 40, "n_fft": 512, "hop": 128},
    "spectral": {"rate": 22050, "frames": 128, "n_fft": 2048, "hop": 512}
    | {"parts": ["mfcc", "centroid", "chroma", "contrast"]},
    "mel": {"rate": 32000, "duration": 5.0, "n_mels": 64, "n_fft": 2048, "hop": 512},
}
AUDIO = ("mfcc", "spectral", "mel")


def audio(seconds=1.0, *, rate=22050, hertz=440.0, gain=0.5):
    time = np.arange(round(seconds * rate)) / rate
    wave = gain * np.sin(2 * np.pi * hertz * time)
    return Signal(wave[:, None], float(rate), ("audio",), name="clip.wav")


def ecg(positions, *, n=3600, rate=360, symbols=None, leads=("V5", "MLII")):
    """Return a lead that is its own time in s, after another."""
    time = np.arange(n) / rate
    waves = np.stack([np.sin(time), *[time] * (len(leads) - 1)], axis=1)
    codes = np.array(symbols or ["N"] * len(positions), dtype="<U1")
    return Signal(waves, float(rate), leads, np.array(positions, dtype=np.int64), codes, name="100")


def test_shapes_of_the_studies():
    assert {kind: shape(kind, **SETTINGS[kind]) for kind in SETTINGS} == {
        "beats": (187, 1),
        "windows": (10000, 2),
        "mfcc": (126, 13),
        "spectral": (128, 33),
        "mel": (313, 64),
    }
    fewer = SETTINGS["spectral"] | {"parts": ["centroid", "mfcc"]}
    assert shape("spectral", **fewer) == (128, 14)


@pytest.mark.parametrize("kind", AUDIO)
@pytest.mark.parametrize("seconds", [0.01, 1.0, 7.0])
@pytest.mark.parametrize("rate", [4000, 44100])
def test_audio_of_any_length_and_rate_has_the_shape_that_was_said(kind, seconds, rate):
    features = extract(audio(seconds, rate=rate), kind=kind, **SETTINGS[kind])
    assert features.x.shape == (1, *shape(kind, **SETTINGS[kind]))
    assert features.x.dtype == np.float32
    assert np.isfinite(features.x).all()
    assert features.start.tolist() == [0.0]
    assert features.symbols.tolist() == [""]


@pytest.mark.parametrize("kind", AUDIO)
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_constant_audio_gives_finite_features_and_a_warning(kind, value):
    signal = Signal(np.full((8000, 1), value), 4000.0, ("audio",), name="flat.wav")
    with pytest.warns(UserWarning, match=r"flat\.wav: the channel audio is constant"):
        features = extract(signal, kind=kind, **SETTINGS[kind])
    assert np.isfinite(features.x).all()


@pytest.mark.parametrize("kind", AUDIO)
def test_lively_audio_gives_no_warning(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(audio(), kind=kind, **SETTINGS[kind])


def test_audio_features_hear_the_tone():
    centroid = extract(
        audio(5.0, hertz=1000.0), kind="spectral", **SETTINGS["spectral"] | {"parts": ["centroid"]}
    )
    assert np.median(centroid.x) == pytest.approx(1000, rel=0.05)
    low, high = (
        extract(audio(6.0, hertz=hertz), kind="mel", **SETTINGS["mel"]).x[0].mean(axis=0).argmax()
        for hertz in (200.0, 5000.0)
    )
    assert low < high
    chroma = extract(
        audio(5.0, hertz=440.0), kind="spectral", **SETTINGS["spectral"] | {"parts": ["chroma"]}
    )
    assert chroma.x[0, 10].argmax() == 9  # A, counted from C


def test_spectral_parts_stand_in_one_order():
    whole = extract(audio(), kind="spectral", **SETTINGS["spectral"]).x
    turned = SETTINGS["spectral"] | {"parts": ["contrast", "centroid", "mfcc"]}
    part = extract(audio(), kind="spectral", **turned).x
    np.testing.assert_array_equal(part, whole[:, :, [*range(14), *range(26, 33)]])


def test_what_follows_the_duration_is_not_heard():
    long = audio(9.0, rate=4000)
    changed = Signal(np.concatenate([long.samples[:16000], -long.samples[16000:]]), 4000.0, ("a",))
    one, other = (extract(s, kind="mfcc", **SETTINGS["mfcc"]).x for s in (long, changed))
    np.testing.assert_array_equal(one, other)


def test_mel_is_power_in_db():
    quiet, loud = (
        extract(audio(6.0, gain=gain, hertz=1000), kind="mel", **SETTINGS["mel"]).x.max()
        for gain in (0.05, 0.5)
    )
    assert loud - quiet == pytest.approx(20, abs=0.1)


def test_beats_are_aligned_on_the_peak_of_their_lead():
    positions = [400, 1000, 2500]
    features = extract(ecg(positions), kind="beats", **SETTINGS["beats"])
    assert features.x.shape == (3, 187, 1)
    peak = features.x[:, 75, 0]
    np.testing.assert_allclose(peak, np.array(positions) / 360, atol=1 / 125)
    np.testing.assert_allclose(features.start, np.array(positions) / 360 - 0.6, atol=1 / 125)
    np.testing.assert_allclose(
        features.x[1, :, 0], features.start[1] + np.arange(187) / 125, atol=1e-3
    )


def test_no_beat_is_left_out_at_the_edges():
    features = extract(ecg([0, 3599], symbols=["V", "F"]), kind="beats", **SETTINGS["beats"])
    assert features.symbols.tolist() == ["V", "F"]
    first, last = features.x[:, :, 0]
    assert np.ptp(first[:75]) == 0
    assert first[0] == pytest.approx(0, abs=0.02)
    assert np.ptp(last[77:]) == 0
    assert last[-1] == pytest.approx(10, abs=0.02)
    assert features.start[0] == pytest.approx(-0.6)


def test_record_without_beats_gives_none():
    features = extract(ecg([]), kind="beats", **SETTINGS["beats"])
    assert features.x.shape == (0, 187, 1)


def test_record_without_the_lead_is_refused():
    with pytest.raises(HeldoutError, match="100: expected the lead MLII, got V5, V2"):
        extract(ecg([400], leads=("V5", "V2")), kind="beats", **SETTINGS["beats"])


def test_a_record_without_the_lead_has_another():
    chosen = {"kind": "beats", **SETTINGS["beats"], "other_lead": "V5"}
    record = ecg([400], leads=("V2", "V5"))
    expected = extract(record, **chosen | {"lead": "V5"}).x
    np.testing.assert_array_equal(extract(record, **chosen).x, expected)
    # Where a record has both, the first is taken.
    both = ecg([400], leads=("V5", "MLII"))
    lead = extract(both, kind="beats", **SETTINGS["beats"]).x
    np.testing.assert_array_equal(extract(both, **chosen).x, lead)
    with pytest.raises(HeldoutError, match="100: expected the lead MLII or V5, got V1, V2"):
        extract(ecg([400], leads=("V1", "V2")), **chosen)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 499), max_size=20),
    st.sampled_from([100, 125, 250, 360]),
    st.integers(1, 600),
    st.floats(0, 1),
)
def test_every_beat_gives_an_example(positions, rate, samples, share):
    chosen = {"lead": "MLII", "rate": rate, "samples": samples}
    features = extract(
        ecg(sorted(positions), n=500), kind="beats", **chosen, before=0.99 * share * samples / rate
    )
    assert features.x.shape == (len(positions), samples, 1)
    assert np.isfinite(features.x).all()


def ramp(n=100, rate=10.0):
    wave = np.stack([np.arange(n), -np.arange(n), np.arange(n) % 7], axis=1)
    return Signal(wave, rate, ("ECG", "PCG", "AUX"), name="ECGPCG0001")


def windows(signal, **changed):
    chosen = {"channels": ["PCG", "ECG"], "rate": 10, "samples": 20, "stride": 15} | changed
    return extract(signal, kind="windows", **chosen)


def test_windows_are_stretches_of_the_named_channels():
    features = windows(ramp())
    assert features.start.tolist() == [0, 1.5, 3, 4.5, 6, 7.5]
    np.testing.assert_array_equal(features.x[1, :, 1], np.arange(15, 35))
    np.testing.assert_array_equal(features.x[1, :, 0], -np.arange(15, 35))


def test_limit_spreads_windows_over_the_recording():
    features = windows(ramp(), limit=3)
    assert features.start.tolist() == [0, 3, 7.5]
    assert windows(ramp(), limit=1).start.tolist() == [0]
    assert len(windows(ramp(), limit=6).x) == len(windows(ramp(), limit=100).x) == 6


def test_windows_are_scaled_by_their_recording():
    signal = ramp()
    features = windows(signal, scale="recording", stride=1)
    louder = replace(signal, samples=signal.samples * [3, 0.1, 1] + 5)
    np.testing.assert_allclose(
        windows(louder, scale="recording", stride=1).x, features.x, atol=1e-4
    )
    assert np.abs(features.x.mean()) < 0.5
    flat = replace(signal, samples=np.full_like(signal.samples, 7))
    assert (windows(flat, scale="recording").x == 0).all()


def test_a_recording_of_a_day_is_scaled_as_exactly_as_a_short_one():
    rng = np.random.default_rng(0)
    samples = rng.normal(100, 1, (2_000_000, 2)).astype(np.float32)
    signal = Signal(samples, 100.0, ("a", "b"))
    # Resampled, the channels lie side by side, and are summed one step after the other.
    wave = windows(
        signal, channels=["a", "b"], rate=50, samples=1000, stride=1000, scale="recording"
    ).x
    np.testing.assert_allclose(wave.mean((0, 1), dtype=np.float64), 0, atol=1e-4)
    np.testing.assert_allclose(wave.std((0, 1), dtype=np.float64), 1, atol=1e-4)
    assert wave.dtype == np.float32


def test_windows_are_resampled():
    features = windows(ramp(), rate=5, samples=10, stride=10)
    assert features.start.tolist() == [0, 2, 4, 6, 8]
    np.testing.assert_allclose(features.x[2, :, 1], 40 + 2 * np.arange(10), atol=0.5)


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 200), st.integers(1, 20), st.integers(1, 30), st.integers(1, 12))
def test_windows_lie_within_the_recording_and_within_the_limit(n, samples, stride, limit):
    features = windows(ramp(n), samples=samples, stride=stride, limit=limit)
    starts = np.rint(features.start * 10).astype(int)
    assert 1 <= len(starts) <= limit
    assert len(set(starts)) == len(starts)
    assert starts[-1] + samples <= n
    np.testing.assert_array_equal(features.x[:, 0, 1], starts)


def test_recording_shorter_than_a_window_is_refused():
    with pytest.raises(HeldoutError, match=r"0001: expected at least the 2 s .*, got 1.9 s"):
        windows(ramp(19))


def test_recording_without_a_channel_is_refused():
    with pytest.raises(HeldoutError, match=r"0001: expected the channels EMG, got ECG, PCG, AUX"):
        windows(ramp(), channels=["ECG", "EMG"])


def test_values_that_are_not_finite_are_refused():
    loud = Signal(np.array([[3e38], [3e38], [-3e38]] * 40), 10.0, ("ECG",), name="loud")
    with np.errstate(all="ignore"), pytest.raises(HeldoutError, match="loud: expected finite wind"):
        windows(loud, channels=["ECG"], rate=30)


@pytest.mark.parametrize("kind", AUDIO)
@pytest.mark.parametrize("gain", [1e13, 3e38])
def test_audio_of_another_scale_is_refused(kind, gain):
    with pytest.raises(HeldoutError, match=r"clip\.wav: expected audio with a full scale of ±1"):
        extract(audio(gain=gain), kind=kind, **SETTINGS[kind])


@pytest.mark.parametrize("kind", AUDIO)
def test_loudest_and_faintest_audio_gives_finite_features(kind):
    for gain in (9e11, 1e-30):
        assert np.isfinite(extract(audio(gain=gain), kind=kind, **SETTINGS[kind]).x).all()


@pytest.mark.parametrize(
    ("kind", "changed", "text"),
    [
        ("mfccs", {}, r"kind: .* got 'mfccs'. Did you mean 'mfcc'\? Known: beats, windows, mfcc, "),
        ("mfcc", {"hops": 3}, r"mfcc: expected the settings rate, duration.*hops"),
        ("mfcc", {"hops": 3}, r"got 'hops', which is none of them\. .*Did you mean 'hop'\?"),
        ("mfcc", {"n_mfcc": 41}, r"n_mfcc: expected at most the 40 mel bands"),
        ("mfcc", {"rate": 0}, "rate: expected a number above 0, got 0"),
        ("mel", {"duration": -1}, "duration: expected a number above 0, got -1"),
        ("spectral", {"parts": ["mfcc", "mfcc"]}, "parts: expected some of mfcc, centroid"),
        ("spectral", {"parts": ["tempo"]}, "parts: .*got tempo"),
        ("spectral", {"parts": []}, "parts: .*got none"),
        ("spectral", {"rate": 8000}, "rate: expected more than 12800 Hz for the spectral contrast"),
        ("beats", {"before": 2}, "before: expected 0 s up to the 1.496 s of a beat, got 2"),
        ("windows", {"scale": "record"}, "scale: expected one of none, recording, got 'record'"),
        ("windows", {"limit": 0}, "limit: expected a number above 0"),
        ("windows", {"channels": []}, "channels: expected a number above 0"),
        ("windows", {"channels": "ECG"}, "channels: expected a list of names, got 'ECG'"),
        ("windows", {"limit": 2.5}, "limit: expected a whole number or null, got 2.5"),
        ("windows", {"samples": True}, "samples: expected a whole number, got True"),
        ("beats", {"lead": 2}, "lead: expected a name, got 2"),
        ("mel", {"duration": "5"}, "duration: expected a number, got '5'"),
        ("mel", {"rate": float("nan")}, "rate: expected a number, got nan"),
    ],
)
def test_bad_settings_are_refused(kind, changed, text):
    chosen = SETTINGS.get(kind, {}) | changed
    with pytest.raises(HeldoutError, match=text):
        shape(kind, **chosen)
    with pytest.raises(HeldoutError, match=text):
        extract(audio(), kind=kind, **chosen)


def test_what_is_missing_is_named_and_what_is_unknown_too():
    text = r"got 'hops', which is none of them; no 'duration', 'n_mels', 'n_fft', 'hop', 'n_mfcc'\."
    with pytest.raises(HeldoutError, match=text):
        shape("mfcc", rate=4000, hops=3)


@dataclass(frozen=True)
class Made:
    """Settings of every type that a kind of somebody else's may have."""

    gain: float
    bins: int
    fold: bool
    window: str
    edges: Sequence[float]
    top: float | None = None


GIVEN = {"gain": 0.5, "bins": 3, "fold": True, "window": "hann", "edges": [1, 2.5]}


@pytest.mark.parametrize("changed", [{}, {"gain": 2}, {"top": 1.5}, {"top": None}, {"edges": ()}])
def test_settings_of_the_types_that_a_kind_states_are_taken(changed):
    require_types(Made, GIVEN | changed, place="here")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"gain": "loud"}, "here: gain: expected a number, got 'loud'"),
        ({"gain": None}, "gain: expected a number, got None"),
        ({"bins": 0.5}, "bins: expected a whole number, got 0.5"),
        ({"fold": 1}, "fold: expected true or false, got 1"),
        ({"window": ["hann"]}, r"window: expected a name, got \['hann'\]"),
        ({"edges": ["low"]}, r"edges: expected a list of numbers, got \['low'\]"),
        ({"top": "all"}, "top: expected a number or null, got 'all'"),
    ],
)
def test_settings_of_another_type_are_refused(changed, text):
    with pytest.raises(HeldoutError, match=text):
        require_types(Made, GIVEN | changed, place="here")


@pytest.mark.parametrize("kind", SETTINGS)
def test_what_a_kind_says_of_its_examples(kind):
    made = make(kind, **SETTINGS[kind])
    assert isinstance(made, Kind)
    assert made.name == kind
    assert made.seconds > 0
    assert set(made.axes) == {"aligned", "before", "channels"}
    assert made.of_beats == made.demands.get("beats", False) == (kind == "beats")
    # Any recording of audio will do.
    assert bool(made.demands) == (kind not in AUDIO)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_kind_says_what_augmentations_fit_it(kind):
    """A louder recording is no multiple of a decibel or of a cepstral coefficient."""
    fitting = make(kind, **SETTINGS[kind]).augmentations
    assert set(fitting) <= set(AUGMENTATIONS)
    assert {"shift", "noise", "mask_time"} <= set(fitting)
    assert ({"gain", "wander"} <= set(fitting)) == (kind not in AUDIO)
    assert ("mask_channels" in fitting) == (kind in AUDIO)


def test_no_channel_of_one_is_hidden():
    one = make("spectral", **SETTINGS["spectral"] | {"parts": ["centroid"]})
    assert "mask_channels" not in one.augmentations


def test_no_recording_has_more_examples_than_its_kind_said():
    for limit in (None, 3):
        chosen = {"channels": ["ECG"], "rate": 10, "samples": 20, "stride": 7, "limit": limit}
        features = extract(ramp(), kind="windows", **chosen)
        assert len(features.x) <= make("windows", **chosen).most_examples(ramp().duration)
    assert make("mel", **SETTINGS["mel"]).most_examples(100.0) == 1
    assert make("beats", **SETTINGS["beats"]).most_examples(60.0) >= 180
