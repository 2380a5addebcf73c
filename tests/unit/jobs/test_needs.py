"""What jobs ask a scheduler for: it grows with the work, and with every attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.files import read_json
from lib.jobs.needs import (
    SPEEDS,
    _seconds_of_epoch,
    examples_in,
    need,
    of_features,
    of_training,
)
from lib.networks.sizes import size_of

ROOT = Path(__file__).parent.parent.parent.parent

BEATS = {"kind": "beats", "lead": "MLII", "rate": 125, "samples": 187, "before": 0.6}
WINDOWS = {"kind": "windows", "channels": ["ECG"], "rate": 100, "samples": 50, "stride": 10}
LSTM = {"architecture": "lstm", "trials": [{"units": [8]}], "epochs": 2}


def sparse(path: Path, nbytes: int) -> Path:
    """Make a file that has a size and takes no place."""
    with path.open("wb") as file:
        file.truncate(nbytes)
    return path


def table(path: Path, *rows: tuple[float, float, int]) -> Path:
    lines = [f"r{number},{','.join(map(str, row))}" for number, row in enumerate(rows)]
    path.write_text("\n".join(["recording,rate,duration,channels", *lines]) + "\n")
    return path


@given(st.floats(0, 1e12), st.floats(0, 1e6), st.integers(1, 5))
def test_every_attempt_is_given_twice_as_much(nbytes: float, seconds: float, attempt: int) -> None:
    one, two = (need(nbytes, seconds, attempt=attempt + more) for more in (0, 1))
    assert (two.mem_mb, two.runtime) == (2 * one.mem_mb, 2 * one.runtime)
    assert one.mem_mb * 1e6 > nbytes
    assert one.runtime * 60 > seconds


def test_examples_are_counted_by_the_size_of_their_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1234, 187, 1), np.float32))
    assert examples_in(tmp_path / "x.npy", BEATS) == 1234


def test_more_examples_are_given_more(tmp_path: Path) -> None:
    few, many = sparse(tmp_path / "few", 10**6), sparse(tmp_path / "many", 10**9)
    small, large = of_training(few, BEATS, **LSTM), of_training(many, BEATS, **LSTM)
    assert large.mem_mb > small.mem_mb
    assert large.runtime > small.runtime


def test_features_by_the_longest_recording_and_by_all_examples(tmp_path: Path) -> None:
    one = table(tmp_path / "one.csv", (1000.0, 60.0, 2))
    longer = table(tmp_path / "longer.csv", (1000.0, 60000.0, 2))
    more = table(tmp_path / "more.csv", *[(1000.0, 60.0, 2)] * 3000)
    small = of_features(one, WINDOWS)
    assert of_features(longer, WINDOWS).mem_mb > small.mem_mb + 32 * 1000 * 60000 * 2 / 1e6
    assert of_features(more, WINDOWS).mem_mb > small.mem_mb
    assert of_features(more, WINDOWS).runtime > small.runtime
    assert of_features(more, WINDOWS | {"limit": 1}).mem_mb < of_features(more, WINDOWS).mem_mb


def test_an_empty_shard(tmp_path: Path) -> None:
    assert of_features(table(tmp_path / "none.csv"), BEATS).mem_mb > 0


def test_what_is_not_there_yet_is_said_by_the_name_of_the_file(tmp_path: Path) -> None:
    lost = tmp_path / "lost.npy"
    for ask in (
        lambda: of_features(lost, BEATS),
        lambda: of_training(lost, BEATS, **LSTM),
    ):
        # Snakemake plans without the figure where the error names an input of the job.
        with pytest.raises(FileNotFoundError) as caught:
            ask()
        assert caught.value.filename == str(lost) or caught.value.filename == lost


def test_a_training_by_its_network_batch_epochs_and_number(tmp_path: Path) -> None:
    npy = sparse(tmp_path / "x.npy", 400 * 187 * 4 * 100)

    def asked(trial: dict[str, Any], **more: Any) -> tuple[int, int]:
        options = {"architecture": "lstm", "epochs": 20} | more
        found = of_training(npy, BEATS, trials=[trial], **options)
        return found.mem_mb, found.runtime

    memory, runtime = asked({"units": [64]})
    assert asked({"units": [512]})[0] > memory
    assert asked({"units": [64], "batch_size": 8192})[0] > memory
    assert asked({"units": [64]}, epochs=200)[1] > runtime
    assert asked({"units": [64]}, trainings=3)[1] > runtime
    assert asked({"units": [512]}, threads=8)[1] < asked({"units": [512]})[1]
    assert asked({"units": [64]}, backend="tensorflow")[1] > runtime
    assert asked({"units": [64]}, backend="jax")[1] == runtime


def test_no_training_that_was_measured_takes_longer_than_it_is_given() -> None:
    rows = read_json(ROOT / "benchmarks" / "measured.json")["sections"]["speed"]["rows"]
    networks = read_json(ROOT / "benchmarks" / "shapes.json")
    for row in rows:
        case = networks[row["name"]]
        network = size_of(case["architecture"], case["hyperparameters"], tuple(case["shape"]))
        for backend, found in row["modes"].items():
            step = _seconds_of_epoch(network, network.batch, SPEEDS[backend], 1)
            assert 0.05 < found["seconds_per_step"] / step < 1, (row["name"], backend)


def test_the_largest_trial_counts(tmp_path: Path) -> None:
    npy = sparse(tmp_path / "x.npy", 10**8)
    options: dict[str, Any] = {"architecture": "lstm", "epochs": 20}
    large = of_training(npy, BEATS, trials=[{"units": [256]}], **options)
    assert of_training(npy, BEATS, trials=[{"units": [4]}, {"units": [256]}], **options) == large


def test_features_that_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"features\.kind: .* got 'beeps'"):
        of_training(sparse(tmp_path / "x.npy", 1000), {"kind": "beeps"}, **LSTM)
