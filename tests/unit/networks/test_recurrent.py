"""The gradient that is written out is the gradient of the layer of Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from lib.networks.models import build
from lib.networks.recurrent import LOOPS, differentiate

CASES = {
    "stacked": {"units": [5, 3]},
    "dropout": {"units": [5], "dropout": 0.3},
    "recurrent dropout": {"units": [5], "recurrent_dropout": 0.4},
    # Computed as 32, of which one is always 0.
    "widened": {"units": [31], "recurrent_dropout": 0.4, "bidirectional": True},
    "all": {"units": [4, 3], "dropout": 0.2, "recurrent_dropout": 0.4, "bidirectional": True},
}


def network(architecture: str, case: str, **options: Any) -> Any:
    return build(architecture, CASES[case], shape=(7, 2), classes=3, backend="jax", **options)


def gradients(model: Any, x: np.ndarray, *, training: bool) -> list[np.ndarray]:
    """Return the outputs of a model, and the gradients of a loss that weighs them all."""
    import jax

    weights = np.arange(1.0, 1 + len(x) * 3, dtype=np.float32).reshape(len(x), 3)
    # Dropout draws from the state of its generator, which moves on.
    before = [np.array(variable) for variable in model.variables]
    others = [variable.value for variable in model.non_trainable_variables]

    def loss(trained: list[Any]) -> tuple[Any, Any]:
        outputs, _ = model.stateless_call(trained, others, x, training=training)
        return (weights * outputs**2).sum(), outputs

    run = jax.value_and_grad(loss, has_aux=True)
    (_, outputs), found = jax.jit(run)([variable.value for variable in model.trainable_variables])
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    return [np.asarray(value) for value in (outputs, *found)]


def compare(architecture: str, case: str) -> None:
    """Compare a network with itself, as Keras differentiates it and as we do."""
    back: list[str] = []
    model = network(architecture, case)
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
        differentiate(model)
    found = [gradients(model, x, training=t) for t in (True, False)]
    halves = 1 + CASES[case].get("bidirectional", False)
    assert len(back) == 2 * halves * len(CASES[case]["units"])
    for one, other in zip(chain(*found), chain(*expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def save() -> None:
    """Save a network, and load it as one of Keras."""
    import keras

    model = network("lstm", "all")
    x = np.random.default_rng(0).standard_normal((4, 7, 2), dtype=np.float32)
    differentiate(model)
    expected = model.predict(x, verbose=0)
    with TemporaryDirectory() as folder:
        file = Path(folder, "model.keras")
        model.save(file)
        again = keras.models.load_model(file)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-5)
    assert type(again.layers[1].forward_layer) is keras.layers.LSTM


def leave() -> None:
    """Leave what computes in half precision, and what is not marked, to Keras."""
    import keras

    half = network("gru", "stacked", precision="mixed_bfloat16")
    inputs = keras.Input((7, 2))
    plain = keras.Model(inputs, keras.layers.LSTM(3, activation="relu")(inputs))
    for model in (half, plain):
        before = model.layers[1].inner_loop
        differentiate(model)
        assert model.layers[1].inner_loop == before


QUICK = [
    ("gru", "dropout"),
    ("lstm", "recurrent dropout"),
    ("simple_rnn", "all"),
]


# Each layer has a loop of its own; how layers are stacked and turned is the same for all.
@pytest.mark.parametrize(
    "pairs",
    [
        QUICK,
        pytest.param(
            [(name, case) for name in ("simple_rnn", "lstm", "gru") for case in CASES],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["some", "all"],
)
def test_outputs_and_gradients_are_those_of_keras(
    pairs: list[tuple[str, str]], in_jax: Callable[[str], str]
) -> None:
    in_jax(f"for pair in {pairs!r}: here.compare(*pair)")


def test_what_is_saved_is_of_keras_and_what_is_not_marked_is_left_to_it(
    in_jax: Callable[[str], str],
) -> None:
    in_jax("here.save(); here.leave()")
