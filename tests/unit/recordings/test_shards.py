"""Shards: how many there are, and that no recording moves for another."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.recordings.shards import address, deal, shards_for


@settings(max_examples=50, deadline=None)
@given(st.sets(st.text(max_size=8)), st.integers(1, 7), st.text(max_size=8))
def test_every_recording_is_dealt_once_and_moves_for_no_other(
    names: set[str], shards: int, more: str
) -> None:
    def dealt(names: set[str]) -> dict[str, int]:
        parts = deal(pd.DataFrame({"recording": sorted(names)}, dtype=object), shards)
        assert len(parts) == shards
        found = [(name, i) for i, part in enumerate(parts) for name in part["recording"]]
        assert len(found) == len(names)
        return dict(found)

    before, after = dealt(names), dealt(names | {more})
    assert set(before) == names
    assert {name: after[name] for name in names} == before


@given(st.text(max_size=8), st.integers(1, 2000))
def test_one_shard_more_splits_one_in_two(name: str, shards: int) -> None:
    before, after = address(name, shards), address(name, shards + 1)
    assert 0 <= before < shards
    split = shards - (1 << (shards.bit_length() - 1))
    assert after == before or (before, after) == (split, shards)


def test_shards_are_about_of_one_size() -> None:
    counts = pd.Series([address(str(number), 24) for number in range(24_000)]).value_counts()
    assert len(counts) == 24
    # 8 of 16 are split into 16 of half their size.
    assert counts.max() < 1650
    assert counts.min() > 650


def test_shards_are_the_same_on_every_machine() -> None:
    parts = deal(pd.DataFrame({"recording": ["100", "101", "103", "105"]}), 2)
    assert [list(part["recording"]) for part in parts] == [["101"], ["100", "103", "105"]]


def test_no_shards_are_refused() -> None:
    with pytest.raises(HeldoutError, match="shards: expected at least 1, got 0"):
        deal(pd.DataFrame({"recording": ["1"]}), 0)


@given(st.integers(0, 10**7), st.integers(0, 1000))
def test_more_recordings_never_have_fewer_shards(count: int, more: int) -> None:
    few, many = shards_for(count), shards_for(count + more)
    assert 1 <= few <= many <= 1000
    assert count <= 2000 * few or few == 1000
