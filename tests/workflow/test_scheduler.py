"""The scheduler looks for jobs that can start when a job has ended, and at no other time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

JOBS = 20
# Jobs that all can start at once, on one core.
WORKFLOW = f"""
include: "{ROOT}/workflow/rules/scheduler.smk"


rule all:
    input: expand("done/{{number}}", number=range({JOBS}))


rule one:
    output: "done/{{number}}"
    shell: "sleep 0.3; touch {{output}}"


onstart: rest_scheduler()
"""


@pytest.mark.parametrize("limit", [None, "99/1s"])
def test_the_scheduler_looks_once_a_job(tmp_path: Path, limit: str | None) -> None:
    (tmp_path / "Snakefile").write_text(WORKFLOW, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--verbose"]
    command += ["--max-jobs-per-timespan", limit] if limit else []
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "done").iterdir())) == JOBS
    looks = done.stderr.count("Resources before job selection")
    if limit:
        assert looks > 1.5 * JOBS
    else:
        assert looks <= JOBS + 1
