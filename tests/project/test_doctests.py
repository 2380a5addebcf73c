"""The examples in the docstrings of the public library run, and say what comes out."""

from __future__ import annotations

import doctest
import importlib
from typing import Any

import pytest

MODULES = (
    *(
        "lib.config.own",
        "lib.datasets.dataset",
        "lib.datasets.registry",
        "lib.datasets.signal",
        "lib.features.registry",
        "lib.splits.registry",
    ),
    *("lib.networks.models", "lib.metrics.calibration", "lib.metrics.registry"),
    *("lib.statistics.bootstrap", "lib.statistics.pairwise", "lib.statistics.ranks"),
    *("lib.metrics.confusion", "lib.examples.assembly", "lib.typed"),
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, keras: Any) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
