"""A wheel of the project, installed: its command and its workflow need no checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

from lib import __version__
from tests.support.conda import put_conda
from tests.support.folders import own_folder
from tests.support.workflow import CONFIG, STUDY, small

ROOT = Path(__file__).parents[2]
SOURCES = (
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "environment.yml"),
    *("Snakefile", "workflow", "config", "profiles", "lib"),
    *("resources/registry", "resources/claims.csv"),
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the sources, without a network."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source, target = ROOT / name, folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, which borrows the dependencies of this."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    done = subprocess.run(
        [*command, "--no-deps", "--no-index", str(wheel)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (packages,) = folder.glob("lib/python*/site-packages")
    # Its own packages come before those that a .pth file names.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(binaries: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in a folder."""
    names = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = [str(binaries / "python"), "-m", "snakemake"]
    program = program if words[0] == "snakemake" else [str(binaries / words[0])]
    return subprocess.run(
        [*program, *words[1:]],
        cwd=folder,
        env=names,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )


def test_the_wheel_has_every_file_of_the_project(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    code = {f"{path.relative_to(ROOT)}" for path in (ROOT / "lib").rglob("*.*") if path.is_file()}
    code = {name for name in code if "__pycache__" not in name and not name.endswith(".pyc")}
    assert code - held == set()
    parts = [
        path for name in ("workflow", "config", "profiles") for path in (ROOT / name).rglob("*")
    ]
    parts += [*(ROOT / "resources").glob("registry/*"), ROOT / "resources" / "claims.csv"]
    parts = [path for path in parts if path.is_file() and "__pycache__" not in path.parts]
    assert len(parts) > 50
    assert {f"lib/_project/{path.relative_to(ROOT)}" for path in parts} - held == set()
    top = {name.split("/")[0] for name in held}
    assert top == {"lib", f"heldout-{__version__}.dist-info"}, "nothing else is installed"


def test_the_command_works_outside_a_checkout(binaries: Path, tmp_path: Path) -> None:
    done = run(binaries, tmp_path, "heldout", "--version")
    assert (done.returncode, done.stdout) == (0, f"heldout {__version__}\n")
    assert "usage: heldout" in run(binaries, tmp_path, "heldout", "--help").stdout
    own_folder(tmp_path / "recordings")
    done = run(binaries, tmp_path, "heldout", "audit", "recordings", "--json")
    assert "audit" not in done.stderr, done.stderr
    done = run(binaries, tmp_path, "heldout", "new-study", "recordings", "--name", "ours")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "config" / "studies" / "ours.yaml").is_file()


@pytest.mark.slow
def test_the_doctor_finds_the_installed_project_whole(binaries: Path, tmp_path: Path) -> None:
    done = run(binaries, tmp_path, "heldout", "doctor", "--json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert found["versions"]["heldout"] == __version__
    assert all(backend["works"] for backend in found["backends"].values())


@pytest.fixture(scope="module")
def deployed(binaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have the installed command make a folder to work in, and put a small study there."""
    folder = tmp_path_factory.mktemp("deployed") / "work"
    done = run(binaries, folder.parent, "heldout", "deploy", "work")
    assert done.returncode == 0, done.stderr
    shutil.copy(STUDY, folder / "config" / "studies" / "ours.yaml")
    (folder / "mine.yaml").write_text(yaml.safe_dump(small("ours")))
    return folder


def test_the_workflow_of_the_wheel_plans_a_run(binaries: Path, deployed: Path) -> None:
    plan = run(binaries, deployed, "snakemake", "--dry-run", "--config", "shards=1")
    assert plan.returncode == 0, plan.stderr
    for study in ("arrhythmia", "voices"):
        assert f"study={study}" in plan.stdout + plan.stderr
    again = run(binaries, deployed.parent, "heldout", "deploy", "work")
    assert again.returncode == 1
    assert "nothing is overwritten" in again.stderr


# The second goes on where the first ended.
@pytest.mark.parametrize(
    "target",
    [
        "results/ours/grouped/audit.json",
        pytest.param("results/report.html", marks=pytest.mark.slow),
    ],
)
def test_the_workflow_of_the_wheel_runs(binaries: Path, target: str, deployed: Path) -> None:
    asked = [target, "--cores", "2", "--configfile", "mine.yaml"]
    done = run(binaries, deployed, "snakemake", *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (deployed / target).is_file()
    assert (deployed / ".snakemake" / "heldout.last").is_file(), "the folder was not locked"


@pytest.mark.slow
def test_jobs_of_the_wheel_find_the_library_in_an_environment_of_their_own(
    binaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no library: Snakemake lets scripts look where the Python that it runs in does."""
    folder = tmp_path / "work"
    run(binaries, tmp_path, "heldout", "deploy", "work")
    monkeypatch.setenv("PATH", put_conda(tmp_path / "conda"))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"simulation": CONFIG["simulation"]}))
    target = "resources/data/mitdb.json"
    asked = [target, "--cores", "1", "--sdm", "conda", "--configfile", "mine.yaml"]
    done = run(binaries, folder, "snakemake", *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Activating conda environment" in done.stdout + done.stderr
    assert (folder / target).is_file()
