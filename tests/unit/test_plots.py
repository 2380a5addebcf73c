"""Pictures: which files, the same bytes twice, and names that look like markup or mathematics."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from lib.compare import compare
from lib.errors import HeldoutError
from lib.plots import plot_overall, plot_study
from lib.plots.style import ARCHITECTURE_COLOURS
from tests.runs import make_runs, study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    one = study(
        "odd", classes=["<b>&amp;", "$x_1"], scored=["<b>&amp;", "$x_1"], architectures=["lstm"]
    )
    made = make_runs(tmp_path_factory.mktemp("plots"), studies=[one], groups=12, per_group=6)
    compare(
        made["studies"], results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=100,
    )  # fmt: skip
    return made


def _plot(made, folder):
    return plot_study(
        made["studies"][0], tables=made["tables"], results=made["results"], folder=folder
    )


def test_pictures_are_well_formed_and_the_same_twice(made, tmp_path):
    one, two = _plot(made, tmp_path / "one"), _plot(made, tmp_path / "two")
    names = {path.name for path in one}
    assert {"inflation.svg", "inflation.png", "examples.svg", "confusion_grouped.png"} <= names
    assert {"learning_curves_random.svg", "class_counts_random.svg"} <= names
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
    for path in one:
        if path.suffix == ".svg":
            ElementTree.parse(path)
            assert "<dc:date>" not in path.read_text()
    assert "$x_1" in (tmp_path / "one" / "confusion_grouped.svg").read_text()


def test_simulated_recordings_are_named_in_the_picture(made, tmp_path):
    plot_overall(made["studies"], tables=made["tables"], folder=tmp_path)
    assert "simulated recordings" in (tmp_path / "inflation.svg").read_text()


def test_no_study_with_two_protocols_still_gives_a_picture(made, tmp_path):
    other = made["studies"][0] | {"study": "another"}
    plot_overall([other], tables=made["tables"], folder=tmp_path)
    assert "No study has both" in (tmp_path / "inflation.svg").read_text()


def test_each_architecture_has_its_own_colour():
    colours = list(ARCHITECTURE_COLOURS.values())
    assert len(colours) == len(set(colours)) == 5


def test_a_long_signal_keeps_its_peaks():
    from lib.plots.data import MOST_POINTS, _envelope

    x = np.zeros(10_000)
    x[7777] = 5
    time, values = _envelope(x)
    assert len(values) <= MOST_POINTS + 2
    assert values.max() == 5
    assert abs(time[values.argmax()] - 7777) < 60


def test_missing_examples_are_named(made, tmp_path):
    path = made["results"] / "odd" / "examples.npy"
    kept = path.read_bytes()
    path.write_bytes(b"no array")
    try:
        with pytest.raises(HeldoutError, match=r"examples.npy: expected an array of examples"):
            _plot(made, tmp_path)
    finally:
        path.write_bytes(kept)
