"""The tutorials: their files are there, and their text is what the commands give."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lib.own.study import study_text
from lib.simulate.simulator import simulate
from tests.project.test_docs import ROOT
from tests.support.workflow import set_up

TUTORIALS = ROOT / "docs" / "tutorials"


def blocks(page: str, language: str) -> list[str]:
    text = (TUTORIALS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_folder_of_the_tutorial_has_two_classes_of_twenty(tmp_path: Path) -> None:
    simulate("five_voices", tmp_path / "resources" / "data" / "five_voices")
    script, *_ = blocks("my-folder.md", "sh")
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, check=True)
    classes = {path.name: path for path in (tmp_path / "my_recordings").iterdir()}
    assert sorted(classes) == ["James", "Linda"]
    assert [len(list(path.iterdir())) for path in classes.values()] == [20, 20]
    assert "40 in 2 classes" in study_text(tmp_path / "my_recordings")


@pytest.mark.slow
def test_the_jobs_of_the_first_tutorial_are_those_of_a_dry_run(tmp_path: Path) -> None:
    workflow = set_up(tmp_path / "copy")
    workflow.config = {"studies": ["voices"]}
    plan = workflow.plan()
    (listed,) = [text for text in blocks("first-verdict.md", "text") if "Job stats" in text]
    counts = dict(re.findall(r"^(\w+) +(\d+)$", listed, re.MULTILINE))
    total = counts.pop("total")
    assert {**plan.rules, "all": 1} == {rule: int(count) for rule, count in counts.items()}
    assert sum(map(int, counts.values())) == int(total)
