"""Killed at a given stage and started again, a run ends as if nothing had happened.

tests/faults/test_kills.py kills at random moments.
"""

from __future__ import annotations

import shutil
import time

import psutil
import pytest
from filelock import FileLock

from tests.support.workflow import Process, Workflow, alive


def forget(workflow: Workflow, architecture: str) -> None:
    """Take away the final runs of one architecture, and its trained weights."""
    # What lies between is not missed while the last of all is there.
    workflow.path("results/report.html").unlink()
    for name in ("tables", "tiny/fits"):
        shutil.rmtree(workflow.path(f"results/{name}"))
    for protocol in ("grouped", "random"):
        shutil.rmtree(workflow.path(f"results/tiny/{protocol}/{architecture}"))


def at_work(process: Process, rule: str) -> list[psutil.Process]:
    """List the jobs of a rule that run."""
    jobs = []
    for job in process.jobs():
        try:
            if any(part.endswith(f".{rule}.py") for part in job.cmdline()):
                jobs.append(job)
        except psutil.NoSuchProcess:
            continue
    return jobs


@pytest.mark.slow
def test_jobs_that_outlive_their_snakemake_are_waited_for(
    copied: Workflow, started: list[Process]
) -> None:
    undisturbed = copied.tables()
    forget(copied, "gru")
    first = copied.start()
    started.append(first)
    first.wait_for(lambda: at_work(first, "train"))
    time.sleep(1)
    left = first.kill(orphans=True)
    assert any(map(alive, left)), "there is no orphan: nothing is tested"

    done = copied.run()
    assert done.status == 0, done.output
    assert copied.tables() == undisturbed
    assert copied.unfinished() == []
    assert copied.plan().jobs == []
    assert not any(map(alive, left))


@pytest.mark.slow
def test_every_stage_survives_its_own_end(
    finished: Workflow, fresh: Workflow, started: list[Process]
) -> None:
    for rule in ("retrieve", "features", "examples", "trial", "train", "compare", "plots"):
        process = fresh.start()
        started.append(process)
        process.wait_for(lambda rule=rule, process=process: at_work(process, rule))
        process.kill()
    done = fresh.run()
    assert done.status == 0, done.output
    assert fresh.tables() == finished.tables()
    assert fresh.unfinished() == []
    assert fresh.plan().jobs == []


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_sent_away(copied: Workflow, started: list[Process]) -> None:
    # The first run waits here, in the middle of a job, for as long as the test likes.
    with FileLock(copied.path("logs/plots/.tiny.log.lock")):
        first = copied.start("--forcerun", "plots")
        started.append(first)
        first.wait_for(lambda: at_work(first, "plots"))
        second = copied.run("--forcerun", "plots")
        assert second.status != 0
        assert "another run is at work in this folder" in second.output
        assert "Wait for it to end" in second.output
        assert first.popen.poll() is None
    done = first.wait()
    assert done.status == 0, done.output
    assert copied.path("results/report.html").is_file()
