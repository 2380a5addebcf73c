"""The audit proves itself: in every pair it finds the leak, and says nothing of its clean twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit_scenarios import copies, groups, procedure, shortcuts, windows  # noqa: F401
from tests.support.scenarios import SCENARIOS, SEEDS, Scenario


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pair", SCENARIOS, ids=lambda pair: f"{pair.kind}: {pair.leak}")
def test_a_pair(tmp_path: Path, pair: Scenario, seed: int) -> None:
    assert pair.make(tmp_path / "clean", seed, False) == {}
    found = pair.make(tmp_path / "leaky", seed, True)
    levels = [level for kind, level in found.items() if pair.finds and pair.finds in kind]
    assert levels == ([pair.level] if pair.finds else []), found
    # What is missed is missed whole: nothing else hints at it.
    assert bool(found) == bool(pair.finds)
