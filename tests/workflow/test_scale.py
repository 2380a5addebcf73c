"""Many recordings: how many jobs they are, and what one more of them costs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import soundfile

from tests.support.folders import tone
from tests.support.workflow import Workflow, parse_plan

SHARDS = {f"results/folder/features/{number}.npz" for number in range(4)}


def add(folder: Path, numbers: Iterable[int]) -> None:
    """Write recordings of two classes, each of its own."""
    for number in numbers:
        file = folder / ("high", "low")[number % 2] / f"{number:03}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, tone(number, (200.0, 900.0)[number % 2], seconds=0.5), 8000)


@pytest.mark.slow
def test_planning_many_recordings_names_no_more_jobs(fresh: Workflow, tmp_path: Path) -> None:
    from benchmarks.planning import fill

    plans = []
    for count in (24, 20_001):
        fresh.configure({"folder": str(fill(tmp_path / str(count), count)), "shards": None})
        plans.append(fresh.plan().rules)
    assert plans[0] == plans[1]
    # How many there are is known when the table of recordings is made.
    assert plans[0]["recordings"] == plans[0]["examples"] == 1
    assert "features" not in plans[0]


@pytest.mark.slow
def test_feature_jobs_follow_from_the_recordings_that_are_there(
    fresh: Workflow, tmp_path: Path
) -> None:
    add(tmp_path / "mine", range(24))
    fresh.configure({"folder": str(tmp_path / "mine"), "shards": None})
    examples = "results/folder/examples.npy"
    done = fresh.run(examples)
    assert done.status == 0, done.output
    assert parse_plan(done.output).values("shard", "features") == {"0"}
    assert "Nothing to be done" in fresh.run(examples).output
    # As if 24 recordings were many.
    fresh.edit("lib/recordings/shards.py", lambda text: text.replace("= 500, 8", "= 10, 8"))
    done = fresh.run(examples)
    assert done.status == 0, done.output
    assert parse_plan(done.output).values("shard", "features") == {"0", "1", "2"}


@pytest.mark.slow
def test_one_recording_more_recomputes_one_shard_and_one_shard_more_splits_one(
    fresh: Workflow, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    add(folder, range(24))
    fresh.configure({"folder": str(folder), "shards": len(SHARDS)})
    examples = "results/folder/examples.npy"
    done = fresh.run(examples)
    assert done.status == 0, done.output
    times = {name: fresh.path(name).stat().st_mtime_ns for name in SHARDS}
    again = fresh.run(examples)
    assert "Nothing to be done" in again.output

    add(folder, [24])
    done = fresh.run(examples)
    assert done.status == 0, done.output
    # A dry run cannot know which shard it is; the run looks when the table is made.
    assert parse_plan(done.output).rules["features"] == 1
    changed = {name for name in SHARDS if fresh.path(name).stat().st_mtime_ns != times[name]}
    assert len(changed) == 1

    fresh.configure({"shards": len(SHARDS) + 1})
    done = fresh.run(examples)
    assert done.status == 0, done.output
    # 5 = 4 + 1: the first of the round gives half of its recordings to the new one.
    assert parse_plan(done.output).values("shard", "features") == {"0", "4"}
