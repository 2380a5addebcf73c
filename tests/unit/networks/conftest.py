"""What tests of networks share: a process that computes with JAX."""

from collections.abc import Callable

import pytest


@pytest.fixture
def in_jax(python: Callable[..., str], request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Run code in a process that computes with JAX, where the module of the test is `here`."""
    module = request.module.__name__.rpartition(".")[2]

    def run(code: str) -> str:
        return python(
            "from lib.networks.backend import load; load('jax')\n"
            f"from tests.unit.networks import {module} as here\n{code}"
        )

    return run
