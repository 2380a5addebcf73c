"""How much memory and time a job may take, from its work: what a scheduler is asked for.

Constants are peaks of resident memory of whole processes (`ru_maxrss`, CPython 3.11,
TensorFlow 2.21) and the training speeds of docs/benchmarks.md, with the margin named beside each:
too much waits longer in a queue, too little is killed and done again with twice as much.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.features.registry import make, shape
from lib.networks.backend import choose_backend
from lib.networks.sizes import Size, size_of
from lib.train.batches import IN_MEMORY, predicted_at_once

MB = 1_000_000
FLOAT = 4  # bytes

# A process that has imported pandas holds 130 MB, one with scikit-learn 220, with librosa 320;
# TensorFlow and a network of a hundred weights, trained, hold 660.
# Through Slurm two processes of Snakemake stand around it: 200 MB each where a run has some 50 to
# 400 jobs, 280 MB where it has 1,000 feature jobs.
PLAIN_MB = 800
TRAINING_MB = 1200
# What is estimated and not counted: allocators keep what they had.
MARGIN = 1.25


@dataclass(frozen=True)
class Speed:
    """How fast a backend trains on one thread.

    Attributes
    ----------
    flops : float
        Floating-point operations a second.
    step : float
        What a step in time of a recurrent layer takes, however small it is, s.
    """

    flops: float
    step: float


# By docs/benchmarks.md, where each of the 14 shapes takes 0.1 to 0.7 of what this says.
SPEEDS = {"tensorflow": Speed(6e9, 0.35e-3), "jax": Speed(20e9, 0.03e-3)}
# Cores of a cluster differ, and may be shared with others.
SLOW = 3.0
# Start of a job: Slurm, Snakemake twice, imports, and file systems at their worst.
START_MINUTES = 10

# Reading and features of 30 s of audio take 0.08 s; compressed files and slow disks take more.
SECONDS_PER_SECOND = 0.01
SECONDS_PER_FILE = 0.1


@dataclass(frozen=True)
class Need:
    """What a job is given.

    Attributes
    ----------
    mem_mb : int
        Memory of the whole job, MB (10⁶ bytes).
    runtime : int
        Minutes.
    """

    mem_mb: int
    runtime: int


def need(nbytes: float, seconds: float, *, attempt: int = 1, base_mb: int = PLAIN_MB) -> Need:
    """Estimate the need of a job.

    Parameters
    ----------
    nbytes : float
        What the work holds in memory beside the process itself, bytes.
    seconds : float
        How long the work takes on the machine that was measured, s.
    attempt : int
        1 at first. A job that was killed for memory or time is given twice as much of both, since
        Snakemake does not tell which of the two it lacked.
    base_mb : int
        What the process holds before it works, MB.

    Returns
    -------
    Need
        Memory in whole hundreds of MB, so that jobs of about one size look alike to a scheduler.
    """
    growth = 2 ** (attempt - 1)
    memory = math.ceil((base_mb + MARGIN * nbytes / MB) / 100) * 100
    minutes = START_MINUTES + math.ceil(SLOW * seconds / 60)
    return Need(memory * growth, minutes * growth)


def examples_in(npy: str | Path, features: Mapping[str, Any]) -> int:
    """Count the examples of `examples.npy` by its size, without opening it.

    Raises
    ------
    FileNotFoundError
        It is not there yet: Snakemake then plans without the figure and asks again.
    """
    return Path(npy).stat().st_size // (FLOAT * math.prod(shape(**features)))


def of_features(shard: str | Path, features: Mapping[str, Any], *, attempt: int = 1) -> Need:
    """Estimate what the features of a shard take: the longest recording, and all examples twice.

    Parameters
    ----------
    shard : str or Path
        The shard's table of recordings, of which `rate` (Hz), `duration` (s) and `channels` are
        read.
    features : mapping
        The study's features.
    attempt : int
        As for `need`.

    Notes
    -----
    Samples are read as float64 and copied for resampling and for a spectrogram: 32 bytes each.
    """
    with Path(shard).open(encoding="utf-8", newline="") as file:
        rows = [
            (float(row["rate"] or 0), float(row["duration"] or 0), int(float(row["channels"] or 1)))
            for row in csv.DictReader(file)
        ]
    size = FLOAT * math.prod(shape(**features))
    examples = sum(make(**features).most_examples(duration) for _, duration, _ in rows)
    longest = max((rate * duration * channels for rate, duration, channels in rows), default=0.0)
    seconds = sum(duration * channels for _, duration, channels in rows) * SECONDS_PER_SECOND
    seconds += len(rows) * SECONDS_PER_FILE
    return need(32 * longest + 2 * size * examples, seconds, attempt=attempt)


# Bytes of memory for each example in tables of them: the audit of a million examples held 356.
ROW = 400


def of_training(
    npy: str | Path,
    features: Mapping[str, Any],
    *,
    architecture: str,
    trials: Iterable[Mapping[str, Any]],
    epochs: int,
    trainings: int = 1,
    backend: str = "auto",
    threads: int = 1,
    attempt: int = 1,
) -> Need:
    """Estimate what training takes.

    Parameters
    ----------
    npy : str or Path
        `examples.npy`.
    features : mapping
        The study's features.
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    trials : iterable of mapping
        Hyperparameters of all that it may be asked to train: the largest counts.
    epochs : int
        Of a training.
    trainings : int
        How many of them follow one another in the process.
    backend : {"auto", "jax", "tensorflow"}
        What trains. On a GPU or TPU it takes less.
    threads : int
        CPU threads of it.
    attempt : int
        As for `need`.
    """
    rows, size = examples_in(npy, features), Path(npy).stat().st_size
    # Train and validation parts are copied when they are small enough, and all parts at the end.
    held = min(size, 2 * IN_MEMORY) + min(size, IN_MEMORY) + ROW * rows
    most, seconds, speed = 0.0, 0.0, SPEEDS[choose_backend(backend)]
    for given in trials:
        network = size_of(architecture, given, shape(**features))
        example = FLOAT * math.prod(shape(**features))
        most = max(most, _nbytes_of(network, rows, example))
        seconds = max(seconds, _seconds_of_epoch(network, rows, speed, threads))
    return need(held + most, seconds * epochs * trainings, attempt=attempt, base_mb=TRAINING_MB)


def _nbytes_of(network: Size, rows: int, example: int) -> float:
    """Estimate the bytes that training or predicting so many examples holds, whichever is more.

    The gradient needs every layer of a batch; a prediction holds one layer at a time, of more
    examples. Weights count four times: themselves, their gradient, two moments of Adam.
    """
    predicted = predicted_at_once(example, rows)
    trained = network.batch * sum(network.layers)
    largest = max(network.layers, default=0)
    return FLOAT * (max(trained, predicted * largest) + 4 * network.weights)


def _seconds_of_epoch(network: Size, rows: int, speed: Speed, threads: int) -> float:
    """Estimate the seconds of one epoch over so many examples, validation included."""
    batches = math.ceil(rows / network.batch)
    return rows * network.flop / (speed.flops * threads) + batches * network.steps * speed.step
