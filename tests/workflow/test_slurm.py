"""The workflow through a real Slurm: the same tables, and jobs as the profile asks for them.

`HELDOUT_SLURM` names a program that makes a Slurm usable on this machine: `start`, `stop`, and
`status`, which exits with 0 where one is. Partitions `cpu` and `gpu` are expected.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.workflow.copies import Done, Workflow, set_up

SLURM = os.environ.get("HELDOUT_SLURM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not SLURM, reason="HELDOUT_SLURM is not set: nothing goes through a real Slurm"
    ),
]


def ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    """Have a Slurm, and end it afterwards where it was not there before."""
    there = ask(SLURM, "status").returncode == 0
    if not there:
        started = ask(SLURM, "start")
        if started.returncode:
            pytest.skip(f"no Slurm could be started: {started.stderr.strip()}")
    yield
    if not there:
        ask(SLURM, "stop")


class Records:
    """What Slurm itself says of its jobs, collected while they run: it forgets them later."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, str]] = {}
        self._older: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Records:
        # Slurm remembers the jobs of earlier runs for a while.
        self._look()
        self._older, self.jobs = set(self.jobs), {}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self._look()
        self._look()

    def _look(self) -> None:
        for line in ask("scontrol", "--oneliner", "show", "job").stdout.splitlines():
            found = dict(re.findall(r"(\S+?)=(\S+)", line))
            if "JobId" in found and found["JobId"] not in self._older:
                self.jobs[found["JobId"]] = found

    def of(self, rule: str) -> list[dict[str, str]]:
        """Give the jobs of a rule; the executor writes rule and wildcards into the comment."""
        pattern = re.compile(rf"rule_{rule}(_|$)")
        return [job for job in self.jobs.values() if pattern.match(job.get("Comment", ""))]


def through_slurm(workflow: Workflow, *arguments: str) -> tuple[Done, Records]:
    """Run the copy as `snakemake --profile slurm` would be typed."""
    file = workflow.path("test.yaml")
    file.write_text(yaml.safe_dump(workflow.config))
    command = [sys.executable, "-m", "snakemake", "--configfile", file.name]
    with Records() as records:
        done = subprocess.run(
            [*command, "--profile", "slurm", *arguments],
            cwd=workflow.folder,
            env={**os.environ, "PYTHONPATH": str(workflow.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
    return Done(done.returncode, done.stdout), records


def test_the_tables_are_those_of_a_local_run(
    slurm: None, finished: Workflow, tmp_path: Path
) -> None:
    workflow = set_up(tmp_path / "copy")
    jobs = workflow.plan().jobs
    done, records = through_slurm(workflow)
    assert done.status == 0, done.output
    assert workflow.tables() == finished.tables()
    trained = records.of("train")
    assert len(trained) == sum(rule == "train" for rule, _ in jobs) > 0
    for job in trained:
        assert job["Partition"] == "cpu"
        assert job["NumCPUs"] == "1"
        assert "TimeLimit" in job
        assert re.fullmatch(r"\d+[MG]", job["MinMemoryNode"])
        assert job["JobState"] == "COMPLETED"
