"""docs/faults.md says what the tests count."""

from __future__ import annotations

import json

from tests.faults import figures
from tests.support.readers import READERS


def test_the_page_holds_the_figures_that_the_tests_count() -> None:
    page = figures.PAGE.read_text(encoding="utf-8")
    assert page == figures.written(page), "run python -m tests.faults.figures"


def test_the_long_run_was_of_every_reader() -> None:
    rows = json.loads(figures.LONG_RUN.read_text())
    assert list(rows) == list(READERS)
    for name, row in rows.items():
        assert row["inputs"] >= 500, name
        assert row["readings"] + row["refused"] == row["inputs"], name
