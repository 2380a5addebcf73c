"""A block that is one operation gives what its layers give one by one, and the same gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

from lib.networks import cpu
from lib.networks.blocks import Block, _moments, blocks
from lib.networks.cpu import quicken
from lib.networks.models import build

TWO: dict[str, Any] = {"filters": [4, 5], "kernels": [3, 3], "pool": 2}
ONE: dict[str, Any] = {"filters": [6], "kernels": [5]}
CASES: list[tuple[str, dict[str, Any], int]] = [
    ("cnn", TWO | {"dropout": 0.3}, 13),
    ("cnn", TWO, 12),
    ("cnn", ONE | {"pool": 4, "dropout": 0.5, "batch_normalization": False}, 23),
    ("cnn", ONE | {"pool": 3, "batch_normalization": False}, 11),
    ("cnn", ONE | {"pool": 1, "dropout": 0.2, "pooling": "attention"}, 8),
    ("cnn_lstm", TWO | {"units": [3]}, 18),
]
"""Networks that have blocks, their hyperparameters, and the steps of an example."""


def make(number: int) -> Any:
    """Build a network of the cases, with weights that are drawn anew, as they are for no start."""
    architecture, values, time = CASES[number]
    model = build(architecture, values, shape=(time, 2), classes=3, backend="jax")
    rng = np.random.default_rng(number)
    for variable in model.trainable_variables:
        variable.assign(0.4 * rng.standard_normal(variable.shape))
    return model


def step(model: Any, *, training: bool) -> Any:
    """Return probabilities, all that is not trained, and in training the gradients of a batch."""
    import jax

    for variable in model.non_trainable_variables:
        if variable.dtype == "uint32":  # what dropout draws from
            variable.assign([1, 2])
    rng = np.random.default_rng(1)
    x = rng.standard_normal((7, *model.input_shape[1:]), dtype=np.float32)
    weights = rng.standard_normal((7, 3), dtype=np.float32)

    trained, others = (
        [one.value for one in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    )
    if not training:
        return jax.jit(partial(model.stateless_call, training=False))(trained, others, x)

    def total(trained: Any, x: Any, others: Any) -> Any:
        outputs, others = model.stateless_call(trained, others, x, training=training)
        return (weights * outputs).sum(), (outputs, others)

    gradient = jax.value_and_grad(total, argnums=(0, 1), has_aux=True)
    (_, beside), gradients = jax.jit(gradient)(trained, x, others)
    return beside, gradients


def compare(number: int) -> None:
    """Compare all that a step computes, while it is trained and afterwards."""
    import jax

    plain, joined = make(number), make(number)
    # The same dropout in both, layer by layer in one.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "blocks", lambda model: [])
        quicken(plain)
    quicken(joined)
    found = list(blocks(joined))
    assert len(found) == len(CASES[number][1]["filters"])
    for training in (True, False):
        for one, other in zip(
            *(jax.tree.leaves(step(model, training=training)) for model in (plain, joined)),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    # Gradients that are zero would be equal, too: those of biases before normalisation are.
    _, (gradients, _) = step(joined, training=True)
    assert sum(np.abs(one).max() > 1e-2 for one in gradients) > len(gradients) / 2


def moments() -> None:
    """Compare moments with those in 64 bits, of channels whose means are near 0 and far from it."""
    rng = np.random.default_rng(0)
    for mean in (0.0, 3.0, 1e3, [0.0, -3.0, 1e3]):
        z = (rng.standard_normal((9, 400, 3)) + mean).astype(np.float32)
        found, exact = _moments(z), z.astype(float)
        np.testing.assert_allclose(found[0], exact.mean((0, 1)), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(found[1], exact.var((0, 1)), rtol=1e-4)
    assert np.asarray(_moments(np.full((4, 5, 2), 7.0, np.float32))[1]).max() < 1e-6


def spread() -> None:
    """Have a value that is no number reach the loss, wherever in a window it is."""
    model = make(1)
    quicken(model)
    x = np.zeros((2, 12, 2), np.float32)
    for place in range(4):
        bad = x.copy()
        bad[0, place] = np.nan
        assert np.isnan(np.asarray(model(bad, training=True))).all()
        assert np.isnan(np.asarray(model(bad)[0])).all()


def half() -> None:
    """Compare a network that computes in 16 bits, of which eight are of the number itself."""
    import jax

    options: dict[str, Any] = {"classes": 3, "backend": "jax", "precision": "mixed_bfloat16"}
    plain, joined = (build("cnn", TWO, shape=(12, 2), **options) for _ in range(2))
    joined.set_weights(plain.get_weights())
    quicken(joined)
    found = [block.pool.compute_dtype for block in blocks(joined)]
    assert found == ["bfloat16"] * len(TWO["filters"])
    results = (jax.tree.leaves(step(model, training=True)) for model in (plain, joined))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.05)


def leave() -> None:
    """Have blocks of other layers stay as they are."""
    import keras

    def found(
        *, strides: int = 2, slope: float = 0.0, between: bool = False, **options: Any
    ) -> list[Block]:
        inputs = x = keras.Input((12, 2))
        x = keras.layers.BatchNormalization()(keras.layers.Conv1D(4, 3, **options)(x))
        x = keras.layers.ReLU(negative_slope=slope)(x)
        x = keras.layers.Activation("tanh")(x) if between else x
        return list(blocks(keras.Model(inputs, keras.layers.MaxPooling1D(2, strides)(x))))

    assert found(strides=1) == found(slope=0.1) == found(between=True) == []
    assert [block.convolution.filters for block in found()] == [4]
    for options in ({"use_bias": False}, {"activation": "tanh"}, {"padding": "causal"}):
        (block,) = found(**options)
        assert block.norm and not block.convolution, options


@pytest.mark.parametrize(
    "cases", [(0, 2), pytest.param(range(len(CASES)), marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_what_a_step_computes_is_what_the_layers_compute(
    cases: Sequence[int], in_jax: Callable[[str], str]
) -> None:
    in_jax(f"for number in {tuple(cases)}: here.compare(number)")


def test_moments_are_exact_wherever_the_mean_is(in_jax: Callable[[str], str]) -> None:
    in_jax("here.moments()")


def test_what_is_no_number_stays_so(in_jax: Callable[[str], str]) -> None:
    in_jax("here.spread()")


def test_16_bits_are_kept_where_they_are_asked_for(in_jax: Callable[[str], str]) -> None:
    in_jax("here.half()")


def test_other_blocks_are_left_as_they_are(in_jax: Callable[[str], str]) -> None:
    in_jax("here.leave()")
