"""What a recording is like without being listened to: its quiet start, and where its band ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from lib.datasets.signal import Signal, cutoff, quiet_start

RATE = 16000


def noise(count: int, channels: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).normal(size=(count, channels)).astype(np.float32)


def signal(samples: np.ndarray) -> Signal:
    return Signal(samples.astype(np.float32), RATE, tuple("ab"[: samples.shape[1]]))


@pytest.mark.parametrize("offset", [0, 0.5])
def test_a_quiet_start(offset: float) -> None:
    late = np.r_[np.zeros((800, 2)), noise(8000, 2)] + offset
    assert quiet_start(signal(late)) == pytest.approx(0.05, abs=0.001)
    assert quiet_start(signal(noise(800))) < 0.001
    assert quiet_start(signal(np.full((800, 1), offset))) == 0


def test_where_the_band_ends() -> None:
    assert cutoff(signal(noise(RATE))) == RATE / 2
    wide = resample_poly(noise(RATE // 2), 2, 1)
    assert cutoff(signal(wide)) == pytest.approx(4000, rel=0.15)
    # A tone, a slope, silence and a few samples have no edge.
    tone = np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE)[:, None]
    for other in (noise(RATE) + tone, np.cumsum(noise(RATE), axis=0), np.zeros((RATE, 1))):
        assert cutoff(signal(other)) == RATE / 2
    assert cutoff(signal(noise(3))) == RATE / 2
