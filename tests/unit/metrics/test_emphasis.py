"""How much each class counts in a training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from lib.metrics.emphasis import class_weights, drawn, emphasis

LABELS = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.array)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_class_weights_are_those_of_scikit_learn(labels):
    weights = class_weights(np.array(labels))
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert weights.dtype == np.float32


def test_class_weights_count_each_class_the_same():
    labels = np.array([0, 0, 0, 1, 3, 3])
    weights = class_weights(labels)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1)
    for label in (0, 1, 3):
        assert weights[labels == label].sum() == pytest.approx(2)


@given(LABELS, st.sampled_from([0.5, 1.0, 2.0, 3.7]))
def test_the_largest_class_alone_is_cut_to_what_is_asked_for(labels, undersampling):
    counts, left = np.bincount(labels), drawn(labels, undersampling)
    largest = counts.argmax()
    others = counts.sum() - counts[largest]
    assert (np.delete(left, largest) == np.delete(counts, largest)).all()
    assert 1 <= left[largest] <= counts[largest]
    if others and left[largest] < counts[largest]:
        assert left[largest] == max(1, round(undersampling * others))
    if not others:
        assert (left == counts).all()
    assert (drawn(labels) == counts).all()


@given(LABELS, st.sampled_from([0, 0.5, 1]), st.sampled_from([0.0, 1.0, 2.0]))
def test_what_is_drawn_weighs_1_on_average(labels, power, undersampling):
    weights, counts = class_weights(labels, power, undersampling), drawn(labels, undersampling)
    of_class = [weights[labels == number][:1].sum() for number in range(len(counts))]
    assert counts @ np.array(of_class) == pytest.approx(counts.sum(), rel=1e-5)


def test_an_example_counts_as_often_as_it_is_drawn():
    labels = np.array([0] * 90 + [1] * 9 + [2])
    assert drawn(labels, 2.0).tolist() == [20, 9, 1]
    plain = emphasis(labels, 0.0, 2.0)
    assert plain[labels == 0].sum() == pytest.approx(20)
    assert plain[labels > 0].sum() == pytest.approx(10)
    # With full class weights each class counts the same, however often it is drawn.
    balanced = emphasis(labels, 1.0, 2.0)
    for number in range(3):
        assert balanced[labels == number].sum() == pytest.approx(1)
