"""Plugins of Snakemake that docs/watching.md names, beside a run."""

from __future__ import annotations

import re
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
    arguments = ["--logger", logger, "--forcerun", "report"]
    if logger == "snkmt":
        arguments += ["--logger-snkmt-db", str(database)]
    done = copied.run(*arguments, python=python, FORCE_COLOR="1")  # as on a terminal
    assert done.status == 0, done.output
    if logger == "snkmt":
        with closing(sqlite3.connect(database)) as runs:
            rules = {name for (name,) in runs.execute("SELECT name FROM rules")}
            (states,) = zip(*runs.execute("SELECT status FROM jobs"), strict=True)
        assert {"report", "records"} <= rules
        assert set(states) == {"SUCCESS"}
        help_of = [tool("plugins", "snkmt"), "console", "--help"]
        assert "--db-path" in subprocess.run(help_of, capture_output=True, text=True).stdout
    else:
        assert "Total Progress" in done.output
        assert "report" in done.output


def test_what_fails_is_named_beside_the_bars(copied: Workflow) -> None:
    start = "with job(snakemake.log[0]):\n"
    fails = f'{start}    raise RuntimeError("of a test")\n'
    copied.edit("workflow/scripts/explore.py", lambda text: text.replace(start, fails))
    python = tool("plugins", "python")
    done = copied.run("--logger", "rich", "--forcerun", "explore", python=python, FORCE_COLOR="1")
    assert done.status != 0
    said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.output)
    assert "rules/explore.smk" in said
    assert "RuntimeError: of a test" in said
    assert "At least one job did not complete successfully" in said
