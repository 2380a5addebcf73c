"""What it takes to plan a run: a dry run of folders of more and more recordings."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checkout import copy
from benchmarks.machine import apart
from lib.recordings.shards import shards_for

SIZES = (100, 1_000, 10_000, 100_000)
LINKS = 1000
"""Names that one file is given; file systems limit them, and what it holds costs nothing."""


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Plan folders of several sizes, each in a process of its own."""
    copy(folder / "copy")
    rows = []
    for size in (20, 250) if quick else SIZES:
        recordings = fill(folder / str(size), size)
        # As many feature jobs as the run would make once it knows the recordings.
        shards = shards_for(size)
        options: dict[str, Any] = {
            "folder": str(folder / "copy"),
            "recordings": str(recordings),
            "shards": shards,
        }
        rows.append(apart("planning", **options))
        print(rows[-1], flush=True)
    return {"quick": quick, "rows": rows}


def fill(folder: Path, count: int) -> Path:
    """Make a folder of so many recordings of a second, in two classes."""
    import soundfile

    samples = np.random.default_rng(0).normal(scale=0.1, size=1000)
    for number in range(count):
        file = folder / "ab"[number % 2] / f"{number:06}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        if number % LINKS == 0:
            first = file
            soundfile.write(file, samples, 1000)
        else:
            file.hardlink_to(first)
    return folder


def run(folder: str, recordings: str, shards: int) -> dict[str, Any]:
    """Make two dry runs, and count what the last names."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--config", f"folder={recordings}"]
    command.append(f"shards={shards}")
    seconds = []
    for _ in range(2):  # what the first says of the folder is kept for the second
        before = _children()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}")
        seconds.append(_children() - before)
    # The table at the end: a rule and how many jobs it has.
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE))
    return {
        "recordings": sum(file.suffix == ".wav" for file in Path(recordings).glob("*/*")),
        "feature_jobs": int(counts["features"]),
        "jobs": int(counts["total"]),
        "cpu_seconds": seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
    }


def _children() -> float:
    """Sum the CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
