"""Layers that are computed otherwise on a CPU give what those of Keras give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lib.networks.cpu import quicken
from lib.networks.models import build
from lib.networks.recurrent import recurrent_layers


def otherwise(model: Any, kind: str) -> list[Any]:
    """Return the layers of a kind that do not call what their class calls."""
    layers = [layer for layer in model.layers if type(layer).__name__ == kind]
    return [layer for layer in layers if layer.call.__func__ is not type(layer).call]


def of_layer(layer: Any, x: Any, weights: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return what a layer makes of an input, and the gradient of a weighted sum of it."""
    import jax

    def total(x: Any) -> tuple[Any, Any]:
        outputs = layer.call(x, **options)
        return (weights * outputs).sum(), outputs

    (_, outputs), gradient = jax.value_and_grad(total, has_aux=True)(x)
    return np.asarray(outputs), np.asarray(gradient)


def drop(rate: float) -> None:
    """Look at what dropout keeps: as much as it should, and no pattern in it."""
    import keras

    keras.utils.set_random_seed(0)
    shape, calls = (40, 50, 30), 8
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, keras.layers.Dropout(rate)(inputs))
    quicken(model)
    (layer,) = otherwise(model, "Dropout")
    x = np.random.default_rng(0).normal(5, 1, shape).astype(np.float32)
    kept = []
    for _ in range(calls):
        outputs, gradient = of_layer(layer, x, np.ones(shape, np.float32), training=True)
        kept.append(outputs != 0)
        np.testing.assert_allclose(outputs, kept[-1] * x / (1 - rate), rtol=1e-6)
        np.testing.assert_allclose(gradient, kept[-1] / (1 - rate), rtol=1e-6)
    np.testing.assert_array_equal(of_layer(layer, x, x, training=False)[0], x)
    found = np.array(kept).astype(float)
    # Four standard errors of a share, and of a correlation.
    assert abs(found.mean() - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / found.size)
    for axis in range(4):
        one, other = np.delete(found, 0, axis), np.delete(found, -1, axis)
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size), axis


def pool() -> None:
    """Compare the largest over time with that of Keras, and its gradient, ties and all."""
    import keras

    inputs = keras.Input((7, 4))
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(inputs))
    quicken(model)
    (layer,) = otherwise(model, "GlobalMaxPooling1D")
    rng, plain = np.random.default_rng(0), keras.layers.GlobalMaxPooling1D()
    weights = rng.standard_normal((50, 4), dtype=np.float32)
    # Numbers of which none is as large as another, and whole ones, of which many are.
    for x in (rng.standard_normal((50, 7, 4)), rng.integers(-2, 3, (50, 7, 4))):
        given = x.astype(np.float32)
        for one, other in zip(
            of_layer(layer, given, weights), of_layer(plain, given, weights), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-6)
    for step in (0, 3, 6):
        given[0, step, 0] = np.nan
        assert np.isnan(of_layer(layer, given, weights)[0][0, 0])
        given[0, step, 0] = 0


def convolve() -> None:
    """Compare a convolution of few channels with that of Keras, and all of its gradients."""
    import jax
    import keras

    rng = np.random.default_rng(0)
    for channels, width, padding in ((1, 5, "same"), (2, 4, "same"), (4, 3, "valid")):
        inputs = keras.Input((9, channels))
        plain = keras.layers.Conv1D(6, width, padding=padding, activation="tanh")
        model = keras.Model(inputs, plain(inputs))
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        quicken(copy)
        assert otherwise(copy, "Conv1D") and not otherwise(model, "Conv1D")
        variables = [one.value for one in model.trainable_variables]
        x = rng.standard_normal((8, 9, channels), dtype=np.float32)
        weights = rng.standard_normal((8, *model.output_shape[1:]), dtype=np.float32)

        def total(variables: Any, x: Any, model: Any, weights: Any) -> Any:
            outputs = model.stateless_call(variables, [], x)[0]
            return (weights * outputs).sum(), outputs

        gradient = jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True), static_argnums=2)
        both = (jax.tree.leaves(gradient(variables, x, one, weights)) for one in (copy, model))
        for one, other in zip(*both, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def leave() -> None:
    """Have convolutions of other kinds stay as they are."""
    import keras

    for options in (
        {"channels": 5},
        {"strides": 2},
        {"dilation_rate": 2},
        {"padding": "causal"},
        {"channels": 2, "groups": 2},
    ):
        inputs = keras.Input((9, options.pop("channels", 1)))
        model = keras.Model(inputs, keras.layers.Conv1D(6, 3, **options)(inputs))
        quicken(model)
        assert not otherwise(model, "Conv1D"), options


def test_dropout_keeps_its_share_without_a_pattern(in_jax: Callable[[str], str]) -> None:
    in_jax("for rate in (0.2, 0.5): here.drop(rate)")


def test_the_largest_over_time_and_its_gradient_are_those_of_keras(
    in_jax: Callable[[str], str],
) -> None:
    in_jax("here.pool()")


def test_a_convolution_of_few_channels_is_that_of_keras(in_jax: Callable[[str], str]) -> None:
    in_jax("here.convolve(); here.leave()")


@pytest.mark.usefixtures("keras")
def test_tensorflow_keeps_its_own() -> None:
    values = {"filters": [4], "kernels": [3], "units": [3], "dropout": 0.3, "pooling": "max"}
    model = build("cnn_lstm", values, shape=(18, 2), classes=3, backend="tensorflow")
    quicken(model)
    for layer in model.layers:
        assert layer.call.__func__ is type(layer).call
    (lstm,) = recurrent_layers(model)
    assert lstm.inner_loop.__func__ is type(lstm).inner_loop
