"""Training from a file that is larger than memory should be: peak memory, and waiting for data."""

from __future__ import annotations

import os
import resource
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import apart, cores

SHAPE = (64_000, 10_000, 2)
BLOCK = 500
"""Examples that are made at once; the file repeats them, since what they hold costs nothing."""
STEPS = 5
ROUNDS = 2


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Make the file, train from it on each backend, and delete it."""
    shape = (2_000, 1_000, 2) if quick else SHAPE
    needed = 4 * int(np.prod(shape))
    free = shutil.disk_usage(folder).free
    if free < 1.2 * needed:
        raise RuntimeError(
            f"{folder}: expected {1.2 * needed / 1e9:.1f} GB free, got {free / 1e9:.1f}. "
            "Name a larger place: python -m benchmarks memory --folder FOLDER"
        )
    file = folder / "examples.npy"
    try:
        _write(file, shape)
        rows = []
        for backend in ("tensorflow", "jax"):
            found = apart("memory", file=str(file), backend=backend, quick=quick)
            rows.append({"name": backend, **found})
            print(f"{backend}: {found}", flush=True)
    finally:
        file.unlink(missing_ok=True)
    return {"quick": quick, "shape": list(shape), "bytes": needed, "rows": rows}


def _write(file: Path, shape: tuple[int, ...]) -> None:
    """Write examples of noise, and drop them from the memory that caches files."""
    rng = np.random.default_rng(0)
    block = rng.standard_normal((min(BLOCK, shape[0]), *shape[1:]), dtype=np.float32)
    with file.open("wb") as out:
        np.lib.format.write_array_header_2_0(
            out, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        for start in range(0, shape[0], len(block)):
            out.write(block[: shape[0] - start].data)
        out.flush()
        os.fsync(out.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(file: str, backend: str, quick: bool) -> dict[str, Any]:
    """Train some steps from the file, and as many with one batch that is there already."""
    from lib.examples.arrays import open_examples
    from lib.networks.backend import load
    from lib.train.batches import batches, moments
    from lib.train.data import Data
    from lib.train.recipe import Recipe
    from lib.train.trainer import Trainer
    from lib.train.training import Training

    x = open_examples(file)
    if quick:
        import lib.train.batches

        lib.train.batches.IN_MEMORY = 0
    count, batch, classes = len(x), 32, 6
    labels = np.arange(count) % classes
    rows = np.random.default_rng(0).permutation(count)
    train, validation = np.sort(rows[: count * 4 // 5]), np.sort(rows[count * 4 // 5 :])
    began = time.perf_counter()
    moments(x, train)
    prepared = time.perf_counter() - began
    trainer = Trainer(
        Data(x, labels, {"train": train, "validation": validation}, list("abcdef"), []),
        Recipe(
            "cnn_lstm",
            {"filters": [64, 128], "dense": [128], "batch_size": batch},
            Training(epochs=1),
            backend=backend,
            threads=cores(),
        ),
    )
    keras, steps = load(backend), 2 if quick else STEPS
    targets = np.eye(classes, dtype=np.float32)[labels[train]]
    data = batches(keras, x, train, targets, batch_size=batch, shuffle_seed=0)
    held = data[0]

    class Held(keras.utils.PyDataset):  # type: ignore[name-defined]
        """Return the same batch each time."""

        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
            return held

    def timed(source: Any) -> float:
        """Return seconds a step between the ends of the first and of the last one."""
        ends: list[float] = []
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda step, logs: ends.append(time.perf_counter())
        )
        trainer.model.fit(source, steps_per_epoch=steps + 1, verbose=0, callbacks=[note])
        return (ends[-1] - ends[0]) / steps

    timed(Held())
    # Turn about: a machine that slows down or speeds up on the way does it to both.
    pairs = [(timed(data), timed(Held())) for _ in range(1 if quick else ROUNDS)]
    from_file, from_memory = map(min, zip(*pairs, strict=True))
    return {
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "prepare_seconds": prepared,
        "seconds_per_step": from_file,
        "seconds_per_step_without_data": from_memory,
        "waiting": max(0.0, 1 - from_memory / from_file),
        "steps": steps * len(pairs),
        "batch": batch,
        "rows_in_order": int(np.sum(np.diff(data.order) == 1)),
        "train": len(train),
    }
