"""The matrix products and the activations of a network: what a training step needs at least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class Product:
    """A product of a (rows, inner) and an (inner, columns) matrix, some times a step.

    Attributes
    ----------
    rows, inner, columns : int
        Sizes.
    times : int
        How often a forward pass has it.
    backward : int
        How many products of the same size the backward pass has for each: one for the gradient
        of the weights, and one for that of the inputs unless they are the examples themselves.
    """

    rows: int
    inner: int
    columns: int
    times: int = 1
    backward: int = 2

    @property
    def flop(self) -> int:
        """Operations of forward and backward pass: a multiplication and an addition each."""
        return 2 * self.rows * self.inner * self.columns * self.times * (1 + self.backward)


@dataclass(frozen=True)
class Activation:
    """A function of each element of a (rows, columns) array, some times a forward pass."""

    name: str
    rows: int
    columns: int
    times: int = 1


def products(model: Any, batch: int) -> list[Product]:
    """List the matrix products of one training step.

    With b the batch and T the time steps, and what is computed for each element left out
    (activations, normalisation, dropout, pooling, the optimizer):

    - dense: (b, in) × (in, out);
    - convolution: (b T', kernel · in) × (kernel · in, filters), T' steps coming out;
    - recurrent with g gates and u units: (b T, in) × (in, g u) for all steps at once, and
      (b, u) × (u, g u) at each of the T steps; bidirectional layers have both twice.

    Parameters
    ----------
    model : keras.Model
        Of `lib.networks.models.build`.
    batch : int
        Examples a step.
    """
    found: list[Product] = []
    for layer in model.layers:
        name = type(layer).__name__
        first = 1 if not found else 2
        if name == "Dense":
            inner, columns = layer.kernel.shape
            found.append(Product(batch, inner, columns, 1, first))
        elif name == "Conv1D":
            kernel, inner, columns = layer.kernel.shape
            found.append(Product(batch * layer.output.shape[1], kernel * inner, columns, 1, first))
        elif name in GATES or name == "Bidirectional":
            found += _recurrent(layer, batch, first)
    return found


def activations(model: Any, batch: int) -> list[Activation]:
    """List the activations of one forward pass.

    A recurrent layer has its gates, and the LSTM its cell too, at each step; another has ReLU or
    softmax, or is one of them.

    Parameters
    ----------
    model : keras.Model
        Of `lib.networks.models.build`.
    batch : int
        Examples a step.
    """
    found: list[Activation] = []
    for layer in model.layers:
        name = type(layer).__name__
        if name in GATES or name == "Bidirectional":
            for half in _halves(layer):
                cells = GATES[type(half).__name__] + (type(half).__name__ == "LSTM")
                found.append(
                    Activation("tanh", batch, cells * half.units, times=layer.input.shape[1])
                )
            continue
        function = getattr(getattr(layer, "activation", None), "__name__", name.lower())
        if function in ("relu", "softmax"):
            *rest, columns = layer.output.shape[1:]
            found.append(Activation(function, batch * prod(rest), columns))
    return found


def _recurrent(layer: Any, batch: int, first: int) -> list[Product]:
    _, steps, inner = layer.input.shape
    found = []
    for half in _halves(layer):
        columns = GATES[type(half).__name__] * half.units
        found.append(Product(batch * steps, inner, columns, 1, first))
        found.append(Product(batch, half.units, columns, steps))
    return found


def _halves(layer: Any) -> tuple[Any, ...]:
    """Return a recurrent layer, or both of one that goes both ways."""
    both = type(layer).__name__ == "Bidirectional"
    return (layer.forward_layer, layer.backward_layer) if both else (layer,)


def flop(found: Iterable[Product]) -> int:
    """Add up the operations of a training step."""
    return sum(product.flop for product in found)
