"""The generated pages are as `python -m pages` writes them."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from pages.__main__ import PAGES, main
from pages.faults import LONG_RUN
from pages.markdown import ROOT, filled, table
from pages.structure import drawn, packages, reduced, rules
from tests.support.readers import READERS


# The notebook trains: tests/project/test_notebook.py runs it.
@pytest.mark.parametrize("name", [name for name in PAGES if name != "notebook"])
def test_a_page_is_as_it_is_made(name: str) -> None:
    page = import_module(f"pages.{name}")
    assert page.PAGE.read_text(encoding="utf-8") == page.render(), f"run make pages PAGES={name}"


def test_the_picture_of_the_rules_has_every_rule_of_a_default_run() -> None:
    files = {path.stem for path in (ROOT / "workflow" / "rules").glob("*.smk")}
    drawn_rules = {rule for edge in rules() for rule in edge}
    assert drawn_rules >= files - {"common", "folder", "library", "start", "storage"}
    assert {(a, b) for a, b in rules() if a == "retrieve"} >= {("retrieve", "recordings")}


def test_the_picture_of_the_packages_goes_from_the_top_to_the_bottom() -> None:
    edges = packages()
    assert {("cli", "predict"), ("train", "networks")} <= edges
    assert not {(a, b) for a, b in edges if a == "datasets"}


def test_what_other_arrows_imply_is_left_out() -> None:
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d"), ("a", "e")}
    assert reduced(edges) == {("a", "b"), ("b", "c"), ("c", "d"), ("a", "e")}
    assert drawn(edges) == drawn(sorted(edges, reverse=True))
    assert drawn([("a", "b")]) == "```mermaid\nflowchart TB\n    a --> b\n```\n"


def test_a_table_and_a_part_of_a_page() -> None:
    assert (
        table(("a", "b"), [("x", 1234)], numbers=True)
        == "| a | b |\n| --- | ---: |\n| x | 1,234 |\n"
    )
    page = "head\n<!-- x -->\nold\n<!-- end of x -->\ntail\n"
    assert filled(page, {"x": "new\n"}) == page.replace("old", "\nnew\n")
    with pytest.raises(ValueError, match="end of y"):
        filled(page, {"y": "new\n"})


def test_the_long_run_was_of_every_reader() -> None:
    rows = json.loads(LONG_RUN.read_text())
    assert list(rows) == list(READERS)
    for name, row in rows.items():
        assert row["inputs"] >= 500, name
        assert row["readings"] + row["refused"] == row["inputs"], name


def test_an_unknown_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fault"])
    assert "unknown page 'fault'; known: configuration, benchmarks" in capsys.readouterr().err
