"""Many trainings one after the other: whether memory, open files or the time of one grow.

A process trains many networks (a worker of a Bayesian search does), each with some seeds (a final
run does), and a grid is thousands of jobs of one Snakemake. What leaks a little each time ends a
long run.
"""

from __future__ import annotations

import gc
import hashlib
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.checkout import copy, snakemake
from benchmarks.machine import apart
from lib.networks.hyperparameters import trial_id
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.runs import train_runs
from lib.train.training import Training

RUNS, JOBS = 2000, 40
# Runs of each network; their seeds share a process and a network, as in the workflow.
SEEDS = 4
# The smallest of each: what is looked for is what stays of a network, not what it computes.
NETWORKS: dict[str, dict[str, Any]] = {
    "simple_rnn": {"units": [2]},
    "lstm": {"units": [2]},
    "gru": {"units": [2]},
    "cnn": {"filters": [2], "kernels": [3]},
    "cnn_lstm": {"filters": [2], "kernels": [3], "units": [2]},
}
# What the workflow takes by default.
BACKEND = "jax"
FIXED = {"dense": [], "batch_size": 32}


def measure(folder: Path, *, quick: bool = False, runs: int = RUNS) -> dict[str, Any]:
    """Make `runs` runs in one process, and a grid of fewer through Snakemake."""
    # A round of all networks is 20: one run of another network, and there is a line to draw.
    runs, jobs = (24, 2) if quick else (runs, JOBS)
    rows = apart("endurance", folder=str(folder / "process"), runs=runs)
    return {
        "quick": quick,
        "runs": runs,
        "backend": BACKEND,
        "seeds": SEEDS,
        "networks": list(NETWORKS),
        "rows": rows,
        "slope_kib": slope(rows),
        "jobs": _through_snakemake(folder / "checkout", jobs),
    }


def run(folder: str, runs: int, backend: str = BACKEND) -> list[dict[str, Any]]:
    """Make so many runs, no two networks alike, and look at the process after each hundredth.

    Parameters
    ----------
    folder : str
        Where the runs go.
    runs : int
        How many, a multiple of `SEEDS`.
    backend : {"tensorflow", "jax"}
        What computes; a process has one.

    Returns
    -------
    list of dict
        `run`, from 1; `memory_mib`, resident; `files`, open ones; `threads`; `cpu_seconds`, of one
        run, the median since the row before (CPU time, since that of the clock tells what else a
        machine is doing). The first row is that of the first round of networks: what is loaded and
        cached once is there by then.
    """
    process, rows, seconds = psutil.Process(), [], []
    first, every = SEEDS * len(NETWORKS), max(SEEDS, min(100, runs // 4))
    data = examples()
    for number, name in enumerate(islice(cycle(NETWORKS), runs // SEEDS), start=1):
        began = time.process_time()
        train_one(Path(folder), data, name, number, seeds=SEEDS, backend=backend)
        seconds.append((time.process_time() - began) / SEEDS)
        done = number * SEEDS
        if done == first or done % every == 0:
            # Garbage that is due to be collected is no growth.
            gc.collect()
            rows.append(
                {
                    "run": done,
                    "memory_mib": process.memory_info().rss / 2**20,
                    "files": process.num_fds(),
                    "threads": process.num_threads(),
                    "cpu_seconds": float(np.median(seconds)),
                }
            )
            print(rows[-1], flush=True)
            seconds = []
    return rows


def examples() -> Data:
    """Make a few short examples of noise."""
    rng = np.random.default_rng(0)
    rows = {"train": np.arange(64), "validation": np.arange(64, 96), "test": np.arange(96, 128)}
    x = rng.standard_normal((128, 16, 1), dtype=np.float32)
    names, digest = ["a", "b"], hashlib.sha256(x.tobytes()).hexdigest()
    return Data(x, np.arange(128) % 2, rows, names, names, digest)


def train_one(
    folder: Path,
    data: Data,
    architecture: str,
    number: int,
    *,
    seeds: int = 1,
    backend: str = BACKEND,
) -> dict[str, Any]:
    """Do all that the final runs of a network do, with a learning rate that no other has."""
    values = {**NETWORKS[architecture], **FIXED, "learning_rate": 1e-3 * (1 + number * 1e-4)}
    name = trial_id(architecture, values)
    identity = {"study": "endurance", "dataset": "noise", "simulated": True}
    identity |= {"protocol": "grouped", "honest": True, "trial": name, "fold": 0}
    records = train_runs(
        {seed: folder / name / f"seed-{seed}" for seed in range(seeds)},
        data,
        Recipe(architecture, values, Training(epochs=1), backend=backend, threads=1),
        identity=identity,
        store=folder / "fits",
    )
    return records[0]


def slope(rows: list[dict[str, Any]]) -> float:
    """Return the growth of memory in KiB a run: a line through the second half of the rows.

    Allocators and caches fill up for a while; what grows for ever does so in the second half too.
    """
    later = rows[len(rows) // 2 :] if len(rows) > 3 else rows
    runs = [row["run"] for row in later]
    memory = [row["memory_mib"] * 1024 for row in later]
    return float(np.polyfit(runs, memory, 1)[0])


def _through_snakemake(folder: Path, jobs: int) -> dict[str, Any]:
    """Run a grid as jobs of one Snakemake; the seconds and the memory that each noted."""
    copy(folder)
    rates = [round(1e-3 * (1 + number * 1e-2), 6) for number in range(jobs)]
    fixed = {"filters": [2], "kernels": [3], **FIXED}
    settings = {
        "arrhythmia": {
            "architectures": {"cnn": {"fixed": fixed, "space": {"learning_rate": rates}}},
            "training": {"epochs": 1},
        }
    }
    config = {"studies": "arrhythmia", "effort": "full", "settings": settings}
    config |= {"simulation": {"scale": 0.01}}
    snakemake(folder, "results/arrhythmia/search/cnn/best.json", **config)
    files = sorted(
        (folder / "logs" / "search").glob("arrhythmia-cnn-*.tsv"),
        key=lambda path: path.stat().st_mtime,
    )
    found = [_noted(path) for path in files]
    half = len(found) // 2
    return {
        "count": len(found),
        "seconds": [
            float(np.median([s for s, _ in part])) for part in (found[:half], found[half:])
        ],
        "memory_mib": [
            float(np.median([m for _, m in part])) for part in (found[:half], found[half:])
        ],
    }


def _noted(path: Path) -> tuple[float, float]:
    """Read seconds and peak memory (MiB) of a job from the table beside its log."""
    import pandas as pd

    row = pd.read_csv(path, sep="\t").iloc[0]
    return float(row["s"]), float(row["max_rss"])
