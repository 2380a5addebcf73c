"""Whether the features stage keeps all cores busy: against a plain loop of librosa."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.checkout import copy, snakemake
from benchmarks.machine import apart, cores
from lib.files import write_table
from lib.own.study import study_text
from lib.recordings.table import read_recordings

# As most audio is: packed, and at a rate at which it is not used.
CLIPS, CLIP_SECONDS, RATE, FORMAT = 400, 10.0, 48_000, "FLAC"
TIMES = 50
"""How often the stage reads each clip. Making as many clips would take longer than reading them."""


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Make the clips and their tables, then time the stage and the loop."""
    import soundfile

    count, times = (24, 2) if quick else (CLIPS, TIMES)
    # First, and alone: Numba compiles librosa's functions, and processes that do so at once can
    # spoil its cache (numba/numba#10128).
    alone = apart("spectra", blas_threads=1, rounds=3 if quick else 100)
    clips = folder / "clips"
    rng = np.random.default_rng(0)
    names = [clips / "ab"[number % 2] / f"{number:05}.flac" for number in range(count)]
    for file in names:
        file.parent.mkdir(parents=True, exist_ok=True)
        samples = 0.1 * rng.standard_normal(round(CLIP_SECONDS * RATE))
        soundfile.write(file, samples, RATE, format=FORMAT)
    copy(folder / "copy")
    # One long job for each core: what is asked is whether it is kept busy, not what starts cost.
    config: dict[str, Any] = {"folder": str(clips), "shards": cores()}
    snakemake(folder / "copy", "results/folder/recordings.csv", **config)
    shards = sorted((folder / "copy" / "results" / "folder" / "recordings").glob("*.csv"))
    for shard in shards:
        table = read_recordings(shard)
        again = [table.assign(recording=table["recording"] + f"/{n}") for n in range(times)]
        write_table(shard, pd.concat(again, ignore_index=True))
    targets = [f"results/folder/features/{shard.stem}.npz" for shard in shards]
    settings = yaml.safe_load(study_text(clips))["features"]
    paths = [str(path) for path in names]
    # Before and after: a machine that slows down on the way does it to both.
    loops = [_loops(paths, settings)]
    began = time.perf_counter()
    snakemake(folder / "copy", *targets, **config)
    wall = time.perf_counter() - began
    loops.append(_loops(paths, settings))
    loop = sum(loops) / len(loops)
    files = count * times
    return {
        "quick": quick,
        "files": files,
        "clip_seconds": CLIP_SECONDS,
        "rate": RATE,
        "format": FORMAT,
        "jobs": len(targets),
        "at_once": cores(),
        "different": count,
        "per_second": files / wall,
        "loop_per_second": loop,
        "ratio": files / wall / loop,
        "alone": alone,
    }


def _loops(paths: list[str], settings: dict[str, Any]) -> float:
    """Have as many loops at once as there are cores: files a second, of all together.

    Cores may share what computes, so that one loop alone says too much.
    """
    with ThreadPoolExecutor(cores()) as pool:
        found = [
            pool.submit(apart, "features", paths=paths, settings=settings) for _ in range(cores())
        ]
        return float(sum(one.result() for one in found))


def run(paths: list[str], settings: dict[str, Any]) -> float:
    """Compute MFCC of files one after the other, as a short script would; files a second."""
    import librosa
    from threadpoolctl import threadpool_limits

    def one(path: str) -> np.ndarray:
        samples, rate = librosa.load(path, sr=settings["rate"], duration=settings["duration"])
        return np.asarray(
            librosa.feature.mfcc(
                y=samples,
                sr=rate,
                n_mfcc=settings["n_mfcc"],
                n_mels=settings["n_mels"],
                n_fft=settings["n_fft"],
                hop_length=settings["hop"],
            )
        )

    # The first call compiles and imports.
    one(paths[0])
    with threadpool_limits(1):  # one core, as each of the jobs has
        began = time.perf_counter()
        for path in paths:
            one(path)
        return len(paths) / (time.perf_counter() - began)
