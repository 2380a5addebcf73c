"""R peaks of the 48 records of MIT-BIH at the rates that recorders have."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.datasets.files import read_file
from lib.datasets.signal import Signal
from lib.features.resampling import resample
from lib.predict.rpeaks import find_beats

pytestmark = [pytest.mark.real, pytest.mark.slow]

SECONDS = 150.0


@pytest.fixture(scope="module")
def starts() -> list[Signal]:
    """Read the first minutes of each record's first lead, with its annotated beats."""
    if not os.environ.get("HELDOUT_DATA"):
        pytest.skip("HELDOUT_DATA is not set: it names the folder of the real datasets")
    headers = sorted((Path(os.environ["HELDOUT_DATA"]) / "mitdb").glob("*.hea"))
    if not headers:
        pytest.skip("no real recordings of mitdb")
    assert len(headers) == 48
    signals = []
    for header in headers:
        signal = read_file(header)
        length = round(SECONDS * signal.rate)
        chosen = signal.positions < length
        signals.append(
            replace(
                signal,
                samples=signal.samples[:length, :1],
                channels=signal.channels[:1],
                positions=signal.positions[chosen],
                symbols=signal.symbols[chosen],
            )
        )
    return signals


@pytest.mark.parametrize("rate", [125, 250, 360, 500, 1000, 2000])
def test_as_many_beats_as_annotated_at_every_rate(starts: list[Signal], rate: float) -> None:
    annotated = counted = right = 0
    for signal in starts:
        truth = signal.positions / signal.rate
        samples = resample(signal.samples, rate=signal.rate, new_rate=rate)
        bare = Signal(samples, float(rate), signal.channels, name=signal.name)
        beats = find_beats(bare, lead=bare.channels[0]).positions / rate
        annotated, counted = annotated + len(truth), counted + len(beats)
        right += int((np.abs(truth[:, None] - beats).min(axis=1) <= 0.15).sum())
    assert abs(counted / annotated - 1) <= 0.05
    assert right / annotated >= 0.97
