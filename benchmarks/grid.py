"""What a grid costs beside its trainings: the wall time of a search over the sum of its fits."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.checkout import copy, snakemake
from benchmarks.machine import cores
from lib.files import read_json

SPACE = {"dropout": [0.2, 0.4], "learning_rate": [0.001, 0.0003]}
FIXED = {"filters": [64, 128, 64], "kernels": [5, 3, 3], "dense": [96], "batch_size": 128}
# Trainings of half a minute, and of more than one.
EPOCHS = (12, 36)
PROTOCOL = "published_without_202"


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Run grids through Snakemake on simulated beats; everything before them is made first."""
    copy(folder)
    space = {"dropout": [0.2]} if quick else SPACE
    fixed = {**FIXED, "filters": [4, 4, 4], "dense": [4]} if quick else FIXED
    rows = []
    for epochs in (1, 2) if quick else EPOCHS:
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
        runs = [read_json(path) for path in (folder / target).parent.glob("*/run.json")]
        fits = [run["train_seconds"] for run in runs]
        rows.append(
            {
                "epochs": epochs,
                "fit_seconds": sum(fits),
                "shortest_fit": min(fits),
                "wall_seconds": wall,
                # Where several fits run at once, their sum is shared among the cores.
                "ratio": wall * cores() / sum(fits),
            }
        )
        print(rows[-1], flush=True)
    return {
        "quick": quick,
        "network": "arrhythmia cnn",
        "trials": len(fits),
        "at_once": cores(),
        "rows": rows,
    }
