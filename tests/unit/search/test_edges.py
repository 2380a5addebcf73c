"""Where a search ended at the edge of its space."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.networks.registry import ARCHITECTURES
from lib.search.edges import edges

LOG = {"low": 1e-4, "high": 1e-2, "log": True}
WHEN = {"schedule": ["constant", "cosine"]} | {
    "learning_rate": {"choices": [0.001, 0.003, 0.01], "when": {"schedule": ["cosine"]}}
}


def reached(space: dict[str, Any], **chosen: Any) -> list[str]:
    return [edge["hyperparameter"] for edge in edges("lstm", space, chosen)]


@pytest.mark.parametrize(
    ("space", "chosen", "at_edge"),
    [
        ({"learning_rate": [0.001, 0.003, 0.01]}, 0.01, True),
        ({"learning_rate": [0.01, 0.001, 0.003]}, 0.001, True),
        ({"learning_rate": [0.01, 0.001, 0.003]}, 0.003, False),
        # Of two values, one has to be the best.
        ({"learning_rate": [0.001, 0.01]}, 0.01, False),
        ({"learning_rate": [0.001, 0.001, 0.01]}, 0.01, False),
        # Near an end of a range, by its logarithm where it was searched by that.
        ({"learning_rate": LOG}, 0.0095, True),
        ({"learning_rate": LOG}, 0.00011, True),
        ({"learning_rate": LOG}, 0.0005, False),
        ({"learning_rate": {**LOG, "log": False}}, 0.0005, True),
        ({"batch_size": {"low": 8, "high": 64, "step": 8}}, 64, True),
        ({"batch_size": {"low": 8, "high": 64, "step": 8}}, 56, False),
        # Beyond these there is nothing.
        ({"dropout": [0.0, 0.2, 0.4]}, 0.0, False),
        ({"dropout": {"low": 0.0, "high": 0.5}}, 0.01, False),
        ({"dropout": [0.0, 0.2, 0.4]}, 0.4, True),
        ({"class_weights": [0.0, 0.5, 1.0]}, 0.0, False),
        ({"class_weights": [0.0, 0.5, 1.0]}, 1.0, False),
        ({"class_weights": [0.0, 0.5, 0.7]}, 0.7, True),
        ({"warmup": [0.0, 0.1, 0.2]}, 0.0, False),
        ({"weight_decay": [0.0, 0.001, 0.01]}, 0.0, False),
        ({"weight_decay": [0.0, 0.001, 0.01]}, 0.01, True),
        ({"batch_size": [1, 8, 16]}, 1, False),
        ({"batch_size": [2, 8, 16]}, 2, True),
        # Names, lists and whether to do something have no order.
        ({"optimizer": ["adam", "adamax", "sgd"]}, "adam", False),
        ({"units": [[8], [16], [32]]}, [32], False),
        ({"bidirectional": [False, True]}, True, False),
        ({"class_weights": [False, True, 0.5]}, 0.5, False),
    ],
)
def test_what_lies_at_an_edge(space: dict[str, Any], chosen: Any, at_edge: bool) -> None:
    (name,) = space
    assert reached(space, **{name: chosen}) == [name] * at_edge


def test_a_value_that_was_not_searched_lies_at_no_edge() -> None:
    assert reached(WHEN, schedule="cosine", learning_rate=0.001) == ["learning_rate"]
    assert reached(WHEN, schedule="constant", learning_rate=0.001) == []


def test_an_edge_says_what_was_searched() -> None:
    (edge,) = edges("gru", {"learning_rate": LOG}, {"learning_rate": 0.0095})
    ends = {"low": 1e-4, "high": 1e-2}
    assert edge == {"hyperparameter": "learning_rate", "value": 0.0095, **ends}


@given(
    low=st.floats(1e-6, 1, exclude_max=True),
    high=st.floats(1e-6, 1),
    share=st.floats(0, 1),
    log=st.booleans(),
)
def test_the_ends_of_a_range_and_nothing_in_its_middle(
    low: float, high: float, share: float, log: bool
) -> None:
    low, high = sorted([low, high * 2 + low])
    value = low * (high / low) ** share if log else low + share * (high - low)
    found = reached({"learning_rate": {"low": low, "high": high, "log": log}}, learning_rate=value)
    if share in (0, 1):
        assert found
    if 0.06 < share < 0.94:
        assert not found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_number_of_every_architecture_has_edges(architecture: str) -> None:
    for name, spec in ARCHITECTURES[architecture].hyperparameters.items():
        if isinstance(spec.default, int | float) and not isinstance(spec.default, bool):
            numbers = [0.2, 0.4, 0.6] if isinstance(spec.default, float) else [2, 3, 4]
            assert all(map(spec.allows, numbers)), name
            for value in numbers:
                found = edges(architecture, {name: numbers}, {name: value})
                assert bool(found) == (value != numbers[1]), name
