"""Several seeds of a network in one program, by `jax.vmap`, against one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.devices import SHAPES, find
from benchmarks.machine import apart, fastest

SEEDS = 5
SECONDS = 2.0


def measure(folder: Path, *, quick: bool = False, only: str = "") -> dict[str, Any]:
    """Time both for every case, each in a process of its own, with one thread on a CPU."""
    del folder  # nothing is written on the way
    cases = json.loads(SHAPES.read_text(encoding="utf-8"))
    rows = []
    for name, case in dict(list(cases.items())[:1] if quick else cases.items()).items():
        if only not in name:
            continue
        found = apart("seeds", **case, quick=quick, blas_threads=1)
        rows.append({"name": name, "shape": case["shape"], **found})
        print(f"{name}: {found['one']:.2e} s one, {found['together']:.2e} s together", flush=True)
    return {"quick": quick, "seeds": SEEDS, "device": find()[1], "rows": rows}


def run(
    architecture: str, hyperparameters: dict[str, Any], shape: list[int], classes: int, quick: bool
) -> dict[str, float]:
    """Time one step of gradient descent of one seed, and of all of them at once, in seconds."""
    from lib.networks.backend import device_kind, load

    load("jax", threads=1)
    import jax
    from jax import numpy as jnp

    from lib.networks.cpu import quicken
    from lib.networks.models import build

    time, channels = shape
    given: dict[str, Any] = {"shape": (time, channels), "classes": classes, "backend": "jax"}
    model = build(architecture, hyperparameters, **given)
    if device_kind("jax") == "cpu":
        quicken(model)
    rng, batch = np.random.default_rng(0), hyperparameters["batch_size"]
    x = jnp.asarray(rng.standard_normal((batch, *shape), dtype=np.float32))
    y = jnp.asarray(np.eye(classes, dtype=np.float32)[rng.integers(0, classes, batch)])

    def loss(trained: Any, others: Any, x: Any, y: Any) -> Any:
        probabilities, others = model.stateless_call(trained, others, x, training=True)
        return -(y * jnp.log(probabilities + 1e-7)).sum(axis=1).mean(), others

    def step(trained: Any, others: Any, x: Any, y: Any) -> Any:
        gradients, others = jax.grad(loss, has_aux=True)(trained, others, x, y)
        return jax.tree.map(lambda w, g: w - 0.001 * g, trained, gradients), others

    state = [
        [variable.value for variable in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    ]
    one = (*state, x, y)
    every = jax.tree.map(lambda value: jnp.stack([value] * SEEDS), one)
    seconds = 0.0 if quick else SECONDS

    def timed(function: Any, given: Any) -> float:
        ready = jax.jit(function)
        return fastest(lambda: jax.block_until_ready(ready(*given)), seconds=seconds)

    return {
        "batch": batch,
        "one": timed(step, one),
        "together": timed(jax.vmap(step), every),
    }
