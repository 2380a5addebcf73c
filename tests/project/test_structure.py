"""The house is as docs/design.md says: small modules, short rules, tests in the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"
MODULE_LINES = 400
# A directive takes two lines as snakefmt writes it, and a rule has about nine of them.
RULE_LINES = 28
COMMON_LINES = 150


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def rules() -> Iterator[tuple[str, int]]:
    """List every rule with its lines, from `rule name:` to its last directive."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for name, body in re.findall(
            r"^(?:rule|checkpoint) (\w+):\n((?:[ \t]+.*\n|\n(?=[ \t]))+)", text, re.MULTILINE
        ):
            yield name, 1 + len(body.splitlines())


@pytest.mark.parametrize(
    "test", sorted(UNIT.rglob("test_*.py")), ids=lambda path: str(path.relative_to(UNIT))
)
def test_a_module_of_tests_is_about_a_module_or_a_package(test: Path) -> None:
    folder = test.parent.relative_to(UNIT)
    name = test.stem.removeprefix("test_")
    package = ROOT / "lib" / folder
    assert (package / f"{name}.py").is_file() or (name == package.name and package.is_dir())


def test_the_house_names_every_part_of_the_library() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    (house,) = re.findall(r"^## The house\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    rows = [line.split("|")[1] for line in house.splitlines() if line.startswith("| `")]
    named = re.findall(r"`(\w+)`", "".join(rows))
    parts = {path.stem for path in (ROOT / "lib").iterdir() if not path.name.startswith("__")}
    assert sorted(named) == sorted(parts)
    assert len(rows) <= 15


def test_no_module_of_the_library_is_long() -> None:
    modules = {str(path.relative_to(ROOT)): lines(path) for path in (ROOT / "lib").rglob("*.py")}
    assert len(modules) > 100
    assert {name: n for name, n in modules.items() if n > MODULE_LINES} == {}


def test_rules_are_short() -> None:
    lengths = dict(rules())
    assert {"retrieve", "recordings", "train", "report"} <= set(lengths)
    assert {name: n for name, n in lengths.items() if n > RULE_LINES} == {}
    assert lines(ROOT / "workflow" / "rules" / "common.smk") <= COMMON_LINES


def test_files_with_long_tests_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
