"""Fixtures: one finished run for all tests, and copies of it to change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.workflow import Process, Workflow, end, set_up


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    # Where tests are dealt to several processes, the first that needs the run makes it for all:
    # the folder of a process lies in one that they share.
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, log = shared / "finished", shared / "finished" / "first.log"
    with FileLock(shared / "finished.lock"):
        if not log.exists():
            done = set_up(folder).run()
            assert done.status == 0, done.output
            log.write_text(done.output)
    return Workflow(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Workflow:
    """Return a copy of the project in which nothing has run."""
    return set_up(tmp_path / "copy")


@pytest.fixture
def finished(_finished: Workflow) -> Workflow:
    """Return the run that all tests share: to look at, not to change."""
    return _finished


@pytest.fixture
def copied(_finished: Workflow, tmp_path: Path) -> Workflow:
    """Return a copy of the finished run, times of files included, to change at will."""
    # Snakemake compares times, and copytree keeps them.
    shutil.copytree(_finished.folder, tmp_path / "copy", symlinks=True)
    return Workflow(tmp_path / "copy")


@pytest.fixture
def started() -> Iterator[list[Process]]:
    """Hold the processes that a test starts, and end what is left of them."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        for job in process.kill():
            end(job)
