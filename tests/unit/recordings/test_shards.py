"""Shards: how many there are, and that no recording moves for another."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.files import write_json
from lib.recordings.shards import address, deal, expected_recordings, shards_for


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


def test_the_number_of_recordings_that_is_known_beforehand(tmp_path: Path) -> None:
    def expected(scale: float = 1.0, **study: object) -> int | None:
        return expected_recordings(study, scale=scale, registry=tmp_path)

    for name in ("a/1.wav", "a/2.flac", "a/notes.txt", "b/deep/3.wav"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).touch()
    folder = {"path": str(tmp_path / "mine")}
    assert expected(dataset="folder-mine", simulated=False, folder=folder) == 3
    assert expected(dataset="mitdb", simulated=True, scale=3.0) == 600
    files = [{"path": f"{name}.{suffix}"} for name in (100, 101) for suffix in ("hea", "dat")]
    for name, registry in {
        "listed": {"files": files},
        "packed": {"files": [], "archives": [{"recordings": 40}, {"recordings": 2}]},
        "unknown": {"files": []},
    }.items():
        write_json(tmp_path / f"{name}.yaml", registry)
    found = [expected(dataset=name, simulated=False) for name in ("listed", "packed", "unknown")]
    assert found == [2, 42, None]
