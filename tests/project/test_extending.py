"""docs/extending.md: what it adds is built from its own code, in a copy, and its tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def changed(text: str, lines: list[str]) -> str:
    """Apply the lines of a diff; what they change must be in the text."""
    before = "\n".join(line[1:] for line in lines if line[0] in " -")
    after = "\n".join(line[1:] for line in lines if line[0] in " +")
    assert before in text, f"the page changes what is not there:\n{before}"
    return text.replace(before, after, 1)


def build(folder: Path) -> list[str]:
    """Do in a folder what the page says, section by section; give the tests it adds."""
    tests = []
    for kind, block in re.findall(r"```(python|diff)\n(.*?)```", PAGE, re.DOTALL):
        head, body = block.split("\n", 1)
        file = folder / head.removeprefix("--- ").removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        if kind == "diff":
            file.write_text(changed(file.read_text(), body.rstrip("\n").split("\n")))
            continue
        assert not file.exists()
        file.write_text(body)
        tests += [head.removeprefix("# ")] if file.name.startswith("test_") else []
    return tests


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("lib", "workflow/schemas"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_page_adds_one_of_each(copy: Path) -> None:
    tests = build(copy)
    assert len(tests) == 6
    assert len(re.findall("^## ", PAGE, re.MULTILINE)) == 6
    for file in copy.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")


@pytest.mark.slow
def test_its_tests_pass(copy: Path) -> None:
    tests = build(copy)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name}::" in done.stdout for name in tests)
