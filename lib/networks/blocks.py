"""Blocks of a convolutional network as one operation, which JAX computes faster on a CPU.

After a convolution come batch normalisation, ReLU, dropout and pooling. Layer by layer each reads
and writes all that the convolution gave, forwards and back, and memory is slower than arithmetic:
that was two thirds of a step of the CNN on windows of ECG and PCG. XLA also pools through windows
that may overlap, and on the way back looks for the largest value of each one at a time. Here only
the value that a window keeps has a gradient of its own, and so what batch normalisation needs of it
on the way back (Ioffe and Szegedy, 2015, arXiv:1502.03167) are sums over what was pooled, not over
what was there before. Batch normalisation takes off again what the bias of a convolution adds: only
its moving mean is told of it. Sums of plain squares are three times as fast as of differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any, NamedTuple

import numpy as np

# Settings of layers that a block takes for granted.
_PLAIN = {
    **{"scale": True, "center": True, "renorm": False, "use_bias": True},
    **{"negative_slope": 0, "max_value": None, "threshold": 0, "noise_shape": None},
}

_FAR = 16.0
"""Squares of means, of variances, from which the difference of both is not exact enough."""


class Block(NamedTuple):
    """Layers of a model that follow each other; all but `relu` and `pool` may be None.

    `convolution` is one whose bias batch normalisation takes off again.
    """

    convolution: Any
    norm: Any
    relu: Any
    dropout: Any
    pool: Any


def blocks(model: Any) -> Iterator[Block]:
    """Yield the blocks of a model that may be one operation."""
    from keras import layers

    for number, pool in enumerate(model.layers):
        if not (isinstance(pool, layers.MaxPooling1D) and apart(pool)):
            continue
        before = model.layers[:number]
        dropout = _last(before, layers.Dropout, pool)
        relu = _last(before, layers.ReLU, dropout or pool)
        norm = _last(before, layers.BatchNormalization, relu) if relu else None
        convolution = _last(before, layers.Conv1D, norm) if norm else None
        if convolution and convolution.padding == "causal":  # what its own call makes of it
            convolution = None
        if relu:
            yield Block(convolution, norm, relu, dropout, pool)


def join(block: Block) -> None:
    """Have the last layer of a block compute what all of them do, and the others nothing.

    The layers stay what they are, with the same weights, and are saved as such.
    """
    told = {"training": False}

    def tell(layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        told["training"] = bool(training)
        return inputs

    def convolve(layer: Any, inputs: Any) -> Any:
        return layer.convolution_op(inputs, layer.kernel)

    def compute(layer: Any, inputs: Any) -> Any:
        # As batch normalisation does: 16 bits do not hold the sums.
        pooled = _compute(block, inputs.astype("float32"), training=told["training"])
        return pooled.astype(layer.compute_dtype)

    if block.convolution:
        block.convolution.call = MethodType(convolve, block.convolution)
    block.relu.call = MethodType(lambda layer, inputs: inputs, block.relu)
    # Both are told of training, the layers around them are not.
    for layer in (block.norm, block.dropout):
        if layer:
            layer.call = MethodType(tell, layer)
    block.pool.call = MethodType(compute, block.pool)


def apart(pool: Any) -> bool:
    """Return whether the windows of a pooling layer neither overlap nor go beyond the end."""
    plain = pool.padding == "valid" and pool.data_format == "channels_last"
    return plain and tuple(pool.strides) == tuple(pool.pool_size)


def drawn(words: Any, shape: tuple[int, ...], rate: float) -> Any:
    """Draw which values of an array dropout keeps: by a hash of their places and two words."""
    import jax

    places = jax.lax.iota("uint32", int(np.prod(shape))).reshape(shape)
    return _hash(_hash(places ^ words[0]) ^ words[1]) >= np.uint32(rate * (2**32 - 1))


def _hash(x: Any) -> Any:
    """Mix the 32 bits of each number: `lowbias32` of Wellons, Prospecting for hash functions."""
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return x ^ (x >> 16)


def _last(before: list[Any], kind: Any, following: Any) -> Any:
    """Return the last layer before one, where it is of a kind, its input, and of plain settings."""
    at = before.index(following) if following in before else len(before)
    layer = before[at - 1] if at else None
    if not isinstance(layer, kind) or layer.output is not following.input:
        return None
    plain = all(getattr(layer, name, value) == value for name, value in _PLAIN.items())
    plain &= getattr(getattr(layer, "activation", None), "__name__", "linear") == "linear"
    return layer if plain and getattr(layer, "axis", -1) in (-1, 2) else None


def _compute(block: Block, inputs: Any, *, training: bool) -> Any:
    """Compute a block, and keep the moments of the batch where batch normalisation would."""
    import jax

    norm, dropout, (width,) = block.norm, block.dropout, block.pool.pool_size
    rate = dropout.rate if dropout and training else 0.0
    words = jax.random.bits(dropout.seed_generator.next(), (2,)) if rate else None
    if not norm:
        return _operation(rate, width, 0.0)(inputs, None, words)[0]
    weights = norm.gamma.value, norm.beta.value
    bias = block.convolution.bias.value if block.convolution else 0.0
    if not training or not norm.trainable:
        moments = norm.moving_mean.value - bias, norm.moving_variance.value
        return _forwards(inputs, *_line(weights, moments, norm.epsilon), words, rate, width)[0]
    pooled, (mean, variance) = _operation(rate, width, norm.epsilon)(inputs, weights, words)
    for moving, value in ((norm.moving_mean, mean + bias), (norm.moving_variance, variance)):
        moving.assign(moving.value * norm.momentum + value * (1.0 - norm.momentum))
    return pooled


def _line(weights: Any, moments: Any, epsilon: float) -> tuple[Any, Any]:
    """Return what normalised values are multiplied with and what is added, for each channel."""
    import jax

    (gamma, beta), (mean, variance) = weights, moments
    scale = gamma * jax.lax.rsqrt(variance + epsilon)
    return scale, beta - mean * scale


def _moments(z: Any) -> tuple[Any, Any]:
    """Compute mean and variance of each channel.

    The mean square less the square of the mean takes half of the time, and loses digits where the
    mean is far from 0 beside the deviation.
    """
    import jax
    from jax import numpy as jnp

    mean = z.mean((0, 1))
    variance = jnp.square(z).mean((0, 1)) - jnp.square(mean)
    exactly = (jnp.square(mean) > _FAR * variance).any()
    return mean, jax.lax.cond(exactly, lambda: jnp.square(z - mean).mean((0, 1)), lambda: variance)


def _forwards(
    z: Any, scale: Any, shift: Any, words: Any, rate: float, width: int
) -> tuple[Any, Any, Any]:
    """Take the largest of each window, what it was in `z`, and its place in the window.

    Parameters
    ----------
    z : jax.Array, shape (batch, time, channels)
        What the convolution gave.
    scale, shift : jax.Array, shape (channels,), or None
        Of batch normalisation.
    words : jax.Array, shape (2,), or None
        Of dropout, at a rate above 0.
    rate : float
        Of dropout.
    width : int
        Of a window, in steps.

    Returns
    -------
    tuple of jax.Array, shape (batch, time // width, channels)
        float32.
    """
    from jax import numpy as jnp

    count, time, channels = z.shape
    whole = time // width * width

    def windows(values: Any) -> Any:
        return values[:, :whole].reshape(count, time // width, width, channels)

    inputs = windows(z)
    kept = windows(drawn(words, z.shape, rate)) if rate else None

    def value_of(step: int) -> Any:
        value = inputs[:, :, step]
        value = jnp.maximum(value if scale is None else value * scale + shift, 0)
        return value if kept is None else jnp.where(kept[:, :, step], value / (1 - rate), 0)

    largest, before = value_of(0), inputs[:, :, 0]
    place = jnp.zeros(largest.shape, jnp.float32)
    for step in range(1, width):
        value, raw = value_of(step), inputs[:, :, step]
        # A loss that is no number any more must stay so: a NaN is no less than anything.
        first = (largest >= value) | jnp.isnan(largest)
        largest = jnp.where(first, largest, value)
        before = jnp.where(first, before, raw)
        place = jnp.where(first, place, step**2)
    # What is cheap XLA computes anew wherever it is used, from all that it comes from: the way back
    # would draw dropout again, for every value of a window. A root it takes once, and keeps.
    return largest, before, jnp.sqrt(place)


def _operation(rate: float, width: int, epsilon: float) -> Callable[..., Any]:
    """Make the operation of a block while it is trained, with its gradient.

    Returns
    -------
    callable
        From what the convolution gave, `gamma` and `beta` of batch normalisation or None, and the
        words of dropout, to what is pooled, and mean and variance of the batch or None. The
        gradient is that of what is pooled alone.
    """
    import jax
    from jax import numpy as jnp

    def forwards(z: Any, weights: Any, words: Any) -> Any:
        if weights is None:
            largest, _, place = _forwards(z, None, None, words, rate, width)
            return (largest, None), (z, weights, largest, None, place, None)
        moments = _moments(z)
        line = _line(weights, moments, epsilon)
        largest, before, place = _forwards(z, *line, words, rate, width)
        return (largest, moments), (z, weights, largest, before, place, moments)

    def back(known: Any, gradients: Any) -> Any:
        z, weights, largest, before, place, moments = known
        count, time, channels = z.shape
        # Where the largest is 0, ReLU or dropout made it so.
        gradient = jnp.where(largest > 0, gradients[0] / (1 - rate), 0)

        def spread(values: Any) -> Any:
            at = place[:, :, None] == jnp.arange(width, dtype=jnp.float32)[:, None]
            values = jnp.where(at, values[:, :, None], 0).reshape(count, -1, channels)
            return jnp.pad(values, ((0, 0), (0, time - values.shape[1]), (0, 0)))

        if weights is None:
            return spread(gradient), None, None
        (mean, variance), (scale, _) = moments, _line(weights, moments, epsilon)
        inverse = jax.lax.rsqrt(variance + epsilon)
        of_beta = gradient.sum((0, 1))
        of_gamma = (gradient * (before - mean)).sum((0, 1)) * inverse
        # Of every value, by way of the moments: a line in `z`.
        slope = -scale * inverse * of_gamma / (count * time)
        offset = -scale * of_beta / (count * time) - slope * mean
        return spread(gradient * scale) + (z * slope + offset), (of_gamma, of_beta), None

    def operation(z: Any, weights: Any, words: Any) -> Any:
        return forwards(z, weights, words)[0]

    function = jax.custom_vjp(operation)
    function.defvjp(forwards, back)
    return function
