"""Releases, hooks and forms: one version, a changelog in order, the tools of `make lint`."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

import lib
from tests.project.test_docs import ROOT

FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def release_notes(root: Path, tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([root / ".ci" / "release-notes", tag], capture_output=True, text=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what a release is made from."""
    for name in (".ci/release-notes", "lib/__init__.py", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_version_stands_in_one_place() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "lib.__version__"}
    # The citation is read where nothing is installed.
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == lib.__version__ == str(Version(lib.__version__))


def test_the_changelog_is_in_order() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert first == "Unreleased"
    parts = [re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", head) for head in released]
    assert all(parts), released
    versions = [Version(part[1]) for part in parts if part]
    assert versions == sorted(set(versions), reverse=True)
    dates = [date.fromisoformat(part[2]) for part in parts if part]
    assert dates == sorted(dates, reverse=True)
    assert all(version <= Version(lib.__version__) for version in versions)
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= set(KINDS)


def test_a_release_has_the_notes_of_its_version_alone(checkout: Path) -> None:
    file = checkout / "CHANGELOG.md"
    file.write_text(
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- later\n\n"
        f"## {lib.__version__} (2026-01-02)\n\n### Fixed\n\n- this\n\n"
        f"## {lib.__version__}0 (2026-01-01)\n\n- before\n"
    )
    done = release_notes(checkout, f"v{lib.__version__}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["###", "Fixed", "-", "this"]


def test_a_tag_of_another_version_is_no_release(checkout: Path) -> None:
    done = release_notes(checkout, "v99.0.0")
    assert done.returncode == 1
    assert f"expected the tag v{lib.__version__}" in done.stderr
    assert "got v99.0.0" in done.stderr


def test_a_version_without_notes_is_no_release(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n- something\n")
    done = release_notes(checkout, f"v{lib.__version__}")
    assert done.returncode == 1
    assert f'expected a section "## {lib.__version__} (YYYY-MM-DD)"' in done.stderr


def test_hooks_are_the_commands_of_make_lint() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^lint: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    words = [re.sub(r".*\$\(BIN\)(?::\$\$PATH\")?/?", "", line) for line in recipe.splitlines()]
    linted = [line.replace(" .", "").replace(" Snakefile workflow", "").strip() for line in words]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    entries = [hook["entry"].replace(" --force-exclude", "") for hook in hooks[0]["hooks"]]
    assert entries == [f".venv/bin/{line}" for line in linted]
    assert {hook["language"] for hook in hooks[0]["hooks"]} == {"system"}


def test_the_hooks_are_read() -> None:
    pre_commit = shutil.which("pre-commit")
    if pre_commit is None:
        pytest.skip("no pre-commit: `make setup` installs it")
    command = [pre_commit, "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def fields(name: str) -> list[dict[str, Any]]:
    form = yaml.safe_load((FORMS / name).read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    return [field for field in form["body"] if field["type"] != "markdown"]


@pytest.mark.parametrize("name", ["bug.yml", "idea.yml"])
def test_forms_ask_for_what_doctor_prints(name: str) -> None:
    asked = fields(name)
    assert len({field["id"] for field in asked}) == len(asked)
    (doctor,) = [field for field in asked if field["id"] == "doctor"]
    assert "`python -m lib doctor`" in doctor["attributes"]["label"]
    assert name != "bug.yml" or doctor["validations"]["required"] is True


def test_pull_requests_and_blank_issues() -> None:
    text = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert "python -m lib doctor" in text
    assert yaml.safe_load((FORMS / "config.yml").read_text()) == {"blank_issues_enabled": False}
