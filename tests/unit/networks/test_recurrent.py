"""The gradient that is written out is the gradient of the layer of Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.networks.models import build
from lib.networks.recurrent import LOOPS, WIDEST, differentiate

pytestmark = pytest.mark.usefixtures("keras")

CASES = {
    "stacked": {"units": [5, 3]},
    "dropout": {"units": [5], "dropout": 0.3},
    "recurrent dropout": {"units": [5], "recurrent_dropout": 0.4},
    "all": {"units": [4, 3], "dropout": 0.2, "recurrent_dropout": 0.4, "bidirectional": True},
}


def gradients(model: Any, x: np.ndarray, *, training: bool) -> list[np.ndarray]:
    """Return the outputs of a model, and the gradients of a loss that weighs them all."""
    weights = np.arange(1.0, 1 + len(x) * 3, dtype=np.float32).reshape(len(x), 3)
    of = _gradients_jax if backend() == "jax" else _gradients_tensorflow
    # Dropout draws from the state of its generator, which moves on.
    before = [np.array(variable) for variable in model.variables]
    outputs, found = of(model, x, weights, training)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    return [np.asarray(value) for value in (outputs, *found)]


def backend() -> str:
    import keras

    return keras.backend.backend()


def _gradients_tensorflow(
    model: Any, x: np.ndarray, weights: np.ndarray, training: bool
) -> tuple[Any, list[Any]]:
    import tensorflow as tf

    @tf.function
    def run() -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            outputs = model(tf.constant(x), training=training)
            loss = tf.reduce_sum(weights * outputs**2)
        return outputs, tape.gradient(loss, model.trainable_variables)

    return run()


def _gradients_jax(
    model: Any, x: np.ndarray, weights: np.ndarray, training: bool
) -> tuple[Any, list[Any]]:
    import jax

    others = [variable.value for variable in model.non_trainable_variables]

    def loss(trained: list[Any]) -> tuple[Any, Any]:
        outputs, _ = model.stateless_call(trained, others, x, training=training)
        return (weights * outputs**2).sum(), outputs

    run = jax.value_and_grad(loss, has_aux=True)
    values = [variable.value for variable in model.trainable_variables]
    (_, outputs), found = jax.jit(run)(values)
    return outputs, found


def compare(architecture: str, case: str) -> None:
    """Compare a network with itself, as Keras differentiates it and as we do."""
    back: list[str] = []
    model = build(architecture, CASES[case], shape=(7, 2), classes=3, backend=backend())
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        # Biases begin as zeros, which would hide where they go.
        variable.assign(variable + rng.normal(0, 0.1, variable.shape))
    x = rng.standard_normal((6, 7, 2), dtype=np.float32)
    expected = [gradients(model, x, training=t) for t in (True, False)]
    with pytest.MonkeyPatch.context() as patched:
        for name, loop in LOOPS.items():
            counted = replace(loop, back=lambda *a, f=loop.back: (back.append("taken"), f(*a))[1])
            patched.setitem(LOOPS, name, counted)
        differentiate(model, 6)
    found = [gradients(model, x, training=t) for t in (True, False)]
    halves = 1 + CASES[case].get("bidirectional", False)
    assert len(back) == 2 * halves * len(CASES[case]["units"])
    for one, other in zip(chain(*found), chain(*expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("architecture", ["simple_rnn", "lstm", "gru"])
def test_outputs_and_gradients_are_those_of_keras(architecture: str, case: str) -> None:
    compare(architecture, case)


# Each layer has a loop of its own; how layers are stacked and turned is the same for all.
@pytest.mark.parametrize(
    ("case", "architectures"),
    [
        ("recurrent dropout", ("simple_rnn", "lstm", "gru")),
        pytest.param("all", ("lstm",), marks=pytest.mark.slow),
    ],
)
def test_outputs_and_gradients_are_those_of_keras_on_jax(
    case: str, architectures: tuple[str, ...], python: Callable[..., str]
) -> None:
    code = (
        "import sys; from lib.networks.backend import load; load('jax')\n"
        "from tests.unit.networks.test_recurrent import compare\n"
        "for name in sys.argv[2:]:\n"
        "    compare(name, sys.argv[1])"
    )
    python(code, case, *architectures)


def test_a_model_is_saved_as_one_of_keras(tmp_path: Path, keras: Any) -> None:
    model = build("lstm", CASES["all"], shape=(7, 2), classes=3)
    x = np.random.default_rng(0).standard_normal((4, 7, 2), dtype=np.float32)
    differentiate(model, 6)
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-5)
    assert type(again.layers[1].forward_layer) is keras.layers.LSTM


def test_half_precision_is_left_to_keras() -> None:
    model = build("gru", {"units": [3]}, shape=(7, 2), classes=3, precision="mixed_bfloat16")
    before = model.layers[1].inner_loop
    differentiate(model, 6)
    assert model.layers[1].inner_loop == before


def test_what_is_too_wide_or_not_marked_is_left_to_keras(keras: Any) -> None:
    model = build("lstm", {"units": [5, 3]}, shape=(7, 2), classes=3)
    wide, narrow = model.layers[1:3]
    before = wide.inner_loop
    differentiate(model, WIDEST // 4)
    assert wide.inner_loop == before
    assert narrow.inner_loop.__func__ is not type(narrow).inner_loop
    inputs = keras.Input((7, 2))
    plain = keras.Model(inputs, keras.layers.LSTM(3, activation="relu")(inputs))
    before = plain.layers[1].inner_loop
    differentiate(plain, 1)
    assert plain.layers[1].inner_loop == before
