"""The audit proves itself: in every pair it finds the leak, and says nothing of its clean twin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.audit_scenarios import copies, groups, procedure, shortcuts, windows  # noqa: F401
from tests.support.scenarios import SCENARIOS, SEEDS, Scenario

# One seed of all pairs takes two minutes. A pair has the first and one of the others, in turn; all
# three where one is missed with some of them, and everywhere with this variable set.
ALL = os.environ.get("HELDOUT_ALL_SEEDS") == "1"


def cases() -> list[Any]:
    """Give each pair its seeds; those behind the first are slow."""
    made = []
    for number, pair in enumerate(SCENARIOS):
        some = 0 < len(pair.missed) < len(SEEDS)
        rest = SEEDS[1:] if ALL or some else [SEEDS[1 + number % (len(SEEDS) - 1)]]
        name = f"{pair.kind}: {pair.leak}"
        made.append(pytest.param(pair, SEEDS[0], id=f"{name}-{SEEDS[0]}"))
        made += [
            pytest.param(pair, seed, id=f"{name}-{seed}", marks=pytest.mark.slow) for seed in rest
        ]
    return made


@pytest.mark.parametrize(("pair", "seed"), cases())
def test_a_pair(tmp_path: Path, pair: Scenario, seed: int) -> None:
    assert pair.make(tmp_path / "clean", seed, False) == {}
    found = pair.make(tmp_path / "leaky", seed, True)
    if seed in pair.missed:
        assert found == {}, "it is found by now: say so in `missed`"
    else:
        assert [level for kind, level in found.items() if pair.finds in kind] == [pair.level], found


def test_what_is_claimed() -> None:
    assert len(SCENARIOS) >= 40
    assert len({pair.leak for pair in SCENARIOS}) == len(SCENARIOS)
    missed = sum(len(pair.missed) for pair in SCENARIOS)
    assert missed <= 0.05 * len(SCENARIOS) * len(SEEDS)
