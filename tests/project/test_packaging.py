"""environment.yml, pyproject.toml and the lock agree, and `make` sets up what they say."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.support.conda import CONDA
from tests.support.tools import tool

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
# What an environment needs beside the dependencies.
CONDA_ONLY = {"python", "pip"}


def project() -> dict[str, Any]:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(metadata, dict)
    return metadata


def declared(*extras: str) -> dict[str, SpecifierSet]:
    """Return the dependencies of pyproject.toml and of some of its extras, with their bounds."""
    lines = [*project()["dependencies"]]
    for extra in extras:
        lines += project()["optional-dependencies"][extra]
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(item.name): item.specifier for item in found}


def environment() -> dict[str, SpecifierSet]:
    """Return the dependencies of environment.yml, with their bounds."""
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    lines += lines[-1]["pip"]
    found = [Requirement(line) for line in lines if isinstance(line, str)]
    return {canonicalize_name(item.name): item.specifier for item in found}


def locked(file: Path = ROOT / "requirements.lock") -> list[tuple[Requirement, int]]:
    """Return the lines of a lock, each with the number of its hashes."""
    text = file.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(Requirement(line.split(" --hash")[0]), line.count("--hash=sha256:")) for line in lines]


def test_environment_has_every_dependency_with_the_same_bound() -> None:
    names = {name: CONDA.get(name, name) for name in declared("dev")}
    expected = {names[name]: bound for name, bound in declared("dev").items()}
    got = {name: bound for name, bound in environment().items() if name not in CONDA_ONLY}
    assert got == expected


def test_the_environment_can_be_made_from_a_copy_of_its_file() -> None:
    """Snakemake makes it from a copy in .snakemake/conda, where no path leads to this checkout."""
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert content["name"] == "heldout"
    assert content["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    *packages, index = content["dependencies"]
    # Each is a name with its bounds: no option, no path, no address.
    for line in [*packages, *index["pip"]]:
        assert Requirement(line).url is None
    assert set(content) == {"name", "channels", "dependencies"}
    assert list(index) == ["pip"]


def test_every_rule_has_the_environment() -> None:
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = file.read_text()
        rules = len(re.findall(r"^(?:rule|checkpoint) ", text, re.M))
        assert text.count('conda:\n        "../../environment.yml"') == rules, file.name


def pinned(python: str) -> dict[str, str]:
    """Return the versions that the lock has for a Python, whichever runs here."""
    pins: dict[str, str] = {}
    for line, _ in locked():
        if line.marker is None or line.marker.evaluate(marked(python)):
            name = canonicalize_name(line.name)
            assert name not in pins, f"{name} has two versions under Python {python}"
            (pin,) = line.specifier
            assert pin.operator == "=="
            pins[name] = pin.version
    return pins


def marked(python: str) -> dict[str, str]:
    """Return what markers are evaluated with."""
    return {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_pins_every_dependency_within_its_bound(python: str) -> None:
    pins = pinned(python)
    wanted = declared(*project()["optional-dependencies"])
    # The checkout itself is built with the setuptools of the lock.
    wanted["setuptools"] = SpecifierSet(">=78.1.1")
    assert [name for name in wanted if name not in pins] == []
    outside = [name for name, bound in wanted.items() if not bound.contains(pins[name])]
    assert outside == [], f"run uv pip compile again: {outside}"


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_pinned_agrees_under_each_python(python: str) -> None:
    """Only one of them is here: what its packages say that they need is asked for the others."""
    pins, looked = pinned(python), 0
    for found in distributions():
        name = canonicalize_name(found.name)
        if pins.get(name) != found.version:
            continue  # another Python has another version, whose needs are not known here
        looked += 1
        lines = [found.metadata["Requires-Python"], *(found.requires or [])]
        assert python in SpecifierSet(lines[0] or ""), name
        for need in map(Requirement, lines[1:]):
            if need.marker is None or need.marker.evaluate(marked(python)):
                pin = pins.get(canonicalize_name(need.name))
                assert pin is not None, f"{name} needs {need}"
                assert need.specifier.contains(pin, prereleases=True), f"{name}: {need}, {pin}"
    assert looked > 0.9 * len(pins)


def test_lock_has_a_hash_for_every_line() -> None:
    assert len(locked()) > 100
    assert [str(line) for line, hashes in locked() if hashes == 0] == []


def test_the_lock_of_the_site_has_what_its_group_asks_for() -> None:
    """It is apart, since `make setup` installs none of it."""
    file = ROOT / "docs" / "requirements.lock"
    assert [str(line) for line, hashes in locked(file) if hashes == 0] == []
    pins = {canonicalize_name(line.name): line.specifier for line, _ in locked(file)}
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for asked in map(Requirement, groups["docs"]):
        (pin,) = pins[canonicalize_name(asked.name)]
        assert asked.specifier.contains(pin.version), asked
    assert "sphinx" not in {canonicalize_name(line.name) for line, _ in locked()}


@pytest.mark.parametrize("extra", ["cuda", "jax-cuda", "tpu"])
def test_extras_of_accelerators_are_for_the_versions_of_the_lock(extra: str) -> None:
    (line,) = project()["optional-dependencies"][extra]
    asked = Requirement(line)
    assert asked.extras
    (pin,) = [one.specifier for one, _ in locked() if one.name == asked.name]
    assert asked.specifier == pin


def test_the_lock_holds_nothing_for_accelerators() -> None:
    names = [canonicalize_name(line.name) for line, _ in locked()]
    assert [name for name in names if re.match("nvidia|libtpu|jax-cuda", name)] == []


def test_python_bounds_agree() -> None:
    bound = SpecifierSet(project()["requires-python"])
    assert environment()["python"] == bound
    assert [f"3.{minor}" for minor in range(9, 20) if f"3.{minor}" in bound] == list(PYTHONS)
    low, high = re.findall(r"\((\d), (\d+)\)", (ROOT / "Makefile").read_text())
    assert (".".join(low), ".".join(high)) == (PYTHONS[0], PYTHONS[-1])
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert ci["jobs"]["ci"]["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]


def test_licences_agree() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == project()["license"] == "MIT"
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith("MIT License\n")
    assert "The Heldout authors" in licence


def imported(folder: Path) -> Iterator[str]:
    """Return the top-level names of all imports of the Python files of a folder."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def test_everything_that_is_imported_is_declared() -> None:
    ours = {
        "lib",
        "tests",
        "benchmarks",
        "pages",
        "torch",  # a peer of the benchmark, in an environment of its own
        *(path.stem for path in (ROOT / "tests").rglob("*.py")),
    }
    folders = ("lib", "workflow", "tests", "benchmarks", "pages")
    names = {name for folder in folders for name in imported(ROOT / folder)}
    names -= ours | set(sys.stdlib_module_names)
    assert "numpy" in names
    owners = packages_distributions()
    known = set(declared(*project()["optional-dependencies"]))
    lacking = [
        name for name in names if not known & {canonicalize_name(o) for o in owners.get(name, [])}
    ]
    assert lacking == []


def test_ci_does_what_make_does() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    subprocess.run(["bash", "-n", str(run)], check=True)
    lines = run.read_text().splitlines()
    assert "set -euo pipefail" in lines
    assert [line for line in lines if line.startswith("make ")] == [
        "make setup",
        "make --jobs 2 --output-sync=target lint docs",
        "make test SLOW=1",
    ]
    assert "- run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


# Stands for a Python and for uv: what it is asked is written down, `venv` puts a copy of it in
# place, pip puts uv there, and each fails as long as a file says so.
STUB = """\
#!/bin/sh
echo "${{0##*/}} $@" >> "{folder}/calls"
case "${{0##*/}} $*" in
  *"-m venv"*) rm -rf .venv; mkdir -p .venv/bin; cp "{folder}/python" .venv/bin/python;;
  uv*) test ! -e "{folder}/no-uv";;
  *"pip config"*) cat "{folder}/config" 2>/dev/null;;
  *".begun"*) grep -q "^uv==" .venv/.begun && cp "{folder}/python" .venv/bin/uv;;
  *install*) test ! -e "{folder}/broken";;
  *--version*) echo Python 3.12.0;;
esac
"""


class Checkout:
    """A folder with what `make setup` reads, and a Python that only writes down its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "requirements.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        self.python = folder / "python"
        self.python.write_text(STUB.format(folder=folder))
        self.python.chmod(0o755)

    def make(self, *arguments: str, **over: str) -> subprocess.CompletedProcess[str]:
        names = [name for name in os.environ if not name.startswith(("MAKE", "XDG_"))]
        kept = {name: os.environ[name] for name in names} | over
        return subprocess.run(
            ["make", *arguments], cwd=self.folder, env=kept, capture_output=True, text=True
        )

    def calls(self) -> list[str]:
        """Return what the Python was asked since the last look."""
        log = self.folder / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if "venv" in line or "install" in line]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if shutil.which("make") is None:
        pytest.skip("needs make")
    return Checkout(tmp_path)


def test_setup_installs_the_lock_then_the_checkout_once(checkout: Checkout) -> None:
    done = checkout.make("setup", f"PYTHON={checkout.python}")
    assert done.returncode == 0, done.stderr
    venv, uv, lock, self = checkout.calls()
    assert venv.startswith("python -m venv")
    assert uv.startswith("python -m pip install")
    assert "--require-hashes" in uv
    assert lock.startswith("uv pip install --python .venv/bin/python")
    assert "--require-hashes -r requirements.lock" in lock
    assert "--no-deps" in self
    assert self.endswith("-e .")
    assert checkout.make("setup", f"PYTHON={checkout.python}").returncode == 0
    assert checkout.calls() == []


@pytest.mark.parametrize("reason", ["no-uv", "config"])
def test_pip_does_it_where_uv_cannot_or_knows_less(reason: str, checkout: Checkout) -> None:
    (checkout.folder / reason).write_text("global.index-url='https://mirror.invalid/simple'\n")
    done = checkout.make("setup", f"PYTHON={checkout.python}")
    assert done.returncode == 0, done.stderr
    *before, lock, self = checkout.calls()
    assert lock.startswith("python -m pip install")
    assert "--require-hashes -r requirements.lock" in lock
    assert self.endswith("-e .")
    assert [call.split()[0] for call in before] == {
        "no-uv": ["python", "python", "uv"],
        "config": ["python"],
    }[reason]


def test_setup_is_redone_when_the_lock_changed(checkout: Checkout) -> None:
    checkout.make("setup", f"PYTHON={checkout.python}")
    checkout.calls()
    later = time.time() + 10
    os.utime(checkout.folder / "requirements.lock", (later, later))
    assert checkout.make("setup", f"PYTHON={checkout.python}").returncode == 0
    _, lock, self = checkout.calls()
    assert "requirements.lock" in lock
    assert self.endswith("-e .")


def test_setup_that_was_interrupted_starts_anew(checkout: Checkout) -> None:
    broken = checkout.folder / "broken"
    broken.touch()
    assert checkout.make("setup", f"PYTHON={checkout.python}").returncode != 0
    assert not (checkout.folder / ".venv" / ".ready").exists()
    broken.unlink()
    checkout.calls()
    assert checkout.make("setup", f"PYTHON={checkout.python}").returncode == 0
    assert len(checkout.calls()) == 4
    assert (checkout.folder / ".venv" / ".ready").exists()


def test_setup_names_what_it_needs_where_no_python_will_do(checkout: Checkout) -> None:
    done = checkout.make("run", "PYTHON=/nowhere/python")
    assert done.returncode != 0
    assert "expected Python 3.11, 3.12 or 3.13" in done.stderr
    assert "/nowhere/python" in done.stderr
    assert "make run PYTHON=" in done.stderr
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize("target", ["docs", "lowest"])
def test_what_has_an_environment_of_its_own_names_the_python_it_needs(
    target: str, checkout: Checkout
) -> None:
    (checkout.folder / "docs").mkdir()
    (checkout.folder / "docs" / "requirements.lock").touch()
    done = checkout.make(target, "PYTHON=/nowhere/python")
    assert done.returncode != 0
    assert "expected Python 3.11, 3.12 or 3.13" in done.stderr
    assert "got /nowhere/python" in done.stderr
    assert f"make {target} PYTHON=" in done.stderr
    assert not (checkout.folder / ".cache").exists()


def test_help_lists_every_target(checkout: Checkout) -> None:
    text = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    shown = [line.split()[0] for line in checkout.make("help").stdout.splitlines()]
    assert sorted(shown) == sorted(targets.split())


def test_caches_stay_in_the_folder_where_there_is_no_home(checkout: Checkout) -> None:
    homeless = checkout.make("-n", "run", HOME="/proc/nowhere").stdout
    assert f'XDG_CACHE_HOME="{checkout.folder}/.cache"' in homeless
    home = checkout.folder / "home"
    assert "XDG_CACHE_HOME" not in checkout.make("-n", "run", HOME=str(home)).stdout


def test_the_image_is_made_of_the_lock_and_of_files_that_are_there() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    lines = [line for line in lines if not line[0].startswith("#")]
    assert {line[0] for line in lines} <= {"FROM", "COPY", "RUN", "ENV", "USER", "WORKDIR", "CMD"}
    (version,) = re.findall(r"^FROM python:(3\.\d+)-slim", text, re.MULTILINE)
    assert version in PYTHONS
    for _, *sources, _ in [line for line in lines if line[0] == "COPY"]:
        assert all((ROOT / source).exists() for source in sources)
    # The same two steps as `make setup`, from the same lock.
    assert "--require-hashes --requirement /opt/heldout/requirements.lock" in text
    assert "--no-deps --no-build-isolation /opt/heldout" in text
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "results", "resources/data"} <= set(left_out)


def test_the_image_is_as_its_linter_likes_it() -> None:
    linter = tool("hadolint")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_catalogue_finds_what_it_asks_for() -> None:
    """A workflow of standardized usage: the main Snakefile, a page on its keys, and the flags."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(usage["mandatory-flags"]) == {"desc", "flags"}
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert (ROOT / "workflow" / "Snakefile").is_file()
    page = (ROOT / "config" / "README.md").read_text()
    keys = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == set(keys["properties"])
