"""Runs whose results lie in a store: on one machine, and in pods that share a claim alone."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lib.files import read_yaml
from tests.project.test_docs import PODS
from tests.support.kubernetes import cluster
from tests.support.tools import tool
from tests.support.workflow import Done, Workflow, parse_plan

pytestmark = pytest.mark.slow
PROFILE = "profiles/kubernetes"


@pytest.fixture
def store(tmp_path: Path) -> list[str]:
    """Return the options of a run whose files lie in a folder that stands for a bucket."""
    if shutil.which("rsync") is None:
        pytest.skip("needs rsync, which the plugin copies with")
    folder = os.fspath(tmp_path / "store")
    return ["--default-storage-provider", "fs", "--default-storage-prefix", folder]


def run(fresh: Workflow, *arguments: str, **environment: str) -> Done:
    """Run Snakemake with the environment that has the plugins, in a folder that Git knows."""
    # What Git tracks is what pods are given.
    fresh.path(".gitignore").write_text(".snakemake/\nlogs/\nresults/\n")
    subprocess.run(["git", "init", "--quiet"], cwd=fresh.folder, check=True)
    subprocess.run(["git", "add", "."], cwd=fresh.folder, check=True)
    # The profile has --jobs in place of --cores.
    cores = None if "--profile" in arguments else 2
    python = tool("plugins", "python")
    return fresh.run(*arguments, cores=cores, python=python, **environment)


def test_a_run_in_a_store_gives_the_tables_of_one_without(
    fresh: Workflow, finished: Workflow, store: list[str]
) -> None:
    done = run(fresh, *store)
    assert done.status == 0, done.output
    there = Path(store[-1]) / "results"
    tables = finished.tables()
    assert {name: (there / "tables" / name).read_bytes() for name in tables} == tables
    assert (there / "report.html").is_file()
    assert (there / "plots" / "tiny.zip").is_file()
    # Datasets are no output: they lie where all jobs see them.
    assert fresh.path("resources/data/mitdb").is_dir()
    assert not fresh.path("results/report.html").exists()
    assert "Nothing to be done" in run(fresh, *store).output


def test_jobs_in_pods_share_a_claim_and_a_store(
    fresh: Workflow, store: list[str], tmp_path: Path
) -> None:
    python, image, pods = tool("plugins", "python"), tmp_path / "image", tmp_path / "pods"
    image.mkdir()
    pods.mkdir()
    # What a pod calls of its image. The plugin of the store, which it would install, is there.
    for name, text in {"python": f'exec {shlex.quote(python)} "$@"', "pip": "exit 0"}.items():
        (image / name).write_text(f"#!/bin/sh\n{text}\n")
        (image / name).chmod(0o755)
    # How many feature jobs there are is then told by the table that the checkpoint wrote.
    fresh.configure({"shards": None})
    options = ["--profile", PROFILE, *store, "--seconds-between-status-checks", "1"]
    search = os.pathsep.join([os.fspath(image), "/usr/bin", "/bin"])
    with cluster(pods, path=search) as made:
        done = run(fresh, *options, "results/tiny/examples.npy", KUBECONFIG=str(made.kubeconfig))
        assert done.status == 0, f"{done.output}\n{made.logs()}"
    assert (Path(store[-1]) / "results" / "tiny" / "examples.npy").is_file()
    assert not fresh.path("resources/data/mitdb").exists()
    assert (pods / "claims" / "recordings" / "mitdb").is_dir()
    assert len(made.jobs) == 4
    profile = read_yaml(fresh.path(f"{PROFILE}/profile.yaml"))
    for body in made.jobs.values():
        (container,) = body["spec"]["template"]["spec"]["containers"]
        assert container["image"] == profile["container-image"]
        # A container may use what it asked for, and no more.
        asked = container["resources"]
        for name in ("memory", "ephemeral-storage"):
            assert re.fullmatch(r"\d+M", asked["requests"][name])
            assert asked["limits"][name] == asked["requests"][name]


@pytest.mark.parametrize("words", PODS, ids=" ".join)
def test_the_profile_plans_a_run(fresh: Workflow, store: list[str], words: list[str]) -> None:
    done = run(fresh, *words[1:], *store, "--dry-run")
    assert done.status == 0, done.output
    rules = parse_plan(done.output).rules
    assert {"retrieve", "recordings", "trial", "train", "report"} <= set(rules)
    assert ("gpu=1" in done.output) == ("device=gpu" in words)


def test_a_bayesian_search_is_refused_before_anything_runs(
    fresh: Workflow, store: list[str]
) -> None:
    file = fresh.path("config/studies/tiny.yaml")
    study = yaml.safe_load(file.read_text())
    study["architectures"]["gru"] |= {"method": "bayes", "trials": 2, "workers": 1}
    file.write_text(yaml.safe_dump(study))
    done = run(fresh, *store, "--dry-run")
    assert done.status != 0
    assert "tiny, gru, method: expected grid or random" in done.output
