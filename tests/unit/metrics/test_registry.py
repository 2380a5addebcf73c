"""The metrics: of all examples and of resamples one score, and a reason where there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.registry import METRICS, Metric, evaluate, of_all, of_examples
from lib.metrics.sample import Sample, Weighted, make_sample

ABC = ["a", "b", "c"]
AAMI = ["N", "S", "V", "F"]


def _some(n=200, classes=ABC, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(classes), n)
    x = rng.dirichlet(np.ones(len(classes)), n)
    x[np.arange(n), truth] += 0.5
    return np.array(classes, dtype=object)[truth], x / x.sum(1, keepdims=True)


def test_an_entry_is_found_by_its_name():
    assert all(name == metric.name for name, metric in METRICS.items())
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)


def test_perfect_predictions_score_one():
    label, x = [*AAMI, "N"], np.eye(4)[[0, 1, 2, 3, 0]]
    for name, score in evaluate(label, x, classes=AAMI).items():
        best = 1 if METRICS[name].higher_is_better else 0
        assert score.value == pytest.approx(best), name


def _repeated(sample: Sample, weights: np.ndarray) -> Sample:
    """Hold each group as often as it is drawn, as copies that are examples of their own."""
    rows = np.repeat(np.arange(len(sample.truth)), weights[sample.group])
    return replace(
        sample,
        truth=sample.truth[rows],
        group=sample.group[rows],
        probability=sample.probability[:, rows],
    )


@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_resample_has_the_score_of_the_examples_that_it_holds(seed, drawn):
    label, x = _some(60, AAMI, seed)
    rng = np.random.default_rng(seed)
    sample = make_sample(label, [x, x[::-1]], classes=AAMI, group=rng.choice(list("abcd"), 60))
    weights = np.resize(drawn, len(sample.names))
    held = _repeated(sample, weights)
    # Macro averages leave out a class that a sample lacks; where a resample does, they are NaN.
    if held.counted != sample.counted:
        return
    everyone = np.ones((1, len(sample.names)))
    resampled = Weighted(sample, np.stack([everyone[0], weights]).astype(float))
    for metric in METRICS.values():
        of_resample = metric.scores(resampled)
        assert of_resample.shape == (2, 2), metric.name
        whole = metric.scores(Weighted(sample, everyone))
        assert of_resample[:1] == pytest.approx(whole, nan_ok=True)
        again = metric.scores(Weighted(held, everyone))
        assert of_resample[1:] == pytest.approx(again, nan_ok=True), metric.name


@pytest.mark.parametrize("kind", [of_examples, of_all])
def test_a_metric_of_ones_own_is_scored_in_every_resample(kind):
    def certain(truth, x):
        values = (x[np.arange(len(truth)), truth] > 0.5).astype(float)
        return values if kind is of_examples else float(values.mean())

    label, x = _some()
    sample = make_sample(label, [x, x[::-1]], classes=ABC, group=np.arange(200) % 4)
    metric = Metric("certain", "certain", kind(certain))
    scores = metric.scores(Weighted(sample, np.array([[1.0, 1, 1, 1], [2, 0, 1, 1]])))
    each = sample.sums(lambda t, p: p[np.arange(len(t)), t] > 0.5)[..., 0]
    assert scores[0] == pytest.approx(each.sum(1) / 200)
    assert scores[1] == pytest.approx((2 * each[:, 0] + each[:, 2] + each[:, 3]) / 200)


def test_order_of_examples_does_not_matter():
    label, x = _some()
    order = np.random.default_rng(1).permutation(len(label))
    one, two = evaluate(label, x, classes=ABC), evaluate(label[order], x[order], classes=ABC)
    assert {k: pytest.approx(v.value) for k, v in one.items()} == {
        k: v.value for k, v in two.items()
    }


def test_macro_average_counts_scored_classes_alone():
    label = ["a", "a", "b", "b", "c"]
    x = np.eye(3)[[0, 0, 1, 0, 0]]
    scores = evaluate(label, x, classes=ABC, scored=["a", "b"])
    # F1 of a: 2·2/(2+4); of b: 2·1/(2+1).
    assert scores["macro_f1"].value == pytest.approx((4 / 6 + 2 / 3) / 2)
    assert scores["balanced_accuracy"].value == pytest.approx(0.75)


def test_jk_index_is_for_the_classes_of_the_aami():
    assert "jk_index" in evaluate(*_some(classes=[*AAMI, "Q"]), classes=[*AAMI, "Q"], scored=AAMI)
    assert "jk_index" not in evaluate(*_some(), classes=ABC)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "kappa", "mcc", "auroc"])
@pytest.mark.parametrize("guess", [[0, 0], [0, 1]])
def test_one_class_gives_a_reason_and_no_number(name, guess):
    score = evaluate(["a", "a"], np.eye(3)[guess], classes=ABC)[name]
    assert math.isnan(score.value)
    assert "one class" in score.note


def test_one_scored_class_gives_a_reason():
    score = evaluate(["a", "c"], np.eye(3)[[0, 2]], classes=ABC, scored=["a", "b"])["macro_f1"]
    assert math.isnan(score.value)
    assert score.note == "fewer than two scored classes have an example"


def test_mcc_of_a_constant_is_not_defined():
    score = evaluate(["a", "b"], [[0.9, 0.1]] * 2, classes=["a", "b"])["mcc"]
    assert math.isnan(score.value)
    assert "ever predicted" in score.note


def test_no_examples_give_a_reason():
    scores = evaluate([], np.zeros((0, 3)), classes=ABC)
    assert all(math.isnan(s.value) and s.note == "there are no examples" for s in scores.values())
