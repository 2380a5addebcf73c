"""The studies' training shapes on the accelerator of this machine, against its CPU.

Runs where there is no more than Keras, NumPy and one backend: the shapes are in `shapes.json`,
which `python -m benchmarks.devices` writes anew from the configuration.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import apart, epoch_timer, fastest

SHAPES = Path(__file__).with_name("shapes.json")
STEPS = 32
SECONDS = 4.0
# Sizes of the matrices whose product is the peak.
SIZES = {"cpu": (1024, 2048, 3072), "gpu": (4096, 8192, 16384), "tpu": (4096, 8192, 16384)}


def measure(folder: Path, *, quick: bool = False, only: str = "") -> dict[str, Any]:
    """Time epochs of every case on the CPU and on what else there is, each in its own process."""
    del folder  # nothing is written on the way
    backend, kind = find()
    if kind == "cpu":
        print("no accelerator was found: only the CPU is measured", flush=True)
    modes = [("cpu", "float32")]
    if kind != "cpu":
        modes += [(kind, "float32"), (kind, "mixed_bfloat16")]
    peaks = {
        f"{device} {precision}": apart(
            "devices", what="peak", backend=backend, device=device, precision=precision, quick=quick
        )
        for device, precision in modes
    }
    cases = json.loads(SHAPES.read_text(encoding="utf-8"))
    rows = []
    for name, case in dict(list(cases.items())[:1] if quick else cases.items()).items():
        if only not in name:
            continue
        measured = []
        for device, precision in modes:
            found = apart(
                "devices",
                what="epoch",
                backend=backend,
                device=device,
                precision=precision,
                quick=quick,
                case=case,
            )
            flops = found["flop"] * found["steps"] / found["seconds_per_epoch"]
            found["of_peak"] = flops / peaks[f"{device} {precision}"]
            measured.append(found)
            print(
                f"{name}, {device} {precision}: {found['seconds_per_epoch']:.3g} s an epoch, "
                f"{found['of_peak']:.1%} of the peak",
                flush=True,
            )
        rows.append({"name": name, "shape": case["shape"], "measured": measured})
    return {
        "quick": quick,
        "backend": backend,
        "accelerator": kind != "cpu",
        "steps": 2 if quick else STEPS,
        "peaks": peaks,
        "rows": rows,
    }


def find() -> tuple[str, str]:
    """Return the first backend that is installed and finds an accelerator, or else the first."""
    installed = [name for name in ("jax", "tensorflow") if importlib.util.find_spec(name)]
    kinds = {name: apart("devices", what="kind", backend=name, device="auto") for name in installed}
    return next(
        ((name, kind) for name, kind in kinds.items() if kind != "cpu"), (installed[0], "cpu")
    )


def run(what: str, backend: str, device: str, **options: Any) -> Any:
    """Do a part of `measure`, in a process of its own."""
    from lib.networks.backend import device_kind, load

    keras = load(backend, device=device)
    if what == "kind":
        return device_kind(backend)
    if what == "peak":
        return _peak(keras, device_kind(backend), **options)
    return _epoch(backend, device, **options)


def _peak(keras: Any, kind: str, *, precision: str, quick: bool) -> float:
    """Measure the matrix product at its best size in FLOP/s, 2 n³ operations each."""
    dtype = "float32" if precision == "float32" else precision.removeprefix("mixed_")
    rng = np.random.default_rng(0)
    found = []
    for n in (256,) if quick else SIZES[kind]:
        a = keras.ops.cast(rng.standard_normal((n, n), dtype=np.float32) / np.sqrt(n), dtype)
        count = 1 if kind == "cpu" else 8

        def multiply(a: Any = a, count: int = count) -> None:
            # One after the other, and one number of the last: nothing can be left out.
            b = a
            for _ in range(count):
                b = keras.ops.matmul(a, b)
            float(np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(b[0, 0], "float32"))))

        multiply()
        found.append(2 * n**3 * count / fastest(multiply, seconds=1.0))
    return max(found)


def _epoch(
    backend: str, device: str, *, precision: str, quick: bool, case: dict[str, Any]
) -> dict[str, Any]:
    """Train as the workflow does, without validation, and time the fastest epoch."""
    from benchmarks.products import flop, products
    from lib.networks.backend import device_name, load
    from lib.train.batches import batches
    from lib.train.data import Data
    from lib.train.recipe import Recipe
    from lib.train.trainer import Trainer
    from lib.train.training import Training

    rng = np.random.default_rng(0)
    batch, steps = case["hyperparameters"]["batch_size"], 2 if quick else STEPS
    x = rng.standard_normal((batch * steps, *case["shape"]), dtype=np.float32)
    labels = rng.integers(0, case["classes"], len(x))
    rows = np.arange(len(x))
    names = [str(number) for number in range(case["classes"])]
    trainer = Trainer(
        Data(x, labels, {"train": rows, "validation": rows[:2]}, names, []),
        Recipe(
            case["architecture"],
            case["hyperparameters"],
            Training(epochs=1),
            backend=backend,
            device=device,
            precision=precision,
        ),
    )
    keras = load(backend)
    targets = np.eye(case["classes"], dtype=np.float32)[labels]
    data = batches(keras, x, rows, targets, batch_size=batch, shuffle_seed=0)

    timer = epoch_timer(keras, seconds=0 if quick else SECONDS, skip=1)
    trainer.model.fit(data, epochs=50, verbose=0, callbacks=[timer])
    return {
        "batch": batch,
        "steps": steps,
        "flop": flop(products(trainer.model, batch)),
        "seconds_per_epoch": min(timer.epochs[1:]),
        "device": device_name(backend),
        "precision": precision,
    }


if __name__ == "__main__":
    from benchmarks.speed import cases

    SHAPES.write_text(json.dumps(cases(), indent=1) + "\n", encoding="utf-8")
