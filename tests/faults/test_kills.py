"""`kill -9` at random moments: started again, the run ends with the tables of an undisturbed one.

`HELDOUT_KILLS` says how often (3), `HELDOUT_KILLS_SEED` with which moments (0), `HELDOUT_KILLS_RUN`
of which run: `tiny`, of the smallest study, or `default`, of what `make run` runs.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.support.workflow import Process, Workflow, end, set_up

KILLS = int(os.environ.get("HELDOUT_KILLS", "3"))
SEED = os.environ.get("HELDOUT_KILLS_SEED", "0")
RUN = os.environ.get("HELDOUT_KILLS_RUN", "tiny")
# At most so long (s) until the next kill: the default run has longer jobs, and all its stages are
# to be reached.
WAIT = {"tiny": 10, "default": 25}[RUN]
# Snakemake with its jobs, as when a terminal or a machine goes; Snakemake alone, whose jobs work
# on while it is started again; a job alone, as when memory runs out.
KINDS = ("all", "orphans", "job")


def scripts(process: Process) -> list[tuple[str, psutil.Process]]:
    """List the jobs at work, each with its rule."""
    found = []
    for job in process.jobs():
        try:
            words = " ".join(job.cmdline())
        except psutil.NoSuchProcess:
            continue
        if name := re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py", words):
            found.append((name[1], job))
    return found


def disturb(process: Process, kind: str, moments: random.Random) -> list[str] | None:
    """Kill at a random moment; give the rules of the jobs that died, None if it ended before."""
    # One in five while it plans, the others while jobs are at work, however slow the machine is.
    plans = kind != "job" and moments.random() < 0.2
    wait, begun = moments.uniform(0.5, WAIT), plans
    moment = time.monotonic() + wait
    while time.monotonic() < moment or not begun or (kind == "job" and not scripts(process)):
        if process.popen.poll() is not None:
            return None
        if not begun and scripts(process):
            begun, moment = True, time.monotonic() + wait
        time.sleep(0.05)
    at_work = scripts(process)
    if kind != "job":
        process.kill(orphans=kind == "orphans")
        return [] if kind == "orphans" else [rule for rule, _ in at_work]
    rule, victim = moments.choice(at_work)
    end(victim)
    # Snakemake says which rule it was, and goes on with what does not need it.
    deadline = time.monotonic() + 60
    while f"Error in rule {rule}" not in process.output():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    process.kill()
    return [rule]


@pytest.fixture
def disturbed(fresh: Workflow) -> Workflow:
    """Return a copy in which nothing has run, of the run that is to be killed."""
    if RUN == "default":
        fresh.config = {}
    return fresh


@pytest.fixture
def undisturbed(request: pytest.FixtureRequest, tmp_path: Path, disturbed: Workflow) -> Workflow:
    """Return a finished run of the same."""
    if RUN == "tiny":
        return request.getfixturevalue("finished")
    workflow = set_up(tmp_path / "undisturbed")
    workflow.config = disturbed.config
    done = workflow.run(timeout=3600)
    assert done.status == 0, done.output
    return workflow


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_lost(
    undisturbed: Workflow, disturbed: Workflow, started: list[Process]
) -> None:
    moments = random.Random(f"kills {SEED}")
    kinds: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    rounds = 1
    for number in range(KILLS):
        kind = KINDS[number % len(KINDS)]
        while True:
            process = disturbed.start(log=f"started-{number}.log")
            started.append(process)
            died = disturb(process, kind, moments)
            if died is not None:
                break
            # It came to its end between two kills: it must be right, and begins anew.
            assert process.popen.returncode == 0, process.output()
            assert disturbed.tables() == undisturbed.tables()
            assert disturbed.unfinished() == []
            shutil.rmtree(disturbed.path("results"))
            rounds += 1
        kinds[kind] += 1
        rules.update(died)
        print(f"{number + 1} of {KILLS}: {kind} {' '.join(died)}", flush=True)
    done = disturbed.run(timeout=3600)
    assert done.status == 0, done.output
    assert disturbed.tables() == undisturbed.tables()
    assert disturbed.unfinished() == []
    assert disturbed.plan().jobs == []
    print(f"\nkills: {dict(kinds)}; rounds: {rounds}; jobs that died: {dict(rules)}")
