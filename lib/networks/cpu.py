"""Layers that JAX computes faster on a CPU when they are written otherwise.

`lib.networks.recurrent` has what recurrent layers compute, and `lib.networks.blocks` what stands
between two convolutions. Dropout elsewhere draws its numbers as it does there: JAX draws each of a
large array in seven times the time that one of a small array takes. The largest value over time is
found step by step, as recurrent layers compute them: with its gradient it was a quarter of a step
of the SimpleRNN on beats. A convolution of one to four channels is one product of a matrix, in 0.4
to 0.7 of the time that XLA's takes, which is made for more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from lib.networks.blocks import blocks, drawn, join
from lib.networks.recurrent import differentiate

_FEW = 4
"""Channels of a convolution that is computed as a product; with more it is no faster."""


def quicken(model: Any) -> None:
    """Have the layers of a model on JAX compute what they compute in ways that are fast on a CPU.

    They stay what they are and are saved as such. Outputs and gradients are the same to rounding;
    but dropout draws other numbers than Keras would with the same seed, of the same distribution.

    Parameters
    ----------
    model : keras.Model
        Of `lib.networks.models.build`. On TensorFlow, whose own layers are fast, it stays as it is.
    """
    from keras import backend, layers

    if backend.backend() != "jax":
        return
    differentiate(model)
    joined: list[Any] = []
    for block in blocks(model):
        join(block)
        joined += block
    first = next((layer for layer in model.layers if isinstance(layer, layers.Conv1D)), None)
    if first and _reads_few_channels(first):
        first.convolution_op = MethodType(_multiplied, first)
        if first not in joined:  # what `Conv1D` calls itself is no method that could be replaced
            first.call = super(layers.Conv1D, first).call
    for layer in model.layers:
        alone = layer not in joined
        if alone and isinstance(layer, layers.Dropout) and layer.noise_shape is None:
            layer.call = MethodType(_dropped, layer)
        elif isinstance(layer, layers.GlobalMaxPooling1D):
            layer.call = MethodType(_largest, layer)


def _reads_few_channels(layer: Any) -> bool:
    """Return whether a convolution reads few channels, and is plain."""
    plain = {"data_format": "channels_last", "groups": 1, "strides": (1,), "dilation_rate": (1,)}
    few = layer.input.shape[-1] <= _FEW and layer.padding in ("same", "valid")
    return few and all(getattr(layer, name) == value for name, value in plain.items())


def _multiplied(self: Any, inputs: Any, kernel: Any) -> Any:
    """Lay what each step of a convolution reads side by side, and take one product of all."""
    from jax import numpy as jnp
    from keras.ops import convert_to_tensor

    kernel = convert_to_tensor(kernel)
    width, channels, filters = kernel.shape
    if self.padding == "same":
        inputs = jnp.pad(inputs, ((0, 0), ((width - 1) // 2, width // 2), (0, 0)))
    count, time, _ = inputs.shape
    steps = time - width + 1
    columns = jnp.concatenate([inputs[:, at : at + steps] for at in range(width)], axis=-1)
    product = columns.reshape(-1, width * channels) @ kernel.reshape(-1, filters)
    return product.reshape(count, steps, filters)


def _dropped(self: Any, inputs: Any, training: bool = False) -> Any:
    """Drop values by a hash of their places, with two random words that each call draws anew."""
    import jax

    if not training or not self.rate:
        return inputs
    words = jax.random.bits(self.seed_generator.next(), (2,))
    return jax.numpy.where(drawn(words, inputs.shape, self.rate), inputs / (1 - self.rate), 0)


def _largest(self: Any, inputs: Any) -> Any:
    """Take the largest over time; steps that are equally large share the gradient."""
    import jax
    from jax import numpy as jnp

    @jax.custom_gradient
    def largest_of(x: Any) -> tuple[Any, Callable[[Any], Any]]:
        steps = x.transpose(1, 0, 2)

        def step(state: tuple[Any, Any], value: Any) -> tuple[tuple[Any, Any], None]:
            largest, count = state
            count = jnp.where(value > largest, 1, count + (value == largest))
            return (jnp.maximum(largest, value), count), None

        first = jnp.full_like(steps[0], -jnp.inf)
        (largest, count), _ = jax.lax.scan(step, (first, jnp.zeros_like(first)), steps)

        def back(upstream: Any) -> Any:
            return jnp.where(steps == largest, upstream / count, 0).transpose(1, 0, 2)

        return largest, back

    return largest_of(inputs)
