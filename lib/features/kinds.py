"""What every kind of features gives, and how their settings are checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.errors import HeldoutError


@dataclass(frozen=True, eq=False)
class Features:
    """The examples of one recording.

    Parameters
    ----------
    x : np.ndarray, shape (examples, time, channels)
        float32, finite.
    start : np.ndarray, shape (examples,)
        Where each example begins in the recording, in s; below 0 where a beat's window begins
        before the recording and is filled up.
    symbols : np.ndarray, shape (examples,)
        The example's own label, or empty.
    """

    x: np.ndarray
    start: np.ndarray
    symbols: np.ndarray


def unlabelled(x: np.ndarray, start: np.ndarray) -> Features:
    """Give examples whose label is that of their recording."""
    return Features(x, start, np.full(len(x), "", dtype="<U1"))


def require_positive(**settings: float) -> None:
    """Check that every setting is above zero.

    Raises
    ------
    HeldoutError
        One is not.
    """
    for name, value in settings.items():
        if not value > 0:
            raise HeldoutError(
                f"features setting {name}: expected a number above 0, got {value}. "
                "Correct it in the study's features."
            )
