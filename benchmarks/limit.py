"""How long the matrix products and the activations of a training step take on their own."""

from __future__ import annotations

from collections.abc import Callable
from operator import matmul
from typing import Any

import numpy as np

from benchmarks.machine import fastest
from benchmarks.products import Activation, Product, activations, products

SECONDS = 0.1


def run(
    architecture: str, hyperparameters: dict[str, Any], shape: list[int], classes: int, quick: bool
) -> dict[str, float]:
    """Time both at the sizes of a network, in seconds a step."""
    from lib.networks.backend import load
    from lib.networks.models import build

    load("jax", threads=1, device="cpu")
    given = {"shape": tuple(shape), "classes": classes, "backend": "jax"}
    model = build(architecture, hyperparameters, **given)  # type: ignore[arg-type]
    batch, seconds = hyperparameters["batch_size"], 0.0 if quick else SECONDS
    return {
        "products": sum(_product(one, seconds=seconds) for one in products(model, batch)),
        "activations": sum(_activation(one, seconds=seconds) for one in activations(model, batch)),
    }


def _product(one: Product, seconds: float) -> float:
    """Time a product of every step, forwards and back, by whichever is faster: XLA or BLAS.

    That of each step needs the one before. The gradients of the weights do not: of all steps
    together they are one product.
    """
    x, w, g = (
        np.ones(size, np.float32)
        for size in (
            (one.times, one.rows, one.inner),
            (one.inner, one.columns),
            (one.times, one.rows, one.columns),
        )
    )
    turned = np.ascontiguousarray(w.T)
    total = _faster(_each, x, w, seconds=seconds, blas=_loop)
    if one.backward == 2:
        total += _faster(_each, g, turned, seconds=seconds, blas=_loop)
    a, b = x.reshape(-1, one.inner).T, g.reshape(-1, one.columns)
    return total + _faster(matmul, a, b, seconds=seconds, blas=matmul)


def _each(x: Any, w: Any) -> Any:
    import jax

    return jax.lax.scan(lambda _, one: (None, one @ w), None, x)[1]


def _loop(x: np.ndarray, w: np.ndarray) -> None:
    for one in x:
        one @ w


def _activation(one: Activation, seconds: float) -> float:
    """Time an activation at every step."""
    import jax

    function = {"tanh": jax.numpy.tanh, "relu": jax.nn.relu, "softmax": jax.nn.softmax}[one.name]
    x = np.ones((one.times, one.rows, one.columns), np.float32)
    return _compiled(
        lambda x: jax.lax.scan(lambda _, one: (None, function(one)), None, x)[1], x, seconds=seconds
    )


def _faster(
    function: Callable[..., Any], *given: np.ndarray, seconds: float, blas: Callable[..., Any]
) -> float:
    by_blas = fastest(lambda: blas(*given), seconds=seconds)
    return min(by_blas, _compiled(function, *given, seconds=seconds))


def _compiled(function: Callable[..., Any], *given: np.ndarray, seconds: float) -> float:
    import jax

    here = [jax.numpy.asarray(one) for one in given]
    ready = jax.jit(function).lower(*here).compile()
    return fastest(lambda: jax.block_until_ready(ready(*here)), seconds=seconds)
