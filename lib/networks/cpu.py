"""Layers that JAX computes faster on a CPU when they are written otherwise.

XLA pools through windows that may overlap, and on the way back looks for the largest value of each
one at a time: more than half of a step of the CNN-LSTM on beats. JAX draws each random number of a
large array in seven times the time that one of a small array takes: dropout was 40% of a step of
the CNN on windows of ECG and PCG. `lib.networks.recurrent` has what recurrent layers compute.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np

from lib.networks.recurrent import differentiate


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
    for layer in model.layers:
        if isinstance(layer, layers.MaxPooling1D) and _apart(layer):
            layer.call = MethodType(_largest, layer)
        elif isinstance(layer, layers.Dropout) and layer.noise_shape is None:
            layer.call = MethodType(_dropped, layer)


def _apart(layer: Any) -> bool:
    """Return whether windows neither overlap nor go beyond the end."""
    plain = layer.padding == "valid" and layer.data_format == "channels_last"
    return plain and tuple(layer.strides) == tuple(layer.pool_size)


def _largest(self: Any, inputs: Any) -> Any:
    """Take the largest of each window, which is a row of an array."""
    from jax import numpy as jnp

    (width,) = self.pool_size
    _, time, channels = inputs.shape
    whole = inputs[:, : time // width * width]
    windows = whole.reshape(-1, time // width, width, channels)
    largest = windows[:, :, 0]
    for step in range(1, width):
        value = windows[:, :, step]
        # A loss that is no number any more must stay so: a NaN is no less than anything.
        first = (largest >= value) | jnp.isnan(largest)
        largest = jnp.where(first, largest, value)
    return largest


def _dropped(self: Any, inputs: Any, training: bool = False) -> Any:
    """Drop values by a hash of their places, with two random words that each call draws anew."""
    import jax

    if not training or not self.rate:
        return inputs
    words = jax.random.bits(self.seed_generator.next(), (2,))
    places = jax.lax.iota("uint32", inputs.size).reshape(inputs.shape)
    drawn = _hash(_hash(places ^ words[0]) ^ words[1])
    kept = drawn >= np.uint32(self.rate * (2**32 - 1))
    return jax.numpy.where(kept, inputs / (1 - self.rate), 0)


def _hash(x: Any) -> Any:
    """Mix the 32 bits of each number: `lowbias32` of Wellons, Prospecting for hash functions."""
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)
