"""What the size of a network says of its training: about what Keras counts once it is built."""

from __future__ import annotations

from typing import Any

import pytest

from lib.networks.architecture import Architecture
from lib.networks.models import build
from lib.networks.registry import ARCHITECTURES
from lib.networks.sizes import size_of


@pytest.mark.parametrize(
    ("architecture", "values"),
    [
        ("simple_rnn", {"units": [6, 4], "dense": [5]}),
        ("gru", {"units": [6], "bidirectional": True}),
        ("lstm", {"units": [6, 4], "bidirectional": True, "dense": [5, 3]}),
        ("cnn", {"filters": [4, 8], "kernels": [3, 5], "dense": [7]}),
        ("cnn_lstm", {"filters": [4, 8], "kernels": [3, 5], "units": [6]}),
    ],
)
def test_weights_are_about_those_of_the_network(
    keras: Any, architecture: str, values: dict[str, Any]
) -> None:
    shape = (64, 3)
    built = build(architecture, {"dense": [], **values}, shape=shape, classes=3)
    counted = size_of(architecture, {"dense": [], **values}, shape).weights
    # Without biases, normalisation and the last layer.
    assert counted <= built.count_params()
    assert built.count_params() - counted < 0.4 * built.count_params()


def test_the_operations_of_a_network_are_those_of_the_benchmark(keras: Any) -> None:
    from benchmarks.products import flop, products

    values = {"units": [16, 8], "dense": []}
    counted = flop(products(build("lstm", values, shape=(50, 5), classes=3), 1))
    assert size_of("lstm", values, (50, 5)).flop == pytest.approx(counted, rel=0.1)


def test_an_architecture_that_says_nothing_of_its_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    def flat(layers: Any, x: Any, values: Any) -> Any:
        return layers.Flatten()(x)

    monkeypatch.setitem(ARCHITECTURES, "mlp", Architecture("mlp", "MLP", {}, flat))
    size = size_of("mlp", {"dense": [5]}, (10, 2))
    assert (size.weights, size.layers, size.steps) == (100, (), 0)
