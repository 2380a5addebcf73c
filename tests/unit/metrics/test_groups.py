"""Scores of single groups and of all but one, against counting by hand and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from lib.metrics.groups import class_counts, group_scores, scores_without
from lib.metrics.sample import make_sample

CLASSES = ["N", "S", "V", "Q"]
SCORED = ["N", "S", "V"]


@st.composite
def samples(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n, groups = draw(st.integers(4, 40)), draw(st.integers(1, 8))
    label = rng.choice(CLASSES, n)
    probability = rng.dirichlet(np.ones(4), (2, n))
    group = np.array([f"p{g}" for g in rng.integers(groups, size=n)])
    return label, probability, group


def _macro_f1(truth, predicted, counted):
    return f1_score(truth, predicted, labels=counted, average="macro", zero_division=0)


@given(samples())
def test_each_group_is_scored_as_if_it_were_all(drawn):
    label, probability, group = drawn
    sample = make_sample(label, probability, classes=CLASSES, scored=SCORED, group=group)
    scores, rest = group_scores(sample), scores_without(sample)
    everyone = [name for name in SCORED if name in label]
    for seed, x in enumerate(probability):
        predicted = np.array(CLASSES)[x.argmax(1)]
        for g, name in enumerate(sample.names):
            mine, others = group == name, group != name
            assert scores["accuracy"][seed, g] == accuracy_score(label[mine], predicted[mine])
            own = [one for one in SCORED if one in label[mine]]
            if len(own) < 2:
                assert np.isnan(scores["macro_f1"][seed, g])
            else:
                expected = _macro_f1(label[mine], predicted[mine], own)
                np.testing.assert_allclose(scores["macro_f1"][seed, g], expected)
            if not others.any():
                assert np.isnan(rest["accuracy"][seed, g])
                continue
            expected = accuracy_score(label[others], predicted[others])
            np.testing.assert_allclose(rest["accuracy"][seed, g], expected)
            if len(everyone) < 2 or not set(everyone) <= set(label[others]):
                assert np.isnan(rest["macro_f1"][seed, g])
            else:
                expected = _macro_f1(label[others], predicted[others], everyone)
                np.testing.assert_allclose(rest["macro_f1"][seed, g], expected)


@given(samples())
def test_counts_are_of_all_examples(drawn):
    label, probability, group = drawn
    sample = make_sample(label, probability, classes=CLASSES, group=group)
    counts = class_counts(sample)
    for g, name in enumerate(sample.names):
        for k, one in enumerate(CLASSES):
            assert counts[g, k] == ((group == name) & (label == one)).sum()


def test_nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample = make_sample(["N"], [[1.0, 0.0, 0.0, 0.0]], classes=CLASSES, group=["p0"])
        assert np.isnan(group_scores(sample)["macro_f1"]).all()
        assert np.isnan(scores_without(sample)["accuracy"]).all()
