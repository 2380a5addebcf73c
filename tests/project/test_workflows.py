"""The workflow files of GitHub: pinned, with few rights, and as two linters want them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from typing import Any

import pytest
import yaml

from tests.project.test_docs import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WRITES = {"security-events", "id-token", "pages", "contents", "attestations"}


def jobs(file: Any) -> dict[str, Any]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    assert isinstance(found, dict)
    return found


def test_each_workflow_is_there() -> None:
    names = {file.stem for file in FILES}
    assert names == {"advisories", "ci", "codeql", "docs", "release", "scorecard"}


def test_actions_are_pinned_to_one_commit_each() -> None:
    commits = defaultdict(set)
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        lines = re.findall(r"uses: (.*)", text)
        assert lines, file.name
        for line in lines:
            pin = re.fullmatch(r"([\w-]+/[\w-]+)[\w/-]*@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
            assert pin, (file.name, line)
            commits[pin[1]].add((pin[2], pin[3]))
    assert {name: pins for name, pins in commits.items() if len(pins) > 1} == {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_job_ends_and_writes_only_what_it_must(file: Any) -> None:
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert whole["permissions"] in ({}, {"contents": "read"})
    for name, job in jobs(file).items():
        assert 0 < job["timeout-minutes"] <= 60, name
        writes = {right for right, how in job.get("permissions", {}).items() if how == "write"}
        assert writes <= WRITES, name
        # What runs code of the project cannot write: what writes runs actions alone, but for `gh`.
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert not writes or all(run.startswith("gh release create ") for run in runs), name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_what_they_run_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    runs = [s["run"] for f in FILES for job in jobs(f).values() for s in job["steps"] if "run" in s]
    made = [run.split()[1] for run in runs if run.startswith("make ")]
    assert {"advisories", "docs", "lowest", "sbom", "setup"} == set(made)
    assert set(made) <= set(targets.split())
    for run in runs:
        for script in re.findall(r"\.ci/[\w-]+", run):
            assert (ROOT / script).is_file(), run


@pytest.mark.parametrize("linter", ["zizmor --offline --no-progress .", "actionlint"])
def test_a_linter_finds_nothing(linter: str) -> None:
    program, *arguments = linter.split()
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"no {program} here")
    done = subprocess.run([path, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
