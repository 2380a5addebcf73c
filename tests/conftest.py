"""What all tests share: the path, patience with slow machines, Keras loaded once."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# Tests start hundreds of Pythons, most of them in copies of `lib`: each would compile it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is slow, not wrong; and a test that fails must fail again when it is repeated.
settings.register_profile("heldout", deadline=None, derandomize=True, database=None)
settings.load_profile("heldout")


# More than a minute each, the longest first. Slurm waits most of its time: the earlier it starts,
# the more is done beside it.
LONGEST = (
    *("workflow/test_slurm.py", "real/test_studies.py", "project/test_benchmarks.py"),
    *("audit_scenarios/test_scenarios.py", "unit/train/test_trainer.py", "workflow/test_own.py"),
    *("workflow/test_context.py", "workflow/test_commands_run.py", "project/test_docs.py"),
    *("workflow/test_interrupt.py", "real/test_copies.py", "faults/test_machine.py"),
    *("workflow/test_rerun.py", "workflow/test_scale.py", "unit/networks/test_recurrent.py"),
    *("faults/test_growth.py", "workflow/test_elsewhere.py", "workflow/test_sweep.py"),
    *("faults/test_faults_config.py", "workflow/test_sites.py", "project/test_installed.py"),
    *("workflow/test_own_beats_run.py", "workflow/test_pods.py", "browser/test_size.py"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Have librosa compile before tests run in several processes.

    Two that fill Numba's cache at once can spoil it (numba/numba#10128), and what uses it next
    ends with signal 11. The project's own features need none of this; of the tests that are not
    slow, one file does.
    """
    if config.getoption("numprocesses", None) and config.option.markexpr != "not slow":
        compiled = "import librosa.core.audio, librosa.core.pitch, librosa.util.utils"
        subprocess.run([sys.executable, "-c", compiled], check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with long tests first, whole runs before others: no core waits for one in the end.

    `make test` deals files out to as many processes as there are cores.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    place = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}

    def order(item: pytest.Item) -> tuple[int, bool, bool]:
        known = place.get(item.path, len(LONGEST))
        return known, item.path not in slow, item.path.parent.name != "workflow"

    items.sort(key=order)


@pytest.fixture(scope="session")
def keras() -> Any:
    """Keras on TensorFlow, for the tests that train in this process."""
    from lib.networks.backend import load

    return load("tensorflow")


@pytest.fixture
def python() -> Callable[..., str]:
    """Run code in a new process and give what it prints; the test fails with its errors."""

    def run(code: str, *arguments: object) -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Put the library's logger back as it was: a job under test adds handlers to it."""
    names = ("lib", "py.warnings")
    before = [(log, log.level, list(log.handlers)) for log in map(logging.getLogger, names)]
    yield
    for log, level, handlers in before:
        log.setLevel(level)
        log.handlers[:] = handlers
    logging.captureWarnings(False)
