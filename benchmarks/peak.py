"""The float32 matrix product at its best size, by every library that a training may use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.machine import fastest


def run(library: str, quick: bool) -> dict[str, Any]:
    """Measure the product of two n × n matrices, 2 n³ operations, at the best of three sizes.

    Parameters
    ----------
    library : {"numpy", "jax", "tensorflow"}
        Whose product; each takes as many threads as it does by itself.
    quick : bool
        Whether one small size is enough.

    Returns
    -------
    dict
        `flops`, operations per second, and `kernel`, what numpy's BLAS says it computes with.
    """
    rng = np.random.default_rng(0)
    best = 0.0
    for n in (256,) if quick else (1024, 2048, 3072):
        a, b = rng.random((2, n, n), dtype=np.float32)
        best = max(best, 2 * n**3 / fastest(_product(library, a, b), seconds=1.0))
    return {"flops": best, "kernel": _kernel()}


def _product(library: str, a: np.ndarray, b: np.ndarray) -> Callable[[], Any]:
    if library == "numpy":
        out = np.empty_like(a)
        return lambda: np.matmul(a, b, out=out)
    if library == "jax":
        import jax

        multiply = jax.jit(lambda a, b: a @ b)
        ours, theirs = jax.device_put(a), jax.device_put(b)
        return lambda: multiply(ours, theirs).block_until_ready()
    import tensorflow as tf

    ours, theirs = tf.constant(a), tf.constant(b)
    return lambda: tf.matmul(ours, theirs).numpy()


def _kernel() -> str:
    """Name the BLAS of numpy, the kernel it chose for this CPU, and its threads."""
    from threadpoolctl import threadpool_info

    blas = [one for one in threadpool_info() if one["user_api"] == "blas"]
    return ", ".join(
        f"{one['internal_api']} {one['version']} ({one.get('architecture', 'unknown')}, "
        f"{one['num_threads']} threads)"
        for one in blas
    )
