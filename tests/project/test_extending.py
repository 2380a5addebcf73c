"""docs/extending.md: what it adds, built in a copy from its own code, comes to the report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from tests.support.folders import RATE, tone
from tests.support.workflow import set_up

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
    for kind, block in re.findall(r"```(python|diff|yaml)\n(.*?)```", PAGE, re.DOTALL):
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
    assert len(re.findall("^## An? (?!study)", PAGE, re.MULTILINE)) == 6
    for file in copy.rglob("*.py"):
        compile(file.read_text(), str(file), "exec")


SPEAKERS = ("anna", "ben", "cleo", "dan", "eva", "finn", "gus", "hana")

# What the page adds, and the tables in which it is looked for: column, value.
FOUND = {
    "leaderboard": [
        *(("metric", "top_two"), ("architecture", "mlp"), ("architecture", "nearest")),
        *(("protocol", "later"), ("study", "clicks")),
    ],
    "runs": [("dataset", "clicks"), ("architecture", "mlp"), ("protocol", "later")],
}


@pytest.mark.slow
def test_what_the_page_adds_comes_to_the_report(tmp_path: Path) -> None:
    workflow = set_up(tmp_path / "copy")
    build(workflow.folder)
    mirror = tmp_path / "mirror" / "clicks"
    mirror.mkdir(parents=True)
    for number in range(40):
        label, pitch = (("dental", 900.0), ("lateral", 300.0))[number % 2]
        name = f"{SPEAKERS[number // 5]}_{label}_{number}.wav"
        soundfile.write(mirror / name, tone(number, pitch, seconds=0.2), RATE)
    shutil.copy(next(mirror.glob("anna_dental_*.wav")), mirror / "anna_dental_1.wav")
    workflow.config = {
        **{"studies": ["clicks"], "mirror": str(mirror.parent), "resamples": 100, "seeds": [0]},
        "baselines": ["majority", "nearest"],
    }
    done = workflow.run()
    assert done.status == 0, done.output
    for table, wanted in FOUND.items():
        rows = pd.read_csv(workflow.path(f"results/tables/{table}.csv"))
        for column, value in wanted:
            assert value in set(rows[column]), (table, column, value)
    examples = np.load(workflow.path("results/clicks/examples.npy"))
    assert examples.shape[1:] == (20, 1)
    page = workflow.path("results/report.html").read_text(encoding="utf-8")
    for name in ("MLP", "nearest", "top-two accuracy", "the last speakers", "Clicks"):
        assert name in page, name


# Tests of what the page extends, and what they read: they hold for what is added, too.
HELD = [
    *("tests/unit/features/test_features.py", "tests/unit/retrieve/test_registry.py"),
    *("resources/registry", "workflow/rules"),
]


@pytest.mark.slow
def test_its_tests_pass(copy: Path) -> None:
    for part in HELD:
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
    tests = build(copy) + [part for part in HELD if part.startswith("tests/")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name}::" in done.stdout for name in tests)
