"""Layers that JAX computes faster on a CPU when they are written otherwise.

`lib.networks.recurrent` has what recurrent layers compute, and `lib.networks.blocks` what stands
between two convolutions. Dropout elsewhere draws its numbers as it does there: JAX draws each of a
large array in seven times the time that one of a small array takes.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

from lib.networks.blocks import blocks, drawn, join
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
    joined: list[Any] = []
    for block in blocks(model):
        join(block)
        joined += block
    for layer in model.layers:
        alone = layer not in joined
        if alone and isinstance(layer, layers.Dropout) and layer.noise_shape is None:
            layer.call = MethodType(_dropped, layer)


def _dropped(self: Any, inputs: Any, training: bool = False) -> Any:
    """Drop values by a hash of their places, with two random words that each call draws anew."""
    import jax

    if not training or not self.rate:
        return inputs
    words = jax.random.bits(self.seed_generator.next(), (2,))
    return jax.numpy.where(drawn(words, inputs.shape, self.rate), inputs / (1 - self.rate), 0)
