"""The page at full size: as many splits, folds, seeds, epochs and trials as there may be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lib.compare import compare
from lib.plots import plot_overall, plot_study
from lib.report import render
from tests.browser.conftest import Browser
from tests.support.runs import make_runs, study

MEGABYTE = 1e6
CLASSES = [f"class {letter}" for letter in "ABCDEF"]
# Shapes of examples, as the studies have them at full effort: of one channel, and the longest.
SHAPES = {"beats": (187, 1), "windows": (10_000, 2)}


def _full(name: str) -> dict[str, object]:
    one = study(
        name, classes=CLASSES, scored=CLASSES, seeds=(0, 1, 2),
        architectures=("simple_rnn", "lstm", "gru", "cnn", "cnn_lstm"),
        example_kind="beats" if name == "beats" else "spectral",
    )  # fmt: skip
    honest = {"kind": "published", "honest": True}
    protocols = one["protocols"]
    protocols["published"] = honest | {"title": "as published"}
    protocols["published_again"] = honest | {"title": "as published, without one patient"}
    return one


@pytest.mark.slow
def test_a_full_page_is_small_enough_and_opens(browser: Browser, tmp_path: Path) -> None:
    studies = [_full(name) for name in SHAPES]
    made = make_runs(
        tmp_path, studies=studies, groups=40, per_group=4, folds=5, epochs=60, trials=48
    )
    for name, shape in SHAPES.items():
        path = made["results"] / name / "examples.npy"
        rng = np.random.default_rng(0)
        np.save(path, rng.normal(size=(len(np.load(path)), *shape)).astype(np.float32))
    compare(
        studies, results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=20,
    )  # fmt: skip
    for one in studies:
        plot_study(
            one, tables=made["tables"], results=made["results"],
            folder=made["plots"] / str(one["study"]),
        )  # fmt: skip
    plot_overall(studies, tables=made["tables"], folder=made["plots"])
    names = ("tables", "plots", "results", "manifests", "provenance")
    page = render(studies, output=tmp_path / "report.html", **{name: made[name] for name in names})
    # Two studies with the most of everything: the page of all five, of which one is small, stays
    # below 15 MB.
    assert page.stat().st_size < 2 / 4 * 15 * MEGABYTE
    browser.open(page)
    assert browser.console() == []
    timing = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
    print(f"{page.stat().st_size / MEGABYTE:.1f} MB, opened in {browser.js(timing):.0f} ms")
