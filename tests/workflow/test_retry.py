"""A job that was killed for want of memory or time is done again with more of both."""

from __future__ import annotations

import re

import pytest

from tests.workflow.copies import Workflow

# Stands in for the kernel, which kills what takes more memory than a job was given.
KILLED = """import os, signal
if snakemake.resources.mem_mb < {enough}:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def given(output: str, rule: str) -> list[tuple[int, int]]:
    """Give memory and minutes of each time that a rule was started."""
    found = re.findall(
        rf"^(?:local)?rule {rule}:\n(?:    .*\n)*?    resources: (.*)$", output, re.M
    )
    return [
        tuple(int(re.search(rf"\b{name}=(\d+)", one)[1]) for name in ("mem_mb", "runtime"))  # type: ignore[index,misc]
        for one in found
    ]


@pytest.mark.slow
def test_a_job_that_is_killed_once_succeeds_with_twice_as_much(copied: Workflow) -> None:
    audit = "results/tiny/grouped/audit.json"
    copied.path(audit).unlink()
    ((memory, minutes),) = given(copied.run("--dry-run", audit).output, "audit")
    copied.edit("workflow/scripts/audit.py", lambda text: KILLED.format(enough=memory + 1) + text)
    done = copied.run(audit, "--retries", "1")
    assert done.status == 0, done.output
    assert given(done.output, "audit") == [(memory, minutes), (2 * memory, 2 * minutes)]
    assert copied.path(audit).is_file()


@pytest.mark.slow
def test_a_job_that_is_killed_every_time_ends_the_run(copied: Workflow) -> None:
    audit = "results/tiny/grouped/audit.json"
    copied.edit("workflow/scripts/audit.py", lambda text: KILLED.format(enough=10**9) + text)
    done = copied.run("--retries", "1", audit)
    assert done.status != 0
    assert len(given(done.output, "audit")) == 2
    assert not copied.path(audit).exists()
    assert copied.unfinished() == []


def test_what_a_job_asks_for_reruns_nothing(copied: Workflow) -> None:
    copied.edit("lib/resources.py", lambda text: text.replace("PLAIN_MB = 600", "PLAIN_MB = 6000"))
    assert copied.plan().jobs == []
