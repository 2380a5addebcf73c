"""Spectral features are those of librosa, and take no more memory for a longer recording."""

from __future__ import annotations

import json
import tracemalloc
import warnings

import librosa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.datasets import Signal
from lib.errors import HeldoutError
from lib.features.registry import extract
from lib.features.resampling import fix_length, resample_audio
from lib.features.spectrum import map_spectra

# Of the range of what librosa gives.
TOLERANCE = 1e-4

RATES = st.sampled_from([4000, 8000, 11025, 16000, 22050, 44100])
TRANSFORMS = st.sampled_from([256, 400, 512, 1000, 2048])


def sound(kind, *, seed=0, seconds=1.0, rate=16000):
    """Make sounds that are hard on a spectrum in different ways."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    wave = {
        "noise": lambda: 0.1 * rng.standard_normal(len(time)),
        # With less noise the valleys of its spectrum are what rounding to 32 bits leaves.
        "tone": lambda: np.sin(880 * np.pi * time) + 1e-2 * rng.standard_normal(len(time)),
        "click": lambda: (np.arange(len(time)) == len(time) // 2).astype(float),
        "silence": lambda: np.zeros(len(time)),
        "late": lambda: rng.standard_normal(len(time)) * (time > 0.7 * seconds),
        "faint": lambda: 1e-6 * rng.standard_normal(len(time)),
        "loud": lambda: 1e5 * rng.standard_normal(len(time)),
        "offset": lambda: 0.9 + 0.01 * rng.standard_normal(len(time)),
    }[kind]()
    return Signal(wave[:, None].astype(np.float32), float(rate), ("audio",), name=kind)


SOUNDS = st.sampled_from(["noise", "tone", "click", "silence", "late", "faint", "loud", "offset"])


def ours(signal, **chosen):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return extract(signal, **chosen).x[0]


def same(found, expected, *, tolerance=TOLERANCE, least=1e-12):
    """Hold values to those expected, relative to their range, or to the least that tells."""
    assert found.shape == expected.shape
    span = max(float(np.ptp(expected)), float(np.abs(expected).max()), least)
    assert np.abs(found - expected).max() <= tolerance * span


@settings(max_examples=40)
@given(SOUNDS, RATES, TRANSFORMS, st.integers(40, 700), st.sampled_from([8, 40, 64]), st.booleans())
def test_mel_and_mfcc_are_those_of_librosa(kind, rate, n_fft, hop, n_mels, in_decibels):
    signal = sound(kind, rate=rate, seconds=0.8)
    wave = {"y": signal.samples[:, 0], "sr": rate, "n_fft": n_fft, "hop_length": hop}
    chosen = {"rate": rate, "duration": 0.8, "n_mels": n_mels, "n_fft": n_fft, "hop": hop}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # filters that hold no bin
        mel = librosa.feature.melspectrogram(**wave, n_mels=n_mels)
        mfcc = librosa.feature.mfcc(**wave, n_mels=n_mels, n_mfcc=8)
    expected = librosa.power_to_db(mel, ref=1.0) if in_decibels else mel
    same(ours(signal, kind="mel", decibels=in_decibels, **chosen), expected.T)
    same(ours(signal, kind="mfcc", n_mfcc=8, **chosen), mfcc.T)


@settings(max_examples=40)
@given(SOUNDS, RATES, TRANSFORMS, st.integers(40, 700), st.integers(1, 60))
def test_spectral_parts_are_those_of_librosa(kind, rate, n_fft, hop, frames):
    length = (frames - 1) * hop + n_fft // 2
    signal = sound(kind, rate=rate, seconds=length / rate)
    wave = signal.samples[:, 0]
    magnitude = np.abs(librosa.stft(wave, n_fft=n_fft, hop_length=hop))[:, :frames]
    power = {"S": magnitude**2, "sr": rate}
    expected = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=rate),
        "chroma": librosa.feature.chroma_stft(**power, tuning=0.0),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mel = librosa.feature.melspectrogram(**power, n_fft=n_fft)
    expected["mfcc"] = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=13)
    if rate > 12800 and rate <= 200 * n_fft:
        expected["contrast"] = librosa.feature.spectral_contrast(S=magnitude, sr=rate)
    for part, values in expected.items():
        chosen = {"rate": rate, "frames": frames, "n_fft": n_fft, "hop": hop, "parts": [part]}
        near = {}
        if part == "contrast":
            # A click has a flat spectrum, whose contrast is what rounding leaves of 0 dB. The
            # valley of a band may be one bin, far below the loudest: what rounding leaves of it.
            near = {"tolerance": 10 * TOLERANCE, "least": 1.0}
        same(ours(signal, kind="spectral", **chosen), values.T, **near)


@settings(max_examples=40)
@given(st.integers(1, 5000), RATES, RATES, st.integers(0, 6000))
def test_audio_is_resampled_and_filled_up_as_by_librosa(samples, rate, new_rate, length):
    wave = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    found = resample_audio(wave, rate=rate, new_rate=new_rate)
    np.testing.assert_array_equal(found, librosa.resample(wave, orig_sr=rate, target_sr=new_rate))
    assert found.dtype == np.float32
    filled = librosa.util.fix_length(found, size=length)
    np.testing.assert_array_equal(fix_length(found, length), filled)


def test_features_wait_for_no_compiler(tmp_path, monkeypatch, python):
    """Numba spoils its cache when two processes fill it at once, and takes 4 to 15 s to do so."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    code = """
import json, sys
import numpy as np
from lib.datasets import Signal
from lib.features.registry import extract

noise = 0.1 * np.random.default_rng(0).standard_normal((48_000, 1))
signal = Signal(noise.astype(np.float32), 48_000.0, ("audio",), name="noise")
for chosen in json.loads(sys.argv[1]):
    print(extract(signal, **chosen).x.shape)
"""
    common = {"rate": 22050, "n_fft": 2048, "hop": 512}
    kinds = [
        {"kind": "mfcc", "duration": 0.9, "n_mels": 40, "n_mfcc": 13},
        {"kind": "mel", "duration": 0.9, "n_mels": 40},
        {"kind": "spectral", "frames": 30, "parts": ["mfcc", "centroid", "chroma", "contrast"]},
    ]
    shapes = python(code, json.dumps([kind | common for kind in kinds])).splitlines()
    assert shapes == ["(1, 39, 13)", "(1, 39, 40)", "(1, 30, 33)"]
    assert not list(tmp_path.rglob("*.nbc"))


def test_parts_stand_side_by_side():
    chosen = {"kind": "spectral", "rate": 22050, "frames": 20, "n_fft": 2048, "hop": 512}
    signal = sound("noise", rate=22050)
    parts = ["mfcc", "centroid", "chroma", "contrast"]
    both = ours(signal, **chosen, parts=parts[::-1])
    alone = [ours(signal, **chosen, parts=[part]) for part in parts]
    np.testing.assert_array_equal(both, np.concatenate(alone, axis=1))


@settings(max_examples=30)
@given(st.integers(1, 700), st.integers(16, 300), st.integers(1, 200))
def test_blocks_hold_every_frame_once(frames, n_fft, hop):
    assume(frames * hop < 100_000)
    audio = np.random.default_rng(0).standard_normal(frames * hop).astype(np.float32)
    power, total = map_spectra(
        audio, np.copy, lambda p: p.sum(axis=1)[:, None], n_fft=n_fft, hop=hop
    )
    expected = np.abs(librosa.stft(audio, n_fft=n_fft, hop_length=hop)).T ** 2
    same(power, expected)
    np.testing.assert_allclose(total[:, 0], power.sum(axis=1), rtol=1e-5)


def test_an_hour_takes_little_more_memory_than_its_samples():
    audio = np.zeros(3600 * 4000, np.float32)
    tracemalloc.start()
    map_spectra(audio, lambda p: p[:, :10].copy(), n_fft=512, hop=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The samples with silence around them, and what is kept; all spectra would be 230 MB.
    assert peak < 1.1 * (audio.nbytes + 225_001 * 10 * 4 * 2)


def test_a_transform_too_short_for_the_contrast_is_refused():
    chosen = {"kind": "spectral", "rate": 44100, "frames": 20, "hop": 512, "parts": ["contrast"]}
    with pytest.raises(HeldoutError, match=r"n_fft: expected at least 220.5 samples at 44100 Hz"):
        extract(sound("noise", rate=44100), **chosen, n_fft=128)
