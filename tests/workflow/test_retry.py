"""A job that was killed for want of memory or time is done again with more of both."""

from __future__ import annotations

import re

import pytest

from tests.support.workflow import Workflow

# Stands in for the kernel, which kills what takes more memory than a job was given.
KILLED = """import os, signal
if snakemake.resources.mem_mb < {enough}:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def given(output: str, rule: str) -> list[tuple[int, int]]:
    """Return memory and minutes of each time that a rule was started."""
    found = re.findall(
        rf"^(?:local)?(?:rule|checkpoint) {rule}:\n(?:    .*\n)*?    resources: (.*)$", output, re.M
    )
    return [
        tuple(int(re.search(rf"\b{name}=(\d+)", one)[1]) for name in ("mem_mb", "runtime"))  # type: ignore[index,misc]
        for one in found
    ]


TABLE = "results/tiny/recordings.csv"
SCRIPT = "workflow/scripts/recordings.py"


def killed_below(workflow: Workflow, enough: int) -> None:
    workflow.edit(SCRIPT, lambda text: KILLED.format(enough=enough) + text)


def test_a_job_that_is_killed_once_succeeds_with_twice_as_much(fresh: Workflow) -> None:
    killed_below(fresh, 3000)
    done = fresh.run(TABLE, "--retries", "1")
    assert done.status == 0, done.output
    once, again = given(done.output, "recordings")
    assert again == (2 * once[0], 2 * once[1])
    assert fresh.path(TABLE).is_file()


@pytest.mark.slow
def test_a_job_that_is_killed_every_time_ends_the_run(fresh: Workflow) -> None:
    killed_below(fresh, 10**9)
    done = fresh.run(TABLE, "--retries", "1")
    assert done.status != 0
    assert len(given(done.output, "recordings")) == 2
    assert not fresh.path(TABLE).exists()
    assert fresh.unfinished() == []


def test_what_a_job_asks_for_reruns_nothing(copied: Workflow) -> None:
    copied.edit("lib/jobs/needs.py", lambda text: text.replace("PLAIN_MB = 800", "PLAIN_MB = 8000"))
    rules = "workflow/rules/audit.smk"
    copied.edit(rules, lambda text: text.replace("mem_mb=4000", "mem_mb=8000"))
    assert copied.plan().jobs == []
