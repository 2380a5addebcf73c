"""Pictures: which files, the same bytes twice, and names that look like markup or mathematics."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from lib.compare import compare
from lib.errors import HeldoutError
from lib.files import read_table
from lib.networks.registry import ARCHITECTURES
from lib.plots import drawing, plot_overall, plot_study
from lib.plots.choices import validation_against_test
from lib.plots.comparison import critical_differences, fronts, importances, reliability
from lib.plots.data import Mean, example_inputs, mean_examples
from lib.plots.groups import scores_of_groups, scores_of_subgroups
from lib.plots.inputs import class_means
from lib.plots.shortcuts import against_permuted, told_by_features
from lib.plots.style import colour, colours, decimal, save
from lib.report.figures import figure as figure_of_page
from tests.support.runs import make_runs, study


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
    own = [*map(colour, ARCHITECTURES), colour("majority")]
    assert len(own) == len(set(own)) == 6


def test_variants_of_an_architecture_have_shades_of_its_colour():
    names = ["lstm.a", "gru", "lstm.b", "lstm.c"]
    tones = colours(names)
    assert list(tones) == names
    assert (tones["lstm.a"], tones["gru"]) == (colour("lstm"), colour("gru"))
    assert len(set(tones.values())) == 4
    light = [np.mean(to_rgb(tones[name])) for name in ("lstm.a", "lstm.b", "lstm.c")]
    assert sorted(light) == light


@pytest.mark.parametrize(
    ("value", "signed", "plain"),
    [
        *((0.234, "+0.23", "0.23"), (-0.234, "−0.23", "−0.23"), (1234.5, "+1,234.50", "1,234.50")),
        *((0.004, "0.00", "0.00"), (-0.004, "0.00", "0.00"), (np.nan, "", "")),
    ],
)
def test_a_difference_that_rounds_to_zero_has_no_sign(value, signed, plain):
    assert decimal(value, sign=True) == signed
    assert decimal(value) == plain


def test_the_inflation_of_all_studies_is_read_once(made, tmp_path, monkeypatch):
    paths = []

    def read(path, **options):
        paths.append(path.name)
        return read_table(path, **options)

    monkeypatch.setattr(drawing, "read_table", read)
    plot_overall(made["studies"] * 2, tables=made["tables"], folder=tmp_path)
    assert sorted(paths) == ["inflation.csv", "ranks.csv"]


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


def _ranks(**columns):
    table = {
        "scope": "studies",
        "architecture": ["lstm", "gru", "cnn"],
        "mean_rank": [1.2, 2.0, 2.8],
    }
    return pd.DataFrame(table | {"critical_difference": 1.0} | columns)


def test_ranks_within_the_critical_difference_are_joined():
    from lib.plots.comparison import _cliques

    rank = np.array([1.0, 1.5, 2.0, 3.9, 4.0])
    assert _cliques(rank, 1.0) == [(0, 2), (3, 4)]
    assert _cliques(rank, 0.6) == [(0, 1), (1, 2), (3, 4)]
    assert _cliques(rank, 0.05) == []
    assert _cliques(rank, 9.0) == [(0, 4)]


@given(st.lists(st.floats(1, 9), min_size=2, max_size=9), st.floats(0.01, 9))
def test_two_ranks_share_a_bar_just_where_they_are_close_enough(ranks, width):
    from lib.plots.comparison import _cliques

    rank = np.sort(np.array(ranks))
    cliques = _cliques(rank, width)
    for i in range(len(rank)):
        for j in range(i + 1, len(rank)):
            joined = any(first <= i and j <= last for first, last in cliques)
            assert joined == (rank[j] <= rank[i] + width)


def test_a_ranking_shows_names_ranks_and_the_difference(tmp_path):
    save(critical_differences(_ranks()), tmp_path / "ranks")
    drawing = (tmp_path / "ranks.svg").read_text()
    for words in ("LSTM  1.20", "2.80  CNN", "critical difference 1.00"):
        assert words in drawing


def test_ranks_without_a_difference_are_words(tmp_path):
    for table in (_ranks(critical_difference=np.nan), _ranks().head(1), _ranks().head(0)):
        save(critical_differences(table), tmp_path / "ranks")
        assert (
            "Too few studies share the same architectures" in (tmp_path / "ranks.svg").read_text()
        )


def test_nothing_is_drawn_where_there_is_nothing(made):
    one = made["studies"][0]
    bins = pd.DataFrame(columns=["architecture", "bin_low", "confidence", "accuracy", "count"])
    assert reliability(one, bins) is None
    assert (
        importances(one, pd.DataFrame(columns=["architecture", "hyperparameter", "importance"]))
        is None
    )
    costs = ["parameters", "model_kb", "train_seconds", "predict_seconds"]
    assert fronts(pd.DataFrame(columns=["architecture", "macro_f1", *costs])) is None


def test_calibration_shows_the_bins_that_hold_something(made):
    bins = pd.DataFrame(
        {
            "architecture": "lstm", "bin_low": [0.0, 0.5, 0.9], "confidence": [np.nan, 0.6, 0.95],
            "accuracy": [np.nan, 0.5, 0.9], "count": [0, 10, 30],
            "accuracy_low": [np.nan, 0.3, np.nan], "accuracy_high": [np.nan, 0.7, np.nan],
        }
    )  # fmt: skip
    axes = reliability(made["studies"][0], bins).axes[0]
    assert axes.lines[1].get_xydata().tolist() == [[0.6, 0.5], [0.95, 0.9]]
    spans, dots = axes.collections
    assert next(line.tolist() for line in spans.get_segments()) == [[0.6, 0.3], [0.6, 0.7]]
    few, many = dots.get_sizes()
    assert few < many


def test_the_front_is_what_the_table_marks():
    rows = pd.DataFrame(
        {
            "architecture": ["lstm", "gru", "cnn"], "macro_f1": [0.7, 0.2, np.nan],
            "parameters": [1000, 0, 10], "model_kb": np.nan, "train_seconds": np.nan,
            "predict_seconds": np.nan, "front_parameters": [True, True, False],
        }
    )  # fmt: skip
    figure = fronts(rows)
    (axes,) = figure.axes
    # A cost of 0 has no place on a logarithmic axis, a model without a score none at all.
    assert axes.lines[0].get_xydata().tolist() == [[1000, 0.7]]
    assert len(axes.lines) == 2


@pytest.mark.parametrize("costs", [(3.2, 3.9), (1e-4, 1.1e-4), (5, 50_000), (40, 700)])
def test_costs_however_close_stand_between_ticks(costs):
    rows = pd.DataFrame(
        {
            "architecture": ["lstm", "cnn"], "macro_f1": [0.7, 0.8], "parameters": costs,
            "model_kb": np.nan, "train_seconds": np.nan, "predict_seconds": np.nan,
            "front_parameters": [True, True],
        }
    )  # fmt: skip
    (axes,) = fronts(rows).axes
    low, high = axes.get_xlim()
    assert low < min(costs) < max(costs) < high
    shown = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert 2 <= len(shown) <= 6


def test_every_group_counts_once_in_a_mean():
    examples = pd.DataFrame(
        {"example": range(4), "group": ["a", "a", "a", "b"], "label": ["N"] * 4}
    )
    x = np.array([1.0, 1.0, 1.0, 3.0])[:, None, None] * np.ones((4, 5, 1))
    mean = class_means({"classes": ["N", "S"]}, examples, x)
    assert set(mean) == {"N"}
    assert np.allclose(mean["N"].mean, 2)
    assert np.allclose(mean["N"].spread, 1)


def test_the_time_of_a_beat_is_counted_from_its_peak(made):
    one = made["studies"][0]
    x = {name: np.zeros((1, 150, 1)) for name in one["classes"]}
    figure = example_inputs(one, x)
    line = figure.axes[0].lines[0]
    assert line.get_xdata()[0] == pytest.approx(-0.6)
    assert figure.axes[-1].get_xlabel() == "time from the R peak (s)"


def test_windows_cut_anywhere_have_no_mean(made):
    one = made["studies"][0] | {"input": made["studies"][0]["input"] | {"aligned": False}}
    flat = Mean(np.zeros((10, 1)), np.zeros((10, 1)))
    assert mean_examples(one, dict.fromkeys(one["classes"], flat)) is None


def test_a_picture_that_is_not_drawn_any_more_goes(made, tmp_path):
    (tmp_path / "importance.svg").write_text("of an earlier run")
    path = made["tables"] / "importance.csv"
    kept = path.read_bytes()
    path.write_text("study,architecture,hyperparameter,importance,trials,note\n")
    try:
        _plot(made, tmp_path)
    finally:
        path.write_bytes(kept)
    assert not (tmp_path / "importance.svg").exists()


def test_every_picture_of_simulated_recordings_says_so(made, tmp_path):
    for path in _plot(made, tmp_path):
        if path.suffix == ".svg":
            assert "simulated recordings" in path.read_text(), path.name


def _groups(scores, *, examples=10, group="g"):
    rows = pd.DataFrame(
        {
            "architecture": "lstm",
            "group": [f"{group}{k}" for k in range(len(scores))],
            "examples": examples,
            "macro_f1": scores,
            "accuracy": scores,
        }
    )
    mean = float(np.mean(scores))
    means = pd.DataFrame(
        [
            {
                "architecture": "lstm", "metric": metric, "estimate": mean, "mean": mean,
                "mean_low": np.nan, "mean_high": np.nan, "influential": f"{group}0",
            }
            for metric in ("macro_f1", "accuracy")
        ]
    )  # fmt: skip
    return rows, means


@pytest.mark.parametrize("count", [2, 31, 1500])
def test_every_group_has_a_dot_in_its_row(count, tmp_path):
    scores = np.random.default_rng(0).choice([0.0, 0.4, 1.0], count)
    figure = scores_of_groups({"architectures": ["gru", "lstm"]}, *_groups(scores))
    for axes in figure.axes:
        (dots,) = axes.patches
        x, y = dots.get_path().vertices[::2].T
        np.testing.assert_allclose(x, scores)
        assert (np.abs(y) < 0.5).all()
        # No dot hides another one.
        assert len(set(zip(x.tolist(), y.tolist(), strict=True))) == count
    save(figure, tmp_path / "groups")
    dots = re.findall(
        r'<path d="([^"]*)"[^>]*stroke-linecap: round', (tmp_path / "groups.svg").read_text()
    )
    assert [path.count("M") for path in dots] == [count] * len(figure.axes)
    drawn = figure_of_page(tmp_path / "groups")
    assert len(drawn.uri) < 150_000
    assert drawn.vector == (count < 1000)


def test_groups_that_are_single_examples_have_no_picture():
    assert scores_of_groups({"architectures": ["lstm"]}, *_groups([0.0, 1.0], examples=1)) is None


def test_a_metric_that_no_group_has_gets_no_panel():
    rows, means = _groups([0.2, 0.7], group="$p_")
    figure = scores_of_groups({"architectures": ["lstm"]}, rows.assign(macro_f1=np.nan), means)
    assert [axes.get_xlabel() for axes in figure.axes] == ["accuracy of a group (0 to 1)"]


def test_subgroups_without_a_score_are_not_drawn():
    row = {"architecture": "lstm", "metric": "macro_f1", "column": "age", "low": 0.2, "high": 0.6}
    values = {"18 to 39": np.nan, "40 to 64": 0.4, "$65_ and over": 0.5}
    rows = pd.DataFrame([row | {"value": k, "estimate": v} for k, v in values.items()])
    figure = scores_of_subgroups({"architectures": ["lstm", "gru"]}, rows)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["age: 40 to 64", "age: $65_ and over"]
    assert scores_of_subgroups({"architectures": ["lstm"]}, rows[:1]) is None


def test_each_run_of_a_network_has_a_dot_by_its_two_scores():
    names = ["architecture", "kind", "seed", "fold", "validation_macro_f1", "test_macro_f1"]
    rows = [
        ("lstm", "network", 0, 0, 0.8, 0.6), ("lstm", "network", 0, 1, 0.6, 0.4),
        ("lstm", "network", 1, 0, 0.9, 0.5), ("logistic", "baseline", 0, 0, 0.3, 0.3),
        ("gru", "network", 0, 0, np.nan, 0.5),
    ]  # fmt: skip
    runs = pd.DataFrame(rows, columns=names)
    figure = validation_against_test({"architectures": ["lstm", "gru"]}, runs)
    _, dots = figure.axes[0].lines
    np.testing.assert_allclose(dots.get_xydata(), [(0.7, 0.5), (0.9, 0.5)])
    assert validation_against_test({"architectures": ["lstm"]}, runs[:2]) is None


def test_models_stand_beside_their_scores_with_permuted_labels():
    names = ["architecture", "score", "permuted", "permuted_low", "permuted_high"]
    rows = [("ridge", 0.6, 0.3, 0.2, 0.4), ("gru", 0.7, 0.3, 0.1, 0.5), ("lstm", np.nan, 0, 0, 0)]
    figure = against_permuted({"architectures": ["lstm", "gru"]}, pd.DataFrame(rows, columns=names))
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["GRU", "ridge regression"]
    assert [line.get_xdata()[0] for line in axes.lines[2::3]] == [0.7, 0.6]
    assert against_permuted({"architectures": []}, pd.DataFrame(rows[2:], columns=names)) is None


def test_what_could_not_be_told_is_not_drawn():
    names = ["column", "score", "low", "high", "chance"]
    rows = [("group", 0.8, 0.7, 0.9, 0.1), ("site", np.nan, np.nan, np.nan, np.nan)]
    figure = told_by_features(pd.DataFrame(rows, columns=names))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["group"]
    assert told_by_features(pd.DataFrame(rows[1:], columns=names)) is None
