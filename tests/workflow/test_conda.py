"""`--sdm conda` and `--containerize`, with a stand-in for conda: no channel is asked."""

from __future__ import annotations

import json
import re
import subprocess
from hashlib import md5
from pathlib import Path

import pytest

from tests.project.test_docs import CONDA
from tests.support.conda import lacking, put_conda
from tests.support.tools import tool
from tests.support.workflow import ROOT, Workflow

pytestmark = pytest.mark.slow
# As the README has them.
DEPLOYED, CONTAINERIZED = (words[1:] for words in CONDA)
TARGET = "results/tiny/recordings.csv"


def test_jobs_run_in_the_environment_that_snakemake_makes(fresh: Workflow, tmp_path: Path) -> None:
    start = "with job(snakemake.log[0]):\n"
    says = f"{start}    import json, sys, lib\n"
    says += '    print(json.dumps([sys.prefix, lib.__file__]), file=open("where.json", "w"))\n'
    fresh.edit("workflow/scripts/recordings.py", lambda text: text.replace(start, says))
    path = put_conda(tmp_path / "conda")
    # Snakemake takes PYTHONPATH away from such jobs, and whoever types this has set none.
    done = fresh.run(*DEPLOYED, "--", TARGET, PATH=path, PYTHONPATH="")
    assert done.status == 0, done.output
    assert fresh.path(TARGET).is_file()
    prefix, library = map(Path, json.loads(fresh.path("where.json").read_text()))
    assert prefix.parent == fresh.path(".snakemake/conda")
    assert library == fresh.path("lib/__init__.py")
    # One environment for all rules, of a copy of the file, and nothing is done to it after that.
    asked = (tmp_path / "conda" / "calls").read_text().splitlines()
    assert len([line for line in asked if line.startswith("env create")]) == 1
    copy = prefix.with_name(f"{prefix.name}.yaml")
    assert copy.read_bytes() == fresh.path("environment.yml").read_bytes()
    assert not prefix.with_name(f"{prefix.name}.post-deploy.sh").exists()


def test_the_stand_in_makes_no_environment_that_lacks_something(tmp_path: Path) -> None:
    file, text = tmp_path / "environment.yml", (ROOT / "environment.yml").read_text()
    file.write_text(text.replace("keras>=", "keras>=9").replace("wfdb>=", "not-there>="))
    keras, gone = lacking(file)
    assert re.fullmatch(r"keras>=9\S+: \S+ is installed", keras)
    assert gone.startswith("not-there>=")


def test_the_image_that_snakemake_writes_has_the_environment(
    fresh: Workflow, tmp_path: Path
) -> None:
    *options, redirect, _ = CONTAINERIZED
    assert redirect == ">"
    command, environment = fresh.command(*options)
    environment["PATH"] = put_conda(tmp_path / "conda")
    done = subprocess.run(
        command, cwd=fresh.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert [word for word, _ in steps] == ["FROM", "LABEL", "LABEL", "RUN", "COPY", "RUN"]
    # One environment, which jobs look for by what its file says.
    file = fresh.path("environment.yml")
    prefix = f"/conda-envs/{md5(file.read_bytes(), usedforsecurity=False).hexdigest()}"
    assert steps[4][1] == f"environment.yml {prefix}/environment.yaml"
    assert f"--prefix {prefix} --file {prefix}/environment.yaml" in steps[5][1]
    assert "environment.yml" not in (ROOT / ".dockerignore").read_text().split()
    linter = [tool("hadolint"), "--failure-threshold", "error", "-"]
    found = subprocess.run(linter, input=done.stdout, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
