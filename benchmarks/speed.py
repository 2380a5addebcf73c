"""Achieved FLOP/s of every architecture at its study's full shapes, by backend.

A training takes one thread by default and a machine trains as many networks at once as it has
cores. So many are measured together here, and what they achieve is added up.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT, cores, epoch_timer, fastest, peak, together
from lib.config.settings import resolve
from lib.features import shape
from lib.files import read_yaml

BACKENDS = ("tensorflow", "jax")
SECONDS = 4.0


def cases(*, quick: bool = False) -> dict[str, dict[str, Any]]:
    """Return every architecture of every study: the first trial of its full grid, and its shape."""
    config = read_yaml(ROOT / "config" / "config.yaml") | {"effort": "demo" if quick else "full"}
    found = {}
    for name, study in resolve(config)["studies"].items():
        for architecture, trials in study["trials"].items():
            found[f"{name} {architecture}"] = {
                "architecture": architecture,
                "hyperparameters": next(iter(trials.values())),
                "shape": list(shape(**study["features"])),
                "classes": len(study["classes"]),
            }
    return dict(list(found.items())[:1]) if quick else found


def measure(folder: Path, *, quick: bool = False, only: str = "") -> dict[str, Any]:
    """Time training steps of every case on every backend, each in a process of its own."""
    del folder  # nothing is written on the way
    # At both ends: what a machine gives changes with what its neighbours do.
    peaks, rows = [peak(quick=quick)], []
    for name, case in cases(quick=quick).items():
        if only not in name:
            continue
        row: dict[str, Any] = {"name": name, "shape": case["shape"], "modes": {}}
        alone = together("limit", **case, quick=quick)
        row["alone"] = {what: sum(one[what] for one in alone) / len(alone) for what in alone[0]}
        for backend in BACKENDS:
            each = together("speed", **case, backend=backend, quick=quick)
            measured = ("seconds_per_step", "first_seconds", "data_share")
            found = each[0] | {key: sum(one[key] for one in each) / len(each) for key in measured}
            found["flops"] = sum(one["flop"] / one["seconds_per_step"] for one in each)
            row["modes"][backend] = found
            achieved = f"{found['flops'] / 1e9:.0f} of {peaks[0]['flops'] / 1e9:.0f} GFLOP/s"
            begin = f"{found['first_seconds']:.1f} s to begin"
            print(f"{name}, {backend}: {achieved}, {begin}", flush=True)
        rows.append(row)
    if not quick:
        peaks.append(peak())
    highest = max(peaks, key=lambda one: one["flops"])
    best = highest["flops"]
    for row in rows:
        row["peak_gflops"] = best / 1e9
        for found in row["modes"].values():
            found["of_peak"] = found["flops"] / best
    return {"quick": quick, "trainings": cores(), "peak": highest, "rows": rows}


def run(
    architecture: str,
    hyperparameters: dict[str, Any],
    shape: list[int],
    classes: int,
    backend: str,
    quick: bool,
) -> dict[str, Any]:
    """Train for some steps and give seconds a step, with what is spent on which part of it."""
    from benchmarks.products import flop, products
    from lib.networks.backend import load
    from lib.train.batches import batches, moments, scaler
    from lib.train.data import Data
    from lib.train.recipe import Recipe
    from lib.train.trainer import Trainer
    from lib.train.training import Training

    rng = np.random.default_rng(0)
    batch = hyperparameters["batch_size"]
    steps = 4
    x = rng.standard_normal((batch * steps, *shape), dtype=np.float32)
    labels = rng.integers(0, classes, len(x))
    rows = np.arange(len(x))
    trainer = Trainer(
        Data(
            x, labels, {"train": rows, "validation": rows[:2]}, list(map(str, range(classes))), []
        ),
        Recipe(architecture, hyperparameters, Training(epochs=1), backend=backend, threads=1),
    )
    needed = products(trainer.model, batch)
    keras = load(backend)
    targets = np.eye(classes, dtype=np.float32)[labels]
    # Scaled, filled up and weighted, as `Trainer` makes them where no layer normalises a batch.
    given: dict[str, Any] = {"batch_size": batch, "shuffle_seed": 0}
    given |= {"scale": scaler(*moments(x, rows)), "multiple": batch if backend == "jax" else 1}
    data = batches(keras, x, rows, targets, **given)
    began = time.perf_counter()
    trainer.model.fit(data, epochs=1, verbose=0)
    first = time.perf_counter() - began
    began = time.perf_counter()
    trainer.model.fit(data, epochs=1, verbose=0)
    second = time.perf_counter() - began

    # An epoch costs its own start: as many steps as make it small beside them.
    again = 1 if quick else max(1, min(200, round(1.5 / second)))
    rows = np.tile(np.arange(len(x)), again)
    data = batches(keras, x, rows, np.tile(targets, (again, 1)), **given)
    timer = epoch_timer(keras, seconds=0 if quick else SECONDS)
    trainer.model.fit(data, epochs=50, verbose=0, callbacks=[timer])
    each = min(timer.epochs) / len(data)
    return {
        "batch": batch,
        "flop": flop(needed),
        "seconds_per_step": each,
        "first_seconds": first,
        "steps": len(data) * len(timer.epochs),
        "data_share": fastest(lambda: data[0], seconds=0.2) / each,
    }
