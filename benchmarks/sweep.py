"""A Bayesian sweep of 48 trials against all cells of its space: epochs spent, and loss reached.

Every cell of the space is trained once, to its last epoch. A training is the same every time, so a
sweep that is shown these learning curves, epoch by epoch, does what it would have done itself: many
sweeps with several settings can be looked at for the price of one exhaustive search.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checkout import copy, snakemake
from benchmarks.machine import apart, cores
from lib.search.bayes import Sweep, work
from lib.search.spaces import grid_trials
from lib.train.data import Data, read_search_data
from lib.train.recipe import Recipe
from lib.train.training import Training

PROTOCOL = "published_without_202"
FIXED = {"batch_normalization": False, "kernels": [5, 3]}
SPACE: dict[str, list[Any]] = {
    "filters": [[8, 16], [16, 32]],
    "dense": [[16], [32]],
    "dropout": [0.2, 0.4],
    "learning_rate": [0.0003, 0.001, 0.003, 0.01],
    "batch_size": [16, 32, 64],
}
EPOCHS, TRIALS = 10, 48
SEED = 0
# What is compared: stopping, min_epochs and factor of a search; the first is the default.
SETTINGS = (
    ("halving", 1, 3),
    ("halving", 1, 4),
    ("hyperband", 1, 3),
    ("hyperband", 3, 3),
)


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Train all cells, then sweep with each setting and several seeds of the sampler."""
    checkout = copy(folder / "checkout")
    for name in ("audit.json", "split.parquet"):
        target = f"results/arrhythmia/{PROTOCOL}/{name}"
        scale = 0.01 if quick else 1.0
        snakemake(checkout, target, studies="arrhythmia", simulation={"scale": scale})
    began = time.perf_counter()
    results = str(checkout / "results" / "arrhythmia")
    count = 1 if quick else cores()

    def train(share: int) -> dict[str, list[float]]:
        found = apart("sweep", results=results, share=share, shares=count, quick=quick)
        assert isinstance(found, dict)
        return found

    with ThreadPoolExecutor(count) as pool:
        shares = list(pool.map(train, range(count)))
    curves = {name: curve for share in shares for name, curve in share.items()}
    trained = time.perf_counter() - began
    return {"train_seconds": trained, **replays(folder, curves, quick=quick)}


def replays(folder: Path, curves: dict[str, list[float]], *, quick: bool = False) -> dict[str, Any]:
    """Sweep through cells whose learning curves are known, with every setting and several seeds."""
    best = min(min(curve) for curve in curves.values())
    rows = []
    trials, sweeps = (3, 1) if quick else (TRIALS, 8)
    for setting in SETTINGS[:2] if quick else SETTINGS:
        name = ", ".join(map(str, setting))
        stopping, min_epochs, factor = setting
        sweep = partial(
            Sweep, _space(quick), trials, stopping=stopping, min_epochs=min_epochs, factor=factor
        )
        results = [
            _sweep(folder / f"{name} {seed}", curves, sweep(seed=seed)) for seed in range(sweeps)
        ]
        epochs, losses = map(np.array, zip(*results, strict=True))
        row = {
            "name": name,
            "epochs_share": float(np.median(epochs)) / (trials * _epochs(quick)),
            "largest_share": int(epochs.max()) / (trials * _epochs(quick)),
            "excess": float(np.median(losses)) / best - 1,
            "within_2_percent": float(np.mean(losses <= 1.02 * best)),
        }
        rows.append(row)
        print(row, flush=True)
    return {
        "quick": quick,
        "cells": len(curves),
        "trials": trials,
        "epochs": _epochs(quick),
        "sweeps": sweeps,
        "best": best,
        "rows": rows,
        "curves": curves,
    }


def _space(quick: bool) -> dict[str, list[Any]]:
    return {name: choices[:1] if quick else choices for name, choices in SPACE.items()} | (
        {"learning_rate": [0.001, 0.01]} if quick else {}
    )


def _epochs(quick: bool) -> int:
    return 2 if quick else EPOCHS


def run(results: str, share: int, shares: int, quick: bool) -> dict[str, list[float]]:
    """Train some of the cells and give the validation losses of their epochs."""
    from lib.files import read_yaml
    from lib.train.trainer import Trainer

    study = read_yaml(Path(__file__).parents[1] / "config" / "studies" / "arrhythmia.yaml")
    folder = Path(results)
    data = read_search_data(
        folder / "examples.npy",
        folder / "examples.parquet",
        folder / PROTOCOL / "split.parquet",
        classes=list(study["classes"]),
        scored=study["scored"],
    )
    found = {}
    for name, values in list(grid_trials("cnn", FIXED, _space(quick)).items())[share::shares]:
        trainer = Trainer(data, Recipe("cnn", values, Training(epochs=_epochs(quick)), threads=1))
        found[name] = [row["val_loss"] for row in trainer.fit(SEED).history]
    return found


def _sweep(folder: Path, curves: dict[str, list[float]], sweep: Sweep) -> tuple[int, float]:
    """Search with learning curves that are known, and give epochs spent and the loss reached."""
    spent: dict[str, int] = {}
    losses: list[float] = []

    def replay(folder: Path, data: Data, recipe: Recipe, **options: Any) -> dict[str, Any]:
        name = options["identity"]["trial"]
        curve, state = curves[name], "complete"
        for epoch, loss in enumerate(curve, start=1):
            if epoch < len(curve) and options["stops"](epoch, loss):
                state = "pruned"
                break
        spent[name] = epoch
        if state == "complete":
            losses.append(min(curve))
        metrics = {"validation": {"loss": min(curve[:epoch])}}
        return {"state": state, "metrics": metrics, "epochs": epoch}

    nothing = np.zeros(0, int)
    data = Data(np.zeros((0, 1, 1)), nothing, {"train": nothing, "validation": nothing}, [], [])
    identity = {"study": "arrhythmia"}
    epochs = max(map(len, curves.values()))
    work(
        folder,
        data,
        Recipe("cnn", FIXED, Training(epochs=epochs)),
        sweep,
        worker=0,
        identity=identity,
        store=folder,
        train=replay,
    )
    return sum(spent.values()), min(losses)
