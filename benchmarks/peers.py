"""Each study's network at its full shapes: PyTorch, plain Keras and Heldout, in turn.

PyTorch lies in an environment of its own, which the first run makes in `.cache/peers`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT, apart, epoch_timer, surroundings
from benchmarks.speed import cases
from lib.networks.backend import choose_backend

ENVIRONMENT = ROOT / ".cache" / "peers"
PACKAGES = ("torch==2.14.1", "numpy")
ROUNDS = 3
SECONDS = 5.0


def measure(folder: Path, *, quick: bool = False, only: str = "") -> dict[str, Any]:
    """Time a training step of every case by each of the three, one thread each, in turn."""
    del folder  # nothing is written on the way
    python = environment()
    rows = []
    for name, case in cases(quick=quick).items():
        if only not in name:
            continue
        backend = choose_backend("auto")
        times: dict[str, list[float]] = {"pytorch": [], "keras": [], "heldout": []}
        for _ in range(1 if quick else ROUNDS):
            times["pytorch"].append(_torch(python, case, quick=quick))
            times["keras"].append(apart("peers", **case, quick=quick, blas_threads=1))
            ours = apart("speed", **case, backend=backend, quick=quick, blas_threads=1)
            times["heldout"].append(ours["seconds_per_step"])
        rows.append({"name": name, "shape": case["shape"], "backend": backend, "seconds": times})
        rows[-1]["batch"] = case["hyperparameters"]["batch_size"]
        middle = {who: statistics.median(some) for who, some in times.items()}
        told = ", ".join(f"{who} {1000 * value:.2f} ms" for who, value in middle.items())
        print(f"{name}: {told}", flush=True)
    return {"quick": quick, "packages": list(PACKAGES), "rows": rows}


def environment() -> Path:
    """Make the environment of PyTorch unless it is there, and return its Python."""
    python = ENVIRONMENT / "bin" / "python"
    ready = ENVIRONMENT / ".ready"
    wanted = "\n".join(PACKAGES)
    if not ready.is_file() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        # Most of its modules are never imported: neither compiles them.
        ours = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
        if subprocess.run([*ours, *PACKAGES], check=False).returncode:
            theirs = [str(python), "-m", "pip", "install", "--quiet", "--no-compile"]
            subprocess.run([*theirs, *PACKAGES], check=True)
        ready.write_text(wanted)
    return python


def _torch(python: Path, case: dict[str, Any], *, quick: bool) -> float:
    script = Path(__file__).with_name("peer_torch.py")
    options = json.dumps({"case": case, "seconds": 0 if quick else SECONDS})
    done = subprocess.run(
        [str(python), str(script), options],
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"PyTorch:\n{done.stdout}\n{done.stderr}")
    return float(json.loads(done.stdout.rstrip().rpartition("\n")[2])["seconds_per_step"])


def run(
    architecture: str,
    hyperparameters: dict[str, Any],
    shape: list[int],
    classes: int,
    quick: bool,
) -> float:
    """Train as the original projects call Keras: float64 arrays, `fit`, TensorFlow, one thread."""
    import tensorflow as tf

    from lib.networks.backend import load
    from lib.networks.models import build

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras = load("tensorflow")
    rng = np.random.default_rng(0)
    batch, steps = hyperparameters["batch_size"], 4
    x = rng.standard_normal((batch * steps, *shape))
    y = np.eye(classes)[rng.integers(0, classes, len(x))]
    time, channels = shape
    model = build(architecture, hyperparameters, shape=(time, channels), classes=classes)
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss="categorical_crossentropy")
    timer = epoch_timer(keras, seconds=0 if quick else SECONDS, skip=1)
    model.fit(x, y, batch_size=batch, epochs=10**6, verbose=0, callbacks=[timer])
    return float(min(timer.epochs[1:] or timer.epochs)) / steps
