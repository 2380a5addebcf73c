"""Predictions to be scored: what is refused, how they are counted, joined and weighed."""

from __future__ import annotations

import numpy as np
import pytest

from lib.errors import HeldoutError
from lib.metrics.sample import Weighted, make_sample, weigh

ABC = ["a", "b", "c"]


def _sample():
    rng = np.random.default_rng(0)
    label = rng.choice(["a", "b"], 40)
    return make_sample(
        label, rng.dirichlet(np.ones(3), (2, 40)), classes=ABC, group=rng.choice(["h", "g"], 40)
    )


def test_classes_and_groups_are_numbered():
    sample = make_sample(
        ["b", "a"], [[0, 1, 0], [0, 1, 0]], classes=ABC, scored=["a", "c"], group=["z", "y"]
    )
    assert sample.truth.tolist() == [1, 0]
    assert (sample.names, sample.group.tolist()) == (["y", "z"], [1, 0])
    assert (sample.counted, sample.missing) == ([0], ["c"])
    assert sample.probability.shape == (1, 2, 3)


def test_sums_of_groups_are_those_of_their_examples():
    sample = _sample()
    assert sample.matrices.shape == (2, 2, 3, 3)
    assert sample.bins[..., 2].sum(-1).tolist() == [np.bincount(sample.group).tolist()] * 2
    sums = sample.sums(lambda truth, x: x[:, 0] + truth)
    for s, g in np.ndindex(2, 2):
        rows = sample.group == g
        values = sample.probability[s, rows, 0] + sample.truth[rows]
        assert sums[s, g] == pytest.approx([values.sum(), rows.sum()])


def test_some_rows_keep_all_groups():
    sample = _sample()
    of_g = sample.only(sample.group == 0)
    assert of_g.names == sample.names
    assert of_g.matrices[:, 0].tolist() == sample.matrices[:, 0].tolist()
    assert not of_g.matrices[:, 1].any()


def test_per_recording_is_the_mean_probability():
    x = [[1.0, 0.0], [0.2, 0.8], [0.4, 0.6]]
    sample = make_sample(["a", "b", "b"], x, classes=["a", "b"], group=["g", "h", "h"])
    whole = sample.per_recording(["r2", "r1", "r1"])
    assert whole.probability == pytest.approx(np.array([[[0.3, 0.7], [1.0, 0.0]]]))
    assert (whole.truth.tolist(), whole.group.tolist()) == ([1, 0], [1, 0])
    mixed = make_sample(["a", "b", "a"], x, classes=["a", "b"])
    with pytest.raises(HeldoutError, match=r"recording r1: expected one label .* got 2"):
        mixed.per_recording(["r2", "r1", "r1"])


@pytest.mark.parametrize(
    ("label", "x", "words"),
    [
        (["a"], [[0.5, 0.5]], r"expected shape \(1, 3\)"),
        (["a"], [0.5, 0.5, 0], r"got \(3,\)"),
        (["d"], [[1, 0, 0]], "labels d: expected one of the classes a, b, c"),
        (["a"], [[float("nan"), 0, 0]], "expected finite numbers"),
        (["a"], [[2.0, -1, 0]], "between 0 and 1"),
    ],
)
def test_bad_predictions_are_refused(label, x, words):
    with pytest.raises(HeldoutError, match=words):
        make_sample(label, x, classes=ABC)


def test_statistics_need_a_seed_and_a_group():
    weights = np.ones((10, 3))
    with pytest.raises(HeldoutError, match=r"expected shape \(seed, group, ...\)"):
        weigh(np.zeros((0, 3, 2, 2)), weights)
    with pytest.raises(HeldoutError, match="expected the 3 groups of the weights, got 4"):
        weigh(np.zeros((1, 4, 2, 2)), weights)


def test_what_many_metrics_need_is_made_once():
    sample = _sample()
    drawn = Weighted(sample, np.ones((3, 2)))
    assert sample.bins is sample.bins
    assert drawn.matrices is drawn.matrices
    assert drawn.matrices == pytest.approx(weigh(sample.matrices, drawn.weights))


def test_weighing_repeats_groups():
    x = np.random.default_rng(0).random((2, 3, 4))
    weighed = weigh(x, np.array([[1.0, 1, 1], [2, 0, 1]]))
    assert weighed[0] == pytest.approx(x.sum(1))
    assert weighed[1] == pytest.approx(2 * x[:, 0] + x[:, 2])
