"""Plugins of Snakemake that docs/watching.md names, beside a run."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.project.test_docs import LOGGERS
from tests.support.tools import tool
from tests.support.workflow import Workflow

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("words", LOGGERS, ids=" ".join)
def test_a_logger_shows_the_jobs(copied: Workflow, words: list[str]) -> None:
    python = tool("plugins", "python")
    logger, database = words[words.index("--logger") + 1], copied.path("runs.db")
    arguments = ["--logger", logger, "--forcerun", "compare"]
    if logger == "snkmt":
        arguments += ["--logger-snkmt-db", str(database)]
    command, environment = copied.command(*arguments)
    done = subprocess.run(
        [python, *command[1:]],
        cwd=copied.folder,
        env=environment | {"FORCE_COLOR": "1"},  # as on a terminal
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    if logger == "snkmt":
        with closing(sqlite3.connect(database)) as runs:
            rules = {name for (name,) in runs.execute("SELECT name FROM rules")}
            (states,) = zip(*runs.execute("SELECT status FROM jobs"), strict=True)
        assert {"compare", "report"} <= rules
        assert set(states) == {"SUCCESS"}
        help_of = [tool("plugins", "snkmt"), "console", "--help"]
        assert "--db-path" in subprocess.run(help_of, capture_output=True, text=True).stdout
    else:
        assert "Total Progress" in done.stdout
        assert "compare" in done.stdout
