"""R peaks of an ECG without annotations, and annotations that say the class of each beat."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lib.datasets.signal import Signal
from lib.datasets.waveform_database import BEATS
from lib.errors import HeldoutError
from lib.features.resampling import resample

# XQRS filters with a wavelet of 4 samples, whatever the rate, and so is right at one rate alone:
# from 50 Hz to 2 kHz, resampled to 250 Hz, it finds 99.4 % of the beats of the 48 records of
# MIT-BIH, and 99.5 % of what it finds are beats.
_DETECTION_RATE = 250.0
# Its filter passes 5 to 20 Hz, which slower recordings do not have.
_SLOWEST = 50.0
# XQRS marks a QRS complex by the filtered slope; the R peak is the extreme nearby.
_SEARCH_SECONDS = 0.06


def find_beats(signal: Signal, *, lead: str) -> Signal:
    """Find the R peaks of one lead, as wfdb's XQRS does, and put each on its extreme.

    Parameters
    ----------
    signal : Signal
        An ECG, of 2 s at least, at 50 Hz or more.
    lead : str
        The lead to look at.

    Returns
    -------
    Signal
        The same with `positions`, strictly increasing; `symbols` are all `Q`, unclassified.

    Raises
    ------
    HeldoutError
        There is no such lead, the record is too short or too slow, or no beat is found.
    """
    if lead not in signal.channels:
        raise HeldoutError(
            signal.name,
            f"the lead {lead}",
            ", ".join(signal.channels),
            "Name another lead (--lead).",
        )
    if signal.duration < 2:
        raise HeldoutError(
            signal.name,
            "2 s of ECG at least to find beats in",
            f"{signal.duration:.2f} s",
            "Take a longer record, or one with annotations (.atr).",
        )
    if signal.rate < _SLOWEST:
        raise HeldoutError(
            signal.name,
            f"an ECG of at least {_SLOWEST:g} Hz to find beats in",
            f"{signal.rate:g} Hz",
            "Take the original recording, or one with annotations (.atr).",
        )
    wave = signal.samples[:, signal.channels.index(lead)]
    peaks = _on_extremes(wave, _complexes(wave, signal.rate), signal.rate)
    if not len(peaks):
        raise HeldoutError(
            signal.name,
            f"beats in the lead {lead}",
            "none",
            "Look at the record, or name another lead (--lead).",
        )
    return replace(signal, positions=peaks, symbols=np.full(len(peaks), "Q"))


def _complexes(wave: np.ndarray, rate: float) -> np.ndarray:
    """Find the QRS complexes of a lead: sample indices; none where the detector fails."""
    from wfdb.processing import XQRS

    slow = resample(wave, rate=rate, new_rate=_DETECTION_RATE).astype(np.float64)
    detector = XQRS(slow, _DETECTION_RATE)
    try:
        with warnings.catch_warnings():
            # A flat lead makes it divide by zero; the caller says what matters.
            warnings.simplefilter("ignore", RuntimeWarning)
            detector.detect(verbose=False)
    except (ValueError, IndexError, ZeroDivisionError, FloatingPointError):
        return np.zeros(0, dtype=np.int64)
    places = np.asarray(detector.qrs_inds, dtype=np.float64) * (rate / _DETECTION_RATE)
    return np.rint(places).astype(np.int64)


def _on_extremes(wave: np.ndarray, peaks: np.ndarray, rate: float) -> np.ndarray:
    """Move each peak to the sample nearby that is farthest from the local middle."""
    if not len(peaks):
        return peaks
    reach = max(1, round(_SEARCH_SECONDS * rate))
    index = np.clip(peaks[:, None] + np.arange(-reach, reach + 1), 0, len(wave) - 1)
    near = wave[index]
    far = np.abs(near - np.median(near, axis=1, keepdims=True)).argmax(axis=1)
    return np.unique(index[np.arange(len(peaks)), far])


def beat_codes(labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Choose an annotation code for each class: the first of its labels that is one, else `Q`."""
    return {
        name: next((label for label in [name, *some] if label in BEATS), "Q")
        for name, some in labels.items()
    }


def write_annotations(
    path: str | Path,
    positions: np.ndarray,
    classes: Sequence[str],
    *,
    rate: float,
    labels: Mapping[str, Sequence[str]],
) -> Path:
    """Write a WFDB annotation file (`.atr`) with the class of each beat.

    Parameters
    ----------
    path : str or Path
        The `.atr` file; its folder is made when missing.
    positions : np.ndarray [shape=(beats,)]
        Sample indices, increasing.
    classes : sequence of str
        The class of each beat: written as the beat's code (`beat_codes`), and by its name as the
        auxiliary note.
    rate : float
        Of the record, in Hz.
    labels : mapping of str to sequence of str
        Each class with the dataset's labels in it.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    HeldoutError
        The file is there already: annotations that a person made are not overwritten.
    """
    import wfdb

    path = Path(path)
    if path.exists():
        raise HeldoutError(
            path,
            "no file of that name, since annotations are not overwritten",
            advice="Name another folder (--annotations), or move the file away.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    code_of = beat_codes(labels)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        wfdb.wrann(
            "beats",
            "atr",
            np.asarray(positions, dtype=np.int64),
            symbol=[code_of[name] for name in classes],
            aux_note=list(classes),
            fs=rate,
            write_dir=folder,
        )
        os.replace(Path(folder) / "beats.atr", path)
    return path
