"""The workflow through a real Slurm: the same tables, and jobs as the profile asks for them.

`HELDOUT_SLURM` names a program that makes a Slurm usable on this machine: `start`, `stop`, and
`status`, which exits with 0 where one is, such as tests/support/slurm/cluster. Partitions `cpu` and
`gpu` are expected. With `HELDOUT_SLURM_FAULTS` set, nodes and daemons are taken down as well.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.support.workflow import Done, Process, Workflow, end, set_up

EXAMPLES = "results/tiny/examples.npy"
SLURM = os.environ.get("HELDOUT_SLURM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not SLURM, reason="HELDOUT_SLURM is not set: nothing goes through a real Slurm"
    ),
]
# They stop nodes and daemons, and wait for what Slurm makes of it: minutes each.
daemons = pytest.mark.skipif(
    not os.environ.get("HELDOUT_SLURM_FAULTS"),
    reason="HELDOUT_SLURM_FAULTS is not set: no node or controller is taken down",
)


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
        """Return the jobs of a rule; the executor writes rule and wildcards into the comment."""
        pattern = re.compile(rf"rule_{rule}(_|$)")
        return [job for job in self.jobs.values() if pattern.match(job.get("Comment", ""))]


# It looks at jobs after 10 s, and where none has ended, again after 20 s: most stages of this study
# take less than 10 s, and would have to wait for the second look if the first came sooner.
PROFILE = ("--profile", "slurm")
# The jobs of a rule go on when a test has done to them what it wants to do.
HELD = """import os, pathlib, time
pathlib.Path(f"held-{os.getpid()}").touch()
while not pathlib.Path("go").exists():
    time.sleep(0.2)
"""


def command(workflow: Workflow, *arguments: str) -> tuple[list[str], dict[str, Any]]:
    """Return what runs the copy as `snakemake --profile slurm` would be typed."""
    file = workflow.path("test.yaml")
    file.write_text(yaml.safe_dump(workflow.config))
    return [sys.executable, "-m", "snakemake", *arguments, *PROFILE, "--configfile", file.name], {
        "cwd": workflow.folder,
        "env": {**os.environ, "PYTHONPATH": str(workflow.folder)},
        "stdin": subprocess.DEVNULL,
        "stderr": subprocess.STDOUT,
    }


def hold(folder: Path) -> Workflow:
    """Return a copy whose feature jobs wait for a file `go`."""
    workflow = set_up(folder)
    workflow.edit("workflow/scripts/features.py", lambda text: HELD + text)
    return workflow


def through_slurm(workflow: Workflow, *arguments: str) -> tuple[Done, Records]:
    """Run the copy to its end."""
    words, options = command(workflow, *arguments)
    with Records() as records:
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=1800, **options)
    return Done(done.returncode, done.stdout), records


@pytest.fixture
def held(slurm: None, tmp_path: Path) -> Iterator[Workflow]:
    workflow = hold(tmp_path / "copy")
    yield workflow
    # A step outlives the job that was taken from it with its node.
    for process in psutil.process_iter(["cmdline"]):
        if str(workflow.folder) in " ".join(process.info["cmdline"] or []):
            end(process)


def begin(workflow: Workflow, started: list[Process], *arguments: str) -> Process:
    """Start the copy, and return when both of its feature jobs are at work."""
    words, options = command(workflow, *(arguments or (EXAMPLES,)))
    log = workflow.path("started.log")
    with log.open("w") as stream:
        popen = subprocess.Popen(words, stdout=stream, start_new_session=True, **options)
    process = Process(popen, log)
    started.append(process)
    # A job that Slurm calls running may still be starting.
    process.wait_for(lambda: len(list(workflow.folder.glob("held-*"))) == 2, timeout=600)
    return process


def jobs_of(rule: str, state: str, what: str) -> list[str]:
    """Return something of each job of a rule in a state, by a letter of squeue's formats."""
    command = ("squeue", "--noheader", f"--states={state}", f"--format=%{what}|%k")
    lines = ask(*command).stdout.splitlines()
    return [line.split("|")[0] for line in lines if f"|rule_{rule}_" in line]


def steps_of(job: str) -> list[psutil.Process]:
    """List the processes on this machine by which Slurm runs a job."""
    return [
        one
        for one in psutil.process_iter(["cmdline"])
        if f"slurmstepd: [{job}." in " ".join(one.info["cmdline"] or [])
    ]


def memory(job: dict[str, str]) -> float:
    """Return the memory that a job asked for, in MB."""
    value = job["MinMemoryNode"]
    return float(value[:-1]) * {"M": 1, "G": 1024}[value[-1]]


def gpus(job: dict[str, str]) -> int:
    """Count the GPUs that a job asked for."""
    found = re.search(r"gres[:/]gpu[:=](\d+)", job.get("TresPerJob", job.get("TresPerNode", "")))
    return int(found[1]) if found else 0


def assert_as_asked(job: dict[str, str], *, partition: str) -> None:
    """Assert that a network was trained by Slurm with what the profile asks for."""
    assert job["Partition"] == partition
    assert job["NumCPUs"] == "1"
    assert "TimeLimit" in job
    assert memory(job) >= 1000
    assert job["JobState"] == "COMPLETED"


@dataclass(frozen=True)
class Whole:
    """A run from the recordings to the page, one of whose jobs was cancelled."""

    workflow: Workflow
    jobs: list[tuple[str, dict[str, str]]]
    output: str
    records: Records


@pytest.fixture(scope="module")
def whole(slurm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Return a run through Slurm: the first of its feature jobs was cancelled.

    Its final trainings ask for a GPU, and what else trains does not. `device: auto` computes on the
    CPU where the GPUs that Slurm gives are only said to be there.
    """
    workflow = hold(tmp_path_factory.mktemp("slurm") / "copy")
    page = "results/report.html"
    started: list[Process] = []
    jobs = workflow.plan(page).jobs
    asked = ("--set-resources", "train:slurm_partition=gpu", "train:gpu=1")
    try:
        with Records() as records:
            process = begin(workflow, started, page, *asked)
            assert ask("scancel", jobs_of("features", "RUNNING", "i")[0]).returncode == 0
            workflow.path("go").touch()
            done = process.wait(timeout=1800)
        assert done.status == 0, done.output
        yield Whole(workflow, jobs, done.output, records)
    finally:
        for process in started:
            for job in process.kill():
                end(job)


def test_the_tables_are_those_of_a_local_run(whole: Whole, finished: Workflow) -> None:
    assert whole.workflow.tables() == finished.tables()
    assert whole.workflow.path("results/report.html").is_file()


@pytest.mark.parametrize(("rule", "partition", "count"), [("trial", "cpu", 0), ("train", "gpu", 1)])
def test_trainings_are_given_what_they_ask_for(
    whole: Whole, rule: str, partition: str, count: int
) -> None:
    given = whole.records.of(rule)
    assert len(given) == sum(name == rule for name, _ in whole.jobs) > 0
    for job in given:
        assert_as_asked(job, partition=partition)
        assert gpus(job) == count


def test_a_job_that_was_cancelled_is_given_more(whole: Whole) -> None:
    assert "SLURM status is: 'CANCELLED'" in whole.output
    asked = sorted(memory(job) for job in whole.records.of("features"))
    assert asked[-1] == 2 * asked[0]
    assert whole.workflow.unfinished() == []


@daemons
def test_a_node_that_vanishes(held: Workflow, started: list[Process]) -> None:
    process = begin(held, started)
    (node,) = set(jobs_of("features", "RUNNING", "N"))
    jobs = jobs_of("features", "RUNNING", "i")
    down = ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    assert down.returncode == 0, down.stderr
    # Its jobs are killed and put back into the queue. A node that is given one that it still has
    # is drained, and the job is held.
    process.wait_for(lambda: not any(map(steps_of, jobs)))
    # It may have come back by itself.
    ask("scontrol", "update", f"nodename={node}", "state=resume")
    held.path("go").touch()
    # Two minutes later, that is, unless somebody is in a hurry.
    for job in jobs_of("features", "PENDING", "i"):
        ask("scontrol", "update", f"jobid={job}", "starttime=now")
    done = process.wait()
    assert done.status == 0, done.output
    assert held.path(EXAMPLES).is_file()
    assert held.unfinished() == []


@daemons
def test_a_controller_that_restarts(held: Workflow, started: list[Process]) -> None:
    process = begin(held, started)
    # What ends meanwhile is told to the controller later.
    assert ask("scontrol", "shutdown", "slurmctld").returncode == 0
    held.path("go").touch()
    process.wait_for(lambda: held.path("results/tiny/features/0.npz").is_file())
    again = ask(SLURM, "start")
    assert again.returncode == 0, again.stderr
    done = process.wait()
    assert done.status == 0, done.output
    assert held.path(EXAMPLES).is_file()
    assert held.unfinished() == []


def test_a_partition_that_does_not_exist(slurm: None, tmp_path: Path) -> None:
    workflow = set_up(tmp_path / "copy")
    done, records = through_slurm(workflow, "--default-resources", "slurm_partition=nowhere")
    assert done.status != 0
    assert "Slurm has no partition nowhere: expected one of " in done.output
    assert "Traceback" not in done.output
    assert records.jobs == {}


@daemons
def test_a_job_with_too_little_memory_is_killed_and_given_more(slurm: None, tmp_path: Path) -> None:
    if "OverMemoryKill" not in ask("scontrol", "show", "config").stdout:
        pytest.skip("this Slurm kills no job for its memory: JobAcctGatherParams=OverMemoryKill")
    workflow = set_up(tmp_path / "copy")
    greedy = "import time\nheld = bytes(2_000_000_000).replace(b'0', b'1') + b'.'\ntime.sleep(5)\n"
    workflow.edit("workflow/scripts/recordings.py", lambda text: greedy + text)
    done, records = through_slurm(workflow, "results/tiny/recordings.csv")
    assert done.status == 0, done.output
    asked = sorted(memory(job) for job in records.of("recordings"))
    assert asked[0] == 2000 < asked[-1]
    assert [more / less for less, more in itertools.pairwise(asked)] == [2.0] * (len(asked) - 1)
    assert "Trying to restart job" in done.output
