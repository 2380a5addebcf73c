"""How much memory and time a job may take, from its work: what a scheduler is asked for.

Constants are peaks of resident memory of whole processes (`ru_maxrss`, CPython 3.11,
TensorFlow 2.21) and the training speeds of docs/benchmarks.md, with the margin named beside each:
too much waits longer in a queue, too little is killed and done again with twice as much.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.examples.arrays import BLOCK
from lib.features.registry import make, shape
from lib.networks.sizes import Size, size_of
from lib.train.batches import IN_MEMORY, PREDICT_BYTES

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

# Where the time of a training step goes, by docs/benchmarks.md with TensorFlow on 2 threads; JAX
# takes less. Networks of convolutions reach 12 GFLOP/s, and a recurrent step takes 0.14 to 0.31 ms
# however small it is.
FLOPS_PER_THREAD = 6e9
SECONDS_PER_STEP = 0.35e-3
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
    """Put the need of a job together.

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


def nbytes(paths: Iterable[str | Path]) -> int:
    """Add up the sizes of files, in bytes.

    Raises
    ------
    FileNotFoundError
        One is not there yet: Snakemake then plans without the figure and asks again.
    """
    return sum(Path(path).stat().st_size for path in paths)


def examples_in(npy: str | Path, features: Mapping[str, Any]) -> int:
    """Count the examples of `examples.npy` by its size, without opening it."""
    return nbytes([npy]) // (FLOAT * math.prod(shape(**features)))


def of_recordings(manifest: str | Path, *, attempt: int = 1) -> Need:
    """Give what listing the recordings of a dataset takes: its manifest, and tables made from it.

    Parsed JSON and tables take 9 times the bytes of the file (30 MB, 100,000 files: 270 MB).
    """
    size = nbytes([manifest])
    # A header of each file is read, and about 150 bytes of the manifest are about one file.
    return need(10 * size, SECONDS_PER_FILE * size / 150, attempt=attempt)


def of_features(shard: str | Path, features: Mapping[str, Any], *, attempt: int = 1) -> Need:
    """Give what the features of a shard take: the longest recording, and all examples twice.

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


def of_examples(
    shards: Sequence[str | Path], features: Mapping[str, Any], *, attempt: int = 1
) -> Need:
    """Give what joining shards takes: the largest one twice, and a row for each example."""
    sizes = [nbytes([path]) for path in shards]
    total = sum(sizes)
    rows = total / (FLOAT * math.prod(shape(**features)))
    # Written and then read for its checksum, at 50 MB/s where many share a disk.
    return need(2 * max(sizes, default=0) + ROW * rows, 2 * total / 50e6, attempt=attempt)


# Bytes of memory for each example and fold: audit of a million examples in one fold held 356 bytes
# for each beside a block, the table of examples and its join with the split.
ROW = 400


def of_table(
    npy: str | Path,
    features: Mapping[str, Any],
    *,
    folds: int = 1,
    read: bool = True,
    attempt: int = 1,
) -> Need:
    """Give what a stage takes that goes through all examples once: explore, splits, audit.

    Parameters
    ----------
    npy : str or Path
        `examples.npy`.
    features : mapping
        The study's features.
    folds : int
        How many rows there are for each example.
    read : bool
        Whether the examples themselves are read, in blocks.
    attempt : int
        As for `need`.
    """
    size = nbytes([npy])
    rows = examples_in(npy, features)
    held = ROW * rows * (1 + folds) + (3 * BLOCK if read else 0)
    return need(held, 50e-6 * rows * folds + size / 50e6, attempt=attempt)


def of_split(examples: str | Path, *, folds: int = 1, attempt: int = 1) -> Need:
    """Give what dealing examples to parts takes; the table packs a row into 10 bytes or more."""
    rows = nbytes([examples]) / 10
    return need(ROW * rows * (1 + folds), 50e-6 * rows * folds, attempt=attempt)


def of_baselines(npy: str | Path, features: Mapping[str, Any], *, attempt: int = 1) -> Need:
    """Give what baselines take: seven numbers of each channel, and a forest of the metadata.

    The default run took 230 MB; large ones were not measured, and the table is counted six times.
    """
    rows = examples_in(npy, features)
    _, channels = shape(**features)
    # The table, its scaled copy, and what the solver and the forest keep beside.
    held = ROW * rows * 2 + 7 * channels * 8 * 6 * rows + 3 * BLOCK
    return need(held, nbytes([npy]) / 50e6 + 1e-4 * rows * (1 + channels), attempt=attempt)


def of_training(
    npy: str | Path,
    features: Mapping[str, Any],
    *,
    architecture: str,
    trials: Iterable[Mapping[str, Any]],
    epochs: int,
    trainings: int = 1,
    threads: int = 1,
    attempt: int = 1,
) -> Need:
    """Give what training takes.

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
    threads : int
        CPU threads of it.
    attempt : int
        As for `need`.
    """
    rows, size = examples_in(npy, features), nbytes([npy])
    # Train and validation parts are copied when they are small enough, and all parts at the end.
    held = min(size, 2 * IN_MEMORY) + min(size, IN_MEMORY) + ROW * rows
    most, seconds = 0.0, 0.0
    for given in trials:
        network = size_of(architecture, given, shape(**features))
        example = FLOAT * math.prod(shape(**features))
        most = max(most, _nbytes_of(network, rows, example))
        seconds = max(seconds, _seconds_of_epoch(network, rows, threads))
    return need(held + most, seconds * epochs * trainings, attempt=attempt, base_mb=TRAINING_MB)


def _nbytes_of(network: Size, rows: int, example: int) -> float:
    """Estimate the bytes that training or predicting so many examples holds, whichever is more.

    The gradient needs every layer of a batch; a prediction holds one layer at a time, of more
    examples. Weights count four times: themselves, their gradient, two moments of Adam.
    """
    predicted = min(rows, min(1024, max(1, PREDICT_BYTES // example)))
    trained = network.batch * sum(network.layers)
    largest = max(network.layers, default=0)
    return FLOAT * (max(trained, predicted * largest) + 4 * network.weights)


def _seconds_of_epoch(network: Size, rows: int, threads: int) -> float:
    """Estimate the seconds of one epoch over so many examples, validation included."""
    batches = math.ceil(rows / network.batch)
    steps = batches * network.steps * SECONDS_PER_STEP
    return rows * network.flop / (FLOPS_PER_THREAD * threads) + steps


def of_comparison(predictions: Sequence[str | Path], *, resamples: int, attempt: int = 1) -> Need:
    """Give what comparing runs takes: all predictions, and the draws of every run.

    The default run (95 runs, 1.3 MB of predictions, 2,000 resamples) took 250 MB and 11 s. Larger
    ones were not measured: the factors leave room for what is compressed in the files.
    """
    size, runs = nbytes(predictions), len(predictions)
    held = 30 * size + runs * resamples * 20 * 8
    return need(held, 0.3 * runs + size / 1e5, attempt=attempt)


def of_page(tables: Iterable[str | Path], *, attempt: int = 1) -> Need:
    """Give what plots and the page take: the tables as rows of Python and as text, and pictures.

    The default run took 250 MB and 14 s for tables of half a megabyte; larger ones were not
    measured.
    """
    size = nbytes(tables)
    return need(100 * size, 60 + size / 1e5, attempt=attempt)
