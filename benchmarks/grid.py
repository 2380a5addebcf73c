"""What a grid costs beside its trainings: the wall time of a search, and of its fits alone.

Alone means a loop in one process that has loaded all it needs, each fit on all cores: the loop that
people write. Through Snakemake each trial is a process, and as many run at once as there are cores.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.checkout import copy, snakemake
from benchmarks.machine import apart, cores
from lib.files import read_json
from lib.train.data import read_search_data
from lib.train.recipe import Recipe
from lib.train.trainer import Trainer
from lib.train.training import Training

SPACE = {"dropout": [0.2, 0.4], "learning_rate": [0.001, 0.0005, 0.0003]}
FIXED = {"filters": [64, 128, 64], "kernels": [5, 3, 3], "dense": [96], "batch_size": 128}
# Trainings of about 20 s alone; with more epochs what is beside them weighs less.
EPOCHS = 24
PROTOCOL = "published_without_202"


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Run a grid through Snakemake on simulated beats; everything before it is made first."""
    copy(folder)
    epochs = 1 if quick else EPOCHS
    space = {"dropout": [0.2]} if quick else SPACE
    fixed = {**FIXED, "filters": [4, 4, 4], "dense": [4]} if quick else FIXED
    # The full effort, so that nothing of the demo is laid over what is written here.
    settings = {
        "arrhythmia": {
            "architectures": {"cnn": {"fixed": fixed, "space": space}},
            "training": {"epochs": epochs, "early_stopping": 0},
        }
    }
    config = {
        "studies": "arrhythmia",
        "effort": "full",
        "settings": settings,
        "simulation": {"scale": 0.01 if quick else 1.0},
    }
    for name in ("audit.json", "split.parquet"):
        snakemake(folder, f"results/arrhythmia/{PROTOCOL}/{name}", **config)
    target = "results/arrhythmia/search/cnn/best.json"
    began = time.perf_counter()
    snakemake(folder, target, **config)
    wall = time.perf_counter() - began
    fits = [
        read_json(path)["train_seconds"] for path in (folder / target).parent.glob("*/run.json")
    ]
    alone = apart("grid", folder=str(folder))
    return {
        "quick": quick,
        "network": "arrhythmia cnn",
        "trials": len(fits),
        "at_once": cores(),
        "epochs": epochs,
        "alone_seconds": sum(alone),
        "shortest_alone": min(alone),
        "wall_seconds": wall,
        "ratio": wall / sum(alone),
        # Of what the cores did, how much was fits: several at once share them.
        "share": sum(fits) / (wall * cores()),
    }


def run(folder: str) -> list[float]:
    """Train each trial of a finished search once more, and give the seconds in epochs of each."""
    study = Path(folder) / "results" / "arrhythmia"
    runs = [read_json(path) for path in sorted((study / "search" / "cnn").glob("*/run.json"))]
    data = read_search_data(
        study / "examples.npy",
        study / "examples.parquet",
        study / PROTOCOL / "split.parquet",
        classes=runs[0]["classes"],
        scored=runs[0]["scored"],
    )
    seconds = []
    for one in runs:
        trainer = Trainer(
            data,
            Recipe(
                one["architecture"],
                one["hyperparameters"],
                Training(**one["training"]),
                threads=cores(),
            ),
        )
        seconds.append(trainer.fit(one["seed"]).seconds)
    return seconds
