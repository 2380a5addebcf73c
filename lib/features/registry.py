"""Features: from one recording to examples, network inputs of one shape."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from lib.datasets.signal import LARGEST, Signal, constant
from lib.errors import HeldoutError, suggestion
from lib.features import beats, spectra, windows
from lib.features.kinds import Features


class Kind(NamedTuple):
    """How a kind of features is made, and what shape it has, from the same settings."""

    extract: Callable[..., Features]
    shape: Callable[..., tuple[int, int]]


KINDS = MappingProxyType(
    {
        "beats": Kind(beats.extract, beats.shape),
        "windows": Kind(windows.extract, windows.shape),
        "mfcc": Kind(spectra.mfcc, spectra.mfcc_shape),
        "spectral": Kind(spectra.spectral, spectra.spectral_shape),
        "mel": Kind(spectra.mel, spectra.mel_shape),
    }
)
"""The kinds of features, by name."""


def _kind(kind: str, settings: dict[str, Any]) -> Kind:
    if kind not in KINDS:
        raise HeldoutError(
            f"features kind {kind!r}: expected one of {', '.join(KINDS)}. "
            "Correct it in the study's features."
        )
    try:
        inspect.signature(KINDS[kind].shape).bind(**settings)
    except TypeError as error:
        known = list(inspect.signature(KINDS[kind].shape).parameters)
        names = ", ".join(known)
        raise HeldoutError(
            f"features kind {kind}: expected the settings {names}, got "
            f"{', '.join(settings) or 'none'} ({error}). Correct them in the study's features."
            + "".join(
                f" {suggestion(key, known)}" for key in sorted(set(settings) - set(known))[:1]
            )
        ) from error
    _require_kinds(kind, settings)
    return KINDS[kind]


# What is no whole number: rates (Hz), times (s), names.
_RATES_AND_TIMES = ("rate", "duration", "before")
_NAMES = ("channels", "parts")
_LARGEST = 1 << 40


def _require_kinds(kind: str, settings: dict[str, Any]) -> None:
    """Refuse a setting of another type than it has."""
    for name, value in settings.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name == "lead":
            expected, good = "a name", isinstance(value, str)
        elif name in _NAMES:
            expected = "a list of names"
            good = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        elif name in _RATES_AND_TIMES:
            expected, good = "a number", number and abs(value) < _LARGEST
        else:
            expected = "a whole number"
            good = number and isinstance(value, int) and abs(value) < _LARGEST
            good |= value is None and name == "limit"
        if not good:
            raise HeldoutError(
                f"features kind {kind}: {name}: expected {expected}, got {value!r}. "
                "Correct it in the study's features."
            )


def shape(kind: str, **settings: Any) -> tuple[int, int]:
    """Give the shape of an example without reading anything.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes.

    Returns
    -------
    tuple of int
        (time, channels).

    Raises
    ------
    HeldoutError
        The kind is not known, or a setting is missing, not known, or wrong.

    Examples
    --------
    >>> shape("mel", rate=16000, duration=5.0, n_mels=64, n_fft=1024, hop=256)
    (313, 64)
    """
    return _kind(kind, settings).shape(**settings)


def seconds(kind: str, **settings: Any) -> float:
    """Give how long one example lasts, in s.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes.

    Returns
    -------
    float
        Two examples of one recording overlap when they start less than this apart.

    Raises
    ------
    HeldoutError
        As `shape`.

    Examples
    --------
    >>> seconds("beats", lead="MLII", rate=125, samples=187, before=0.6)
    1.496
    """
    time, _ = shape(kind, **settings)
    if "duration" in settings:
        return float(settings["duration"])
    return float(time * settings.get("hop", 1) / settings["rate"])


def extract(signal: Signal, *, kind: str, **settings: Any) -> Features:
    """Make the examples of one recording.

    Parameters
    ----------
    signal : Signal
        The recording.
    kind : str
        A name in `KINDS`.
    **settings
        What the kind takes; see its function.

    Returns
    -------
    Features
        Finite, and of `shape(kind, **settings)` each.

    Raises
    ------
    HeldoutError
        As `shape`; or the recording lacks a channel, is too short for a window, too long at the
        new rate, or gives values that are not finite.

    Warns
    -----
    UserWarning
        A channel is constant: its features are finite, but say nothing.

    Examples
    --------
    >>> from lib.datasets import Signal
    >>> ramp = Signal(np.linspace(0, 1, 1000)[:, None], 100.0, ("ECG",))
    >>> settings = {"channels": ["ECG"], "rate": 50, "samples": 100, "stride": 100}
    >>> features = extract(ramp, kind="windows", **settings)
    >>> features.x.shape, features.start.tolist()
    ((5, 100, 1), [0.0, 2.0, 4.0, 6.0, 8.0])
    """
    chosen = _kind(kind, settings)
    flat = constant(signal.samples)
    if flat.any():
        names = ", ".join(name for name, f in zip(signal.channels, flat, strict=True) if f)
        warnings.warn(
            f"{signal.name}: the channel {names} is constant; its features say nothing.",
            stacklevel=2,
        )
    # Every kind that has a rate of its own resamples a recording as a whole.
    rate = settings.get("rate", signal.rate)
    length = signal.duration * rate * len(signal.channels)
    if length > LARGEST:
        raise HeldoutError(
            f"{signal.name}: expected a recording of at most {LARGEST:,} samples at "
            f"{rate:g} Hz, got {length:,.0f}, from {signal.rate:g} Hz. Look at its "
            "rate, cut it into parts, or exclude it."
        )
    features = chosen.extract(signal, **settings)
    if not np.isfinite(features.x).all():
        raise HeldoutError(
            f"{signal.name}: expected finite {kind} features, got NaN or infinity. "
            "Look at the recording's level and length, or exclude it."
        )
    return features
