"""Records whose beats nobody annotated: any rate, any lead that shows them, and what has none."""

from __future__ import annotations

import numpy as np
import pytest

from lib.datasets.signal import Signal
from lib.errors import HeldoutError
from lib.predict.rpeaks import find_beats
from tests.support.wild import wild


def ecg(rate: float, *, seconds: float = 40.0, seed: int = 0) -> tuple[Signal, np.ndarray]:
    """Make an ECG with QRS complexes, T waves, wander and noise; return its R peaks in s, too."""
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.uniform(0.7, 1.0, int(seconds)))
    peaks = peaks[peaks < seconds - 0.5]
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * 0.2 * time) + 0.02 * rng.normal(size=len(time))
    for peak in peaks:
        wave += np.exp(-0.5 * ((time - peak) / 0.012) ** 2)
        wave -= 0.25 * np.exp(-0.5 * ((time - peak - 0.03) / 0.012) ** 2)
        wave += 0.2 * np.exp(-0.5 * ((time - peak - 0.28) / 0.05) ** 2)
    return Signal(wave[:, None].astype(np.float32), rate, ("II",)), peaks


@wild(
    "beats",
    like="MIT-LCP/wfdb-python#389, MIT-LCP/wfdb-python#349",
    holds="an ECG at any rate from 50 Hz to 4 kHz, whole or odd, without annotations",
    right="its R peaks, each within 20 ms",
)
@pytest.mark.parametrize("rate", [50, 62.5, 100, 128, 257, 360, 500, 977.3, 1000, 2000, 4000])
def test_r_peaks_at_every_rate(rate: float) -> None:
    signal, peaks = ecg(rate)
    places = find_beats(signal, lead="II").positions / rate
    assert abs(len(places) - len(peaks)) <= 1
    distance = np.abs(places[:, None] - peaks).min(axis=1)
    assert distance.max() <= max(0.02, 1 / rate)


@wild(
    "beats",
    like="neuropsychology/NeuroKit#134",
    holds="an ECG that is too slow for a QRS complex (20 Hz, such as a trend)",
    right="an error that names the rate and what it takes",
)
def test_a_trend_has_no_beats() -> None:
    signal, _ = ecg(20)
    with pytest.raises(HeldoutError, match="an ECG of at least 50 Hz to find beats in, got 20 Hz"):
        find_beats(signal, lead="II")


@wild(
    "beats",
    like="MIT-LCP/wfdb-python#389, neuropsychology/NeuroKit#477",
    holds="a lead without a beat: constant, noise of one step, one spike alone",
    right="beats, or an error that names the lead; never a traceback",
)
@pytest.mark.parametrize("rate", [50.0, 250.0, 1000.0])
@pytest.mark.parametrize("kind", ["flat", "step", "spike", "alternating", "huge"])
def test_a_lead_that_shows_nothing(rate: float, kind: str) -> None:
    size = round(3 * rate)
    wave = np.zeros(size)
    if kind == "step":
        wave[size // 2 :] = 1
    elif kind == "spike":
        wave[size // 2] = 1e6
    elif kind == "alternating":
        wave[::2] = 1
    elif kind == "huge":
        wave = np.random.default_rng(0).normal(size=size) * 1e30
    signal = Signal(wave[:, None].astype(np.float32), rate, ("II",))
    try:
        positions = find_beats(signal, lead="II").positions
    except HeldoutError as error:
        assert "beats in the lead II" in str(error)
    else:
        assert (np.diff(positions) > 0).all()
        assert positions.min() >= 0
        assert positions.max() < size
