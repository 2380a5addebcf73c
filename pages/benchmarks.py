"""Write docs/benchmarks.md from benchmarks/measured.json, without measuring anything anew."""

from __future__ import annotations

from benchmarks.__main__ import MEASURED
from benchmarks.page import render as rendered
from lib.files import read_json
from pages.markdown import DOCS

PAGE = DOCS / "benchmarks.md"


def render() -> str:
    """Return the whole page as Markdown."""
    return rendered(read_json(MEASURED))


def write() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
