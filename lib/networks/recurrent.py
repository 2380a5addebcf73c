"""Recurrent layers with a gradient of their own, which JAX computes faster on a CPU.

Keras leaves the gradient of its loop over time to JAX, which keeps what every operation of a step
computed, and adds up the gradient of the weights step by step. Here the way back through time is
written out (Werbos, 1990, doi:10.1109/5.58337): the gradients of the weights, which need no
neighbouring step, are computed for all steps at once. What a step computes for each gate is kept
apart until a product needs it joined: XLA would compute a joined array value by value, asking of
each which gate it belongs to. The way back of an LSTM on beats takes 5.2 ms so, and 8.2 joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from types import MethodType
from typing import Any

# From inputs or states, or from a gradient, to their product with weights.
Product = Callable[[Any], Any]
# Of dropout: tensors (batch, units), one for each gate that has its own; or none.
Masks = Sequence[Any]

# Numbers of 32 bits in a register of AVX-512, and the share of units that may be added for it.
REGISTER, ADDED = 16, 0.05


@dataclass(frozen=True)
class Loop:
    """How a kind of layer goes through time, and back.

    Attributes
    ----------
    forwards : callable
        From the inputs [shape=(time, batch, n)], what multiplies those of a step and a state
        [shape=(batch, units)] with their weights, the biases and the first state to the outputs
        [shape=(time, batch, units)] and a list of what the way back needs besides.
    back : callable
        From the gradient of the outputs, the outputs, that list and what takes the gradient of the
        product with a state to that of the state, to the gradient of the products with the states
        [shape=(time, batch, gates × units)] and that of the last gate's product with the inputs
        [shape=(time, batch, units)], or None where it is that with the states, as others' are.
    """

    forwards: Callable[..., tuple[Any, list[Any]]]
    back: Callable[..., tuple[Any, Any | None]]


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


def differentiate(model: Any) -> None:
    """Set the written-out gradient on the marked recurrent layers of a model on JAX.

    The layers stay what they are, with the same weights, and are saved as such. What they compute
    is the same to rounding, and so are their gradients.

    Parameters
    ----------
    model : keras.Model
        Of `lib.networks.models.build`. Layers that compute in less than float32 stay as they are.
    """
    for layer in recurrent_layers(model):
        if layer.compute_dtype == "float32":
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
        import jax
        from jax import numpy as jnp
        from keras.ops import convert_to_tensor

        del initial_state, mask  # zeros, and none
        cell = self.cell
        x = sequences.transpose(1, 0, 2)
        if self.go_backwards:
            x = jnp.flip(x, axis=0)
        units, width = cell.units, _width(cell.units)
        wider = partial(_wider, units=units, width=width)
        kernel, weights, bias = (
            wider(convert_to_tensor(v)) for v in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        weights = jnp.pad(weights, [(0, width - units), (0, 0)])
        first = jnp.zeros((x.shape[1], width), x.dtype)
        dropped, masked = training and cell.dropout > 0, training and cell.recurrent_dropout > 0
        seen = _listed(cell.get_dropout_mask(x[0])) if dropped else []
        masks = _listed(cell.get_recurrent_dropout_mask(first[:, :units])) if masked else []
        masks = [wider(mask) for mask in masks]

        @jax.custom_gradient
        def run(x: Any, kernel: Any, weights: Any, bias: Any) -> tuple[Any, Callable[[Any], Any]]:
            of_inputs, of_states = _product(kernel, seen), _product(weights, masks)
            outputs, kept = loop.forwards(x, of_inputs, of_states, bias, first)

            def back(upstream: Any) -> tuple[Any, Any, Any, Any]:
                dz, last = loop.back(upstream, outputs, kept, _product_back(weights, masks))
                of_kernel, of_bias = _weights_gradient(x, dz, seen), dz.sum(axis=(0, 1))
                of_states, biases = dz, of_bias
                if last is not None:
                    # The product for a gate that is not used costs less than to join an array, as
                    # only a layer below needs it.
                    of_kernel = _joined(of_kernel, _weights_gradient(x, last, seen[-1:]))
                    biases = jnp.stack([_joined(of_bias, last.sum(axis=(0, 1))), of_bias])
                    dz = _joined(dz, last)
                return (
                    _product_back(kernel, seen)(dz),
                    of_kernel,
                    _weights_gradient(_before(outputs), of_states, masks),
                    biases,
                )

            return outputs, back

        outputs = run(x, kernel, weights, bias)[..., :units]
        last = outputs[-1]
        every = outputs.transpose(1, 0, 2) if self.return_sequences else last[:, None]
        return last, every, [last]

    return inner_loop


def _width(units: int) -> int:
    """Choose how many units are computed: a whole number of registers, where that adds little.

    Rows that begin anywhere in a register make the products of an LSTM of 313 units take 1.2
    (forwards) to 1.3 times (back) as long as those of one of 320. The units that are added have no
    weights, and so are always 0.
    """
    whole = -(-units // REGISTER) * REGISTER
    return whole if whole - units <= ADDED * units else units


def _wider(values: Any, *, units: int, width: int) -> Any:
    """Give each gate [shape=(…, gates × units)] so many units, the added ones 0."""
    from jax import numpy as jnp

    *rest, size = values.shape
    gates = values.reshape(*rest, size // units, units)
    gates = jnp.pad(gates, [(0, 0)] * (gates.ndim - 1) + [(0, width - units)])
    return gates.reshape(*rest, size // units * width)


def _listed(masks: Any) -> list[Any]:
    return list(masks) if isinstance(masks, (list, tuple)) else [masks]


def _simple_rnn(
    x: Any, of_inputs: Product, of_states: Product, bias: Any, first: Any
) -> tuple[Any, list[Any]]:
    """Go through time: h = tanh(x W + h U + b)."""
    from jax import numpy as jnp

    def step(h: Any, x: Any) -> tuple[Any, list[Any]]:
        h = jnp.tanh(of_inputs(x) + of_states(h) + bias)
        return h, [h]

    (outputs,) = _scan(step, first, x)
    return outputs, []


def _simple_rnn_back(
    upstream: Any, outputs: Any, kept: list[Any], to_states: Product
) -> tuple[Any, Any]:
    from jax import numpy as jnp

    del kept
    first = jnp.zeros_like(outputs[0])

    def step(later: Any, upstream: Any, h: Any) -> tuple[Any, list[Any]]:
        dz = (upstream + later) * (1 - h * h)
        return to_states(dz), [dz]

    (dz,) = _scan(step, first, upstream, outputs, reverse=True)
    return dz, None


def _lstm(
    x: Any, of_inputs: Product, of_states: Product, bias: Any, first: Any
) -> tuple[Any, list[Any]]:
    """Go through time: c = f c + i g, h = o tanh(c), with the gates of z = x W + h U + b."""
    from jax import numpy as jnp

    def step(state: Any, x: Any) -> tuple[Any, list[Any]]:
        h, c = state
        i, f, g, o = jnp.split(of_inputs(x) + of_states(h) + bias, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), jnp.tanh(g), _sigmoid(o)
        c = f * c + i * g
        h = o * jnp.tanh(c)
        return (h, c), [h, c, i, f, g, o]

    outputs, *kept = _scan(step, (first, first), x)
    return outputs, kept


def _lstm_back(upstream: Any, outputs: Any, kept: list[Any], to_states: Product) -> tuple[Any, Any]:
    from jax import numpy as jnp

    cells, *gates = kept
    first = jnp.zeros_like(outputs[0])

    def step(later: Any, upstream: Any, *values: Any) -> tuple[Any, list[Any]]:
        dh, dc = later
        tanh_c, before, i, f, g, o = values
        dh = upstream + dh
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        di, df = dc * g * i * (1 - i), dc * before * f * (1 - f)
        dg, do = dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)
        dz = jnp.concatenate(_apart(di, df, dg, do), axis=1)
        return (to_states(dz), dc * f), [dz]

    sequences = upstream, jnp.tanh(cells), _before(cells), *gates
    (dz,) = _scan(step, (first, first), *sequences, reverse=True)
    return dz, None


def _gru(
    x: Any, of_inputs: Product, of_states: Product, bias: Any, first: Any
) -> tuple[Any, list[Any]]:
    """Go through time: h = z h + (1 - z) tanh(x W + b + r (h U + b)), with the gates z and r."""
    from jax import numpy as jnp

    def step(h: Any, x: Any) -> tuple[Any, list[Any]]:
        outer = jnp.split(of_inputs(x) + bias[0], 3, axis=1)
        *inner, candidate = jnp.split(of_states(h) + bias[1], 3, axis=1)
        z, r = _sigmoid(outer[0] + inner[0]), _sigmoid(outer[1] + inner[1])
        g = jnp.tanh(outer[2] + r * candidate)
        h = z * h + (1 - z) * g
        return h, [h, z, r, g, candidate]

    outputs, *kept = _scan(step, first, x)
    return outputs, kept


def _gru_back(upstream: Any, outputs: Any, kept: list[Any], to_states: Product) -> tuple[Any, Any]:
    from jax import numpy as jnp

    z, r, g, candidate = kept
    first = jnp.zeros_like(outputs[0])
    # What needs no gradient of a later step, for all steps at once.
    of_z = (_before(outputs) - g) * z * (1 - z)
    of_g, of_r = (1 - z) * (1 - g * g), candidate * r * (1 - r)

    def step(later: Any, upstream: Any, *values: Any) -> tuple[Any, list[Any]]:
        of_z, of_g, of_r, r, z = values
        dh = upstream + later
        dg = dh * of_g
        dz, dr, dg, inner = _apart(dh * of_z, dg * of_r, dg, dg * r)
        of_states = jnp.concatenate([dz, dr, inner], axis=1)
        return dh * z + to_states(of_states), [of_states, dg]

    sequences = upstream, *_apart(of_z, of_g, of_r), r, z
    of_states, dg = _scan(step, first, *sequences, reverse=True)
    return of_states, dg


LOOPS = {
    "SimpleRNN": Loop(_simple_rnn, _simple_rnn_back),
    "LSTM": Loop(_lstm, _lstm_back),
    "GRU": Loop(_gru, _gru_back),
}
"""By the name of the layer in Keras."""


def _sigmoid(z: Any) -> Any:
    """Compute the logistic function by tanh, which XLA computes in one pass."""
    from jax import numpy as jnp

    return (1 + jnp.tanh(z / 2)) / 2


def _apart(*values: Any) -> Sequence[Any]:
    """Have XLA compute values before it joins them."""
    import jax

    return jax.lax.optimization_barrier(values)


def _product(weights: Any, masks: Masks) -> Product:
    """Make what multiplies inputs or states with weights; gates may see other parts of them."""
    from jax import numpy as jnp

    if not masks:
        return lambda x: x @ weights
    gates = list(zip(masks, jnp.split(weights, len(masks), axis=1), strict=True))
    return lambda x: jnp.concatenate([(x * mask) @ part for mask, part in gates], axis=-1)


def _product_back(weights: Any, masks: Masks) -> Product:
    """Make what takes the gradient of such a product to that of the inputs or states."""
    from jax import numpy as jnp

    if not masks:
        (turned,) = _apart(weights.T)  # once, where every step of the loop would turn it
        return lambda dz: dz @ turned
    parts = _apart(*(part.T for part in jnp.split(weights, len(masks), axis=1)))

    def back(dz: Any) -> Any:
        gates = zip(masks, jnp.split(dz, len(masks), axis=-1), parts, strict=True)
        return reduce(add, [mask * (gate @ part) for mask, gate, part in gates])

    return back


def _weights_gradient(states: Any, dz: Any, masks: Masks) -> Any:
    """Compute the gradient of the weights of a product, over all steps at once."""
    from jax import numpy as jnp

    def flat(values: Any) -> Any:
        return values.reshape(-1, values.shape[-1])

    seen = [states * mask for mask in masks] or [states]
    gates = zip(seen, jnp.split(dz, len(seen), axis=2), strict=True)
    return jnp.concatenate([flat(x).T @ flat(gate) for x, gate in gates], axis=1)


def _joined(gates: Any, last: Any) -> Any:
    """Put another last gate in the place of that of all gates [shape=(…, gates × units)]."""
    from jax import numpy as jnp

    return jnp.concatenate([gates[..., : -last.shape[-1]], last], axis=-1)


def _before(states: Any) -> Any:
    """Return the state before each step, which is zero at the first."""
    from jax import numpy as jnp

    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]], axis=0)


def _scan(
    step: Callable[..., tuple[Any, list[Any]]], state: Any, *sequences: Any, reverse: bool = False
) -> Any:
    """Call a step with a state and the values of all sequences at a time; stack what it gives."""
    import jax

    def at_once(state: Any, values: Any) -> tuple[Any, list[Any]]:
        return step(state, *values)

    return jax.lax.scan(at_once, state, sequences, reverse=reverse)[1]
