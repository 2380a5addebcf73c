"""The working directory is not the checkout: that is found, and nothing is written there.

A whole run in another folder is that of test_module.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.tools import tool
from tests.support.workflow import CONFIG, STUDY, Done, Workflow, parse_plan, set_up

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a copy of the project that no test works in."""
    return set_up(tmp_path_factory.mktemp("project") / "heldout")


def snakemake(folder: Path, *arguments: str, library: Path | None = None) -> Done:
    """Run Snakemake in a folder, with the library on the path where one is named."""
    names = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=names | ({"PYTHONPATH": str(library)} if library else {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    return Done(done.returncode, done.stdout)


def contents(folder: Path) -> dict[str, int]:
    """Return the files of a folder with the times at which they changed, caches of Python aside."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_an_empty_folder_is_enough(checkout: Workflow, snakefile: str, tmp_path: Path) -> None:
    file = str(checkout.path(snakefile))
    asked = ["--config", "studies=voices", "shards=1"]
    done = snakemake(tmp_path, "--snakefile", file, "--dry-run", *asked)
    assert done.status == 0, done.output
    plan = parse_plan(done.output)
    assert plan.values("study") == {"voices"}
    assert {"retrieve", "train", "compare", "report"} <= set(plan.rules)


def test_as_typed_from_another_folder(checkout: Workflow, tmp_path: Path) -> None:
    where = ["--snakefile", str(checkout.path("Snakefile")), "--directory", str(tmp_path)]
    laid = ["--configfile", str(checkout.path("config/findings.yaml"))]
    done = snakemake(tmp_path, *where, "--dry-run", *laid, "--config", "shards=1")
    assert done.status == 0, done.output
    assert parse_plan(done.output).values("study") == {"arrhythmia", "heart_sounds", "voices"}
    # The profile beside the Snakefile holds.
    assert "profiles/default" in done.output


def test_a_missing_configuration_is_no_wall_of_text(checkout: Workflow, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("sede: 3\n")
    file = str(checkout.path("workflow/Snakefile"))
    done = snakemake(tmp_path, "--snakefile", file, "--dry-run", "--configfile", "mine.yaml")
    assert done.status != 0
    assert done.output.count("unknown key 'sede'. Did you mean 'seed'?") == 1
    assert "which are missing" not in done.output


def test_an_unknown_study_names_the_studies_of_both(checkout: Workflow, tmp_path: Path) -> None:
    (tmp_path / "config" / "studies").mkdir(parents=True)
    shutil.copy(STUDY, tmp_path / "config" / "studies" / "ours.yaml")
    file = str(checkout.path("workflow/Snakefile"))
    done = snakemake(tmp_path, "--snakefile", file, "--dry-run", "--config", "studies=our")
    assert done.status != 0
    assert "Did you mean 'ours'?" in done.output
    assert f"{checkout.path('config/studies')} has accents, arrhythmia" in done.output
    assert "config/studies has ours." in done.output


def test_work_is_done_in_the_working_directory_alone(checkout: Workflow, tmp_path: Path) -> None:
    before = contents(checkout.folder)
    (tmp_path / "config" / "studies").mkdir(parents=True)
    shutil.copy(STUDY, tmp_path / "config" / "studies" / "ours.yaml")
    (tmp_path / "config" / "config.yaml").write_text(yaml.safe_dump(CONFIG | {"studies": ["ours"]}))
    file = str(checkout.path("workflow/Snakefile"))
    target = "results/ours/grouped/audit.json"
    done = snakemake(tmp_path, target, "--snakefile", file)
    assert done.status == 0, done.output
    assert (tmp_path / target).is_file()
    assert (tmp_path / "resources" / "data" / "mitdb.json").is_file()
    assert (tmp_path / "logs" / "audit" / "ours-grouped.log").is_file()
    assert contents(checkout.folder) == before
    again = snakemake(tmp_path, target, "--snakefile", file, "--dry-run")
    assert "Nothing to be done" in again.output


def test_deployed_as_the_catalogue_says(
    checkout: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the repository stands for the one on its host; what is deployed is not edited."""
    program = tool("snakedeploy")
    repository = tmp_path / "github" / "lab" / "heldout"
    shutil.copytree(checkout.folder, repository, symlinks=True)
    git = ["git", "-c", "user.name=lab", "-c", "user.email=lab@example.org", "-C", str(repository)]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{tmp_path}/github/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "deployed"
    folder.mkdir()
    source = "https://github.com/lab/heldout"
    command = [program, "deploy-workflow", source, str(folder), "--tag", "v1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shutil.copy(STUDY, folder / "config" / "studies" / "ours.yaml")
    asked = ["--config", "studies=ours", "seeds=0", "resamples=100", "simulation={scale: 0.01}"]

    # The tests' environment may have the library: here it is as if it had none.
    other = tmp_path / "other"
    other.mkdir()
    (other / "lib.py").write_text("raise ModuleNotFoundError(\"No module named 'lib'\")")
    without = snakemake(folder, "--dry-run", *asked, library=other)
    assert without.status != 0
    assert "expected the library of this workflow to be installed" in without.output
    assert "python -m pip install" in without.output

    # The folder of the copy is on the path, as an installed library would be.
    target = "results/ours/grouped/audit.json"
    done = snakemake(folder, target, *asked, library=checkout.folder)
    assert done.status == 0, done.output
    assert (folder / target).is_file()
    assert not (repository / "results").exists()
