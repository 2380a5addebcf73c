"""Recurrent layers with a gradient of their own, which is fast on a CPU.

Keras leaves the gradient of its loop over time to TensorFlow or JAX. They keep what every operation
of a step computed, and add up the gradient of the weights step by step. Here the way back through
time is written out (Werbos, 1990, doi:10.1109/5.58337): all that needs no neighbouring step, such
as the products with the inputs and the gradients of the weights, is computed for all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import MethodType
from typing import Any

import numpy as np

# Batch × units up to which it is faster than the gradient that Keras leaves to TensorFlow or JAX:
# 1.2 to 2 times on TensorFlow, up to 1.2 times on JAX. Above, all steps at once
# no longer fit into caches: 0.5 and 0.9 times at 16,384.
WIDEST = 8_192

# Of recurrent dropout: tensors (batch, units), one for each gate that has its own; or none.
Masks = Sequence[Any]


@dataclass(frozen=True)
class Loop:
    """How a kind of layer goes through time, and back.

    Attributes
    ----------
    forwards : callable
        From the inputs times their kernel [shape=(time, batch, gates × units)], the recurrent
        kernel, the biases, masks and the first state [shape=(batch, units)] to the outputs
        [shape=(time, batch, units)] and a list of what the way back needs besides.
    back : callable
        From the gradient of the outputs, the outputs, the recurrent kernel, that list and the masks
        to the gradients of the products with the inputs, of the kernel and of the biases.
    """

    forwards: Callable[..., tuple[Any, list[Any]]]
    back: Callable[..., tuple[Any, Any, Any]]


def with_gradient(layer: Any) -> Any:
    """Mark a recurrent layer as one that `differentiate` may give its own gradient, and return it.

    Parameters
    ----------
    layer : keras.Layer
        `SimpleRNN`, `LSTM` or `GRU`, or `Bidirectional` of one, with biases, the usual activations,
        no masks and no first state; a GRU resets after the product.
    """
    layer.has_written_gradient = True
    return layer


def differentiate(model: Any, batch_size: int) -> None:
    """Set the written-out gradient on the marked recurrent layers of a model, where it is faster.

    The layers stay what they are, with the same weights, and are saved as such. What they compute
    is the same to rounding, and so are their gradients.

    Parameters
    ----------
    model : keras.Model
        Of `lib.networks.models.build`. Layers that compute in less than float32, and those so wide
        that all steps at once do not fit into caches, stay as they are.
    batch_size : int
        Examples a step.
    """
    for layer in recurrent_layers(model):
        if layer.compute_dtype == "float32" and batch_size * layer.units <= WIDEST:
            layer.inner_loop = MethodType(_inner_loop(LOOPS[type(layer).__name__]), layer)


def recurrent_layers(model: Any) -> Iterator[Any]:
    """Yield the recurrent layers that are marked, both of one that goes both ways."""
    for layer in model.layers:
        if not getattr(layer, "has_written_gradient", False):
            continue
        if type(layer).__name__ == "Bidirectional":
            yield from (layer.forward_layer, layer.backward_layer)
        else:
            yield layer


def _inner_loop(loop: Loop) -> Callable[..., Any]:
    """Make what a recurrent layer of Keras calls to go through time."""

    def inner_loop(
        self: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """Compute the last output, all of them [shape=(batch, time, units)], and the last state."""
        from keras import ops

        del initial_state, mask  # zeros, and none
        cell = self.cell
        x = ops.transpose(sequences, (1, 0, 2))
        if self.go_backwards:
            x = ops.flip(x, axis=0)
        kernel, weights, bias = (
            ops.convert_to_tensor(v) for v in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        first = ops.zeros((ops.shape(x)[1], cell.units), x.dtype)
        dropped, masked = training and cell.dropout > 0, training and cell.recurrent_dropout > 0
        seen = _listed(cell.get_dropout_mask(x[0])) if dropped else []
        masks = _listed(cell.get_recurrent_dropout_mask(first)) if masked else []
        x = _product(x, _parts(kernel, seen), seen)

        @ops.custom_gradient
        def run(x: Any, weights: Any, bias: Any) -> tuple[Any, Callable[[Any], Any]]:
            outputs, kept = loop.forwards(x, weights, bias, masks, first)
            return outputs, lambda upstream: loop.back(upstream, outputs, weights, kept, masks)

        with _forgotten():
            outputs = run(x, weights, bias)
        last = outputs[-1]
        every = ops.transpose(outputs, (1, 0, 2)) if self.return_sequences else last[:, None]
        return last, every, [last]

    return inner_loop


@contextmanager
def _forgotten() -> Iterator[None]:
    """Have TensorFlow forget the gradients that are defined inside the block, but for its tapes.

    It registers each of them for as long as the process lives, with the graph of the network. The
    tape of a training step has it at hand, and needs no register. There is no public way to take
    one back: where the names in TensorFlow differ, networks cost memory and nothing else.
    """
    from keras import backend

    names: dict[str, Any] = {}
    if backend.backend() == "tensorflow":
        from tensorflow.python.framework import ops

        names = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    before = set(names)
    yield
    for name in set(names) - before:
        del names[name]


def _listed(masks: Any) -> list[Any]:
    return list(masks) if isinstance(masks, (list, tuple)) else [masks]


def _simple_rnn(x: Any, weights: Any, bias: Any, masks: Masks, first: Any) -> tuple[Any, list[Any]]:
    """Go through time: h = tanh(x + b + h U)."""
    from keras import ops

    parts = _parts(weights, masks)

    def step(h: Any, x: Any) -> tuple[Any, list[Any]]:
        h = ops.tanh(x + _product(h, parts, masks))
        return h, [h]

    (outputs,) = _scan(step, first, [x + bias], [first.shape[1]])
    return outputs, []


def _simple_rnn_back(
    upstream: Any, outputs: Any, weights: Any, kept: list[Any], masks: Masks
) -> tuple[Any, Any, Any]:
    from keras import ops

    del kept
    first, parts = ops.zeros_like(outputs[0]), _transposed(weights, masks)

    def step(later: Any, upstream: Any, to_z: Any) -> tuple[Any, list[Any]]:
        dz = (upstream + later) * to_z
        return _product_back(dz, parts, masks), [dz]

    sequences = [upstream, 1 - outputs * outputs]
    (dz,) = _scan(step, first, sequences, [first.shape[1]], reverse=True)
    return dz, _weights_gradient(_before(outputs), dz, masks), ops.sum(dz, axis=(0, 1))


def _lstm(x: Any, weights: Any, bias: Any, masks: Masks, first: Any) -> tuple[Any, list[Any]]:
    """Go through time: c = f c + i g, h = o tanh(c), with the gates of z = x + b + h U."""
    from keras import ops

    units, parts = first.shape[1], _parts(weights, masks)
    # A sigmoid is (1 + tanh(z / 2)) / 2: one function for all gates, which is computed once.
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), units)

    def step(state: Any, x: Any) -> tuple[Any, list[Any]]:
        h, c = state
        gates = ops.tanh((x + _product(h, parts, masks)) * scale) * scale + (1 - scale)
        i, f, g, o = ops.split(gates, 4, axis=1)
        c = f * c + i * g
        h = o * ops.tanh(c)
        return (h, c), [h, c, gates]

    outputs, *kept = _scan(step, (first, first), [x + bias], [units, units, 4 * units])
    return outputs, kept


def _lstm_back(
    upstream: Any, outputs: Any, weights: Any, kept: list[Any], masks: Masks
) -> tuple[Any, Any, Any]:
    from keras import ops

    cells, gates = kept
    first, parts = ops.zeros_like(outputs[0]), _transposed(weights, masks)
    i, f, g, o = ops.split(gates, 4, axis=2)
    c = ops.tanh(cells)
    # What the gradients of an output and of a cell are multiplied by to give those before them.
    to_c = o * (1 - c * c)
    to_f = _before(cells) * f * (1 - f)
    to_z = ops.concatenate([g * i * (1 - i), to_f, i * (1 - g * g), c * o * (1 - o)], axis=2)

    def step(later: Any, upstream: Any, to_c: Any, to_z: Any, f: Any) -> tuple[Any, list[Any]]:
        dh, dc = later
        dh = upstream + dh
        dc = dc + dh * to_c
        dz = ops.concatenate([dc, dc, dc, dh], axis=1) * to_z
        return (_product_back(dz, parts, masks), dc * f), [dz]

    sequences = [upstream, to_c, to_z, f]
    (dz,) = _scan(step, (first, first), sequences, [to_z.shape[2]], reverse=True)
    return dz, _weights_gradient(_before(outputs), dz, masks), ops.sum(dz, axis=(0, 1))


def _gru(x: Any, weights: Any, bias: Any, masks: Masks, first: Any) -> tuple[Any, list[Any]]:
    """Go through time: h = z h + (1 - z) tanh(x + r (h U + b)), with the gates z and r."""
    from keras import ops

    units, parts = first.shape[1], _parts(weights, masks)

    def step(h: Any, x: Any) -> tuple[Any, list[Any]]:
        inner = _product(h, parts, masks) + bias[1]
        gates = (1 + ops.tanh((x + inner)[:, : 2 * units] / 2)) / 2  # a sigmoid
        z, r = ops.split(gates, 2, axis=1)
        candidate = inner[:, 2 * units :]
        g = ops.tanh(x[:, 2 * units :] + r * candidate)
        h = z * h + (1 - z) * g
        return h, [h, ops.concatenate([gates, g, candidate], axis=1)]

    outputs, *kept = _scan(step, first, [x + bias[0]], [units, 4 * units])
    return outputs, kept


def _gru_back(
    upstream: Any, outputs: Any, weights: Any, kept: list[Any], masks: Masks
) -> tuple[Any, Any, Any]:
    from keras import ops

    first, before = ops.zeros_like(outputs[0]), _before(outputs)
    parts = _transposed(weights, masks)
    z, r, g, candidate = ops.split(kept[0], 4, axis=2)
    # What the gradient of an output is multiplied by to give that of each gate.
    to_z = (before - g) * z * (1 - z)
    to_g = (1 - z) * (1 - g * g)
    to_r = to_g * candidate * r * (1 - r)
    to_inner = ops.concatenate([to_z, to_r, to_g * r], axis=2)

    def step(later: Any, upstream: Any, to_inner: Any, z: Any) -> tuple[Any, list[Any]]:
        dh = upstream + later
        dz = ops.tile(dh, (1, 3)) * to_inner
        return dh * z + _product_back(dz, parts, masks), [dh]

    (dh,) = _scan(step, first, [upstream, to_inner, z], [first.shape[1]], reverse=True)
    dh = ops.tile(dh, (1, 1, 3))
    dx, dz = dh * ops.concatenate([to_z, to_r, to_g], axis=2), dh * to_inner
    biases = ops.stack([ops.sum(dx, axis=(0, 1)), ops.sum(dz, axis=(0, 1))])
    return dx, _weights_gradient(before, dz, masks), biases


LOOPS = {
    "SimpleRNN": Loop(_simple_rnn, _simple_rnn_back),
    "LSTM": Loop(_lstm, _lstm_back),
    "GRU": Loop(_gru, _gru_back),
}
"""By the name of the layer in Keras."""


def _parts(weights: Any, masks: Masks) -> list[Any]:
    """Split weights by the gates that have masks of their own."""
    from keras import ops

    return list(ops.split(weights, len(masks), axis=1)) if masks else [weights]


def _transposed(weights: Any, masks: Masks) -> list[Any]:
    from keras import ops

    return [ops.transpose(part) for part in _parts(weights, masks)]


def _product(x: Any, parts: list[Any], masks: Masks) -> Any:
    """Multiply inputs or states, of which each gate may see another part, with its weights."""
    from keras import ops

    if not masks:
        return ops.matmul(x, parts[0])
    gates = [ops.matmul(x * mask, part) for mask, part in zip(masks, parts, strict=True)]
    return ops.concatenate(gates, axis=-1)


def _product_back(dz: Any, transposed: list[Any], masks: Masks) -> Any:
    """Compute the gradient of the states of a product."""
    from keras import ops

    if not masks:
        return ops.matmul(dz, transposed[0])
    gates = zip(masks, ops.split(dz, len(masks), axis=1), transposed, strict=True)
    return reduce(add, [mask * ops.matmul(gate, part) for mask, gate, part in gates])


def _weights_gradient(states: Any, dz: Any, masks: Masks) -> Any:
    """Compute the gradient of the weights of a product, over all steps at once."""
    from keras import ops

    def flat(values: Any) -> Any:
        return ops.reshape(values, (-1, values.shape[-1]))

    seen = [states * mask for mask in masks] or [states]
    gates = zip(seen, ops.split(dz, len(seen), axis=2), strict=True)
    return ops.concatenate(
        [ops.matmul(ops.transpose(flat(x)), flat(gate)) for x, gate in gates], axis=1
    )


def _before(states: Any) -> Any:
    """Return the state before each step, which is zero at the first."""
    from keras import ops

    return ops.concatenate([ops.zeros_like(states[:1]), states[:-1]], axis=0)


def _scan(
    step: Callable[..., tuple[Any, list[Any]]],
    state: Any,
    sequences: list[Any],
    widths: list[int],
    *,
    reverse: bool = False,
) -> list[Any]:
    """Call a step for each time, and stack what it gives.

    Parameters
    ----------
    step : callable
        From the state and the values of all sequences at one time to the next state, and a list of
        tensors (batch, n).
    state : tensor or tuple of tensor
        Before the first step.
    sequences : list of tensor [shape=(time, batch, ...)]
        What is read.
    widths : list of int
        Of the tensors that a step gives.
    reverse : bool
        Whether it goes from the last time to the first.
    """
    from keras import backend

    if backend.backend() == "jax":
        import jax

        _, stacked = jax.lax.scan(lambda s, x: step(s, *x), state, sequences, reverse=reverse)
        return list(stacked)
    # `keras.ops.scan` gives nothing but the states on TensorFlow.
    import tensorflow as tf

    steps, batch = sequences[0].shape[:2]
    read = [tf.TensorArray(v.dtype, steps).unstack(v) for v in sequences]
    made = [tf.TensorArray(sequences[0].dtype, steps, element_shape=(batch, n)) for n in widths]

    def body(number: Any, state: Any, made: list[Any]) -> tuple[Any, Any, list[Any]]:
        time = steps - 1 - number if reverse else number
        state, given = step(state, *[array.read(time) for array in read])
        pairs = zip(made, given, strict=True)
        return number + 1, state, [array.write(time, value) for array, value in pairs]

    *_, made = tf.while_loop(
        lambda number, *_: number < steps, body, (0, state, made), maximum_iterations=steps
    )
    return [array.stack() for array in made]
