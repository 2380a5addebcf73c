"""How a training ended: by its losses, and beside a network that knows the shares alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.metrics.learning import (
    CONVERGED,
    DIVERGED,
    ENDINGS,
    IMPROVING,
    NOTHING_LEARNED,
    constant_loss,
    counted,
    ending,
    has_learned,
    prevailing,
    weighted_loss,
)


def ended(*losses, constant=1.0, limit=10, learned=True, **options):
    return ending(losses, constant=constant, limit=limit, learned=learned, **options)


FALLING = np.linspace(1, 0.1, 10).tolist()
FLAT = [1, 0.6, *[0.5] * 7, 0.499]


@pytest.mark.parametrize(
    ("losses", "options", "expected"),
    [
        (FALLING, {}, IMPROVING),
        (FALLING[:6], {}, CONVERGED),  # early stopping came before the limit
        (FLAT, {}, CONVERGED),
        (FALLING, {"diverged": True}, DIVERGED),
        (FALLING, {"learned": False}, NOTHING_LEARNED),
        ([0.5], {"limit": 1}, IMPROVING),  # one epoch shows no course
        ([1.0, 0.2, 0.5, 0.9, *[1.2] * 6], {}, CONVERGED),  # overfitted: its best was long ago
        # The first epoch taught nearly all: the last fifth brought a hundredth of it.
        ([0.13, 0.13, 0.13, 0.13, 0.12], {"limit": 5}, CONVERGED),
        # The same fall of a network that has learned little.
        ([0.13, 0.13, 0.13, 0.13, 0.12], {"limit": 5, "constant": 0.14}, IMPROVING),
        # A start worse than the shares counts from there.
        ([3.0, 1.0, 0.5, 0.5, 0.47], {"limit": 5}, CONVERGED),
    ],
)
def test_how_a_training_ended(losses, options, expected):
    assert ended(*losses, **options) == expected


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=30), st.floats(0.1, 10))
def test_the_unit_of_the_loss_does_not_matter(losses, factor):
    one = ended(*losses, constant=2.0, limit=len(losses))
    assert one in (CONVERGED, IMPROVING)
    # Rounding may move a fall across the limit: only clear cases are held.
    early = losses[: max(1, len(losses) - round(0.2 * len(losses)))]
    before, low = min(early), min(losses)
    if abs(before - low - 0.02 * (max(2.0, losses[0]) - low)) > 1e-9:
        scaled = (factor * loss for loss in losses)
        assert ended(*scaled, constant=factor * 2.0, limit=len(losses)) == one


def answers(labels, *, right, sure, classes=3):
    """Make probabilities that name the right class of some examples, all equally sure."""
    rng = np.random.default_rng(0)
    named = np.where(rng.random(len(labels)) < right, labels, (labels + 1) % classes)
    rest = (1 - sure) / (classes - 1)
    return np.where(np.arange(classes) == named[:, None], sure, rest)


@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_a_network_that_is_too_sure_has_learned_and_one_that_guesses_has_not(power):
    labels = np.random.default_rng(1).integers(0, 3, 90)

    def learned(probabilities, validation=labels):
        return has_learned(labels, validation, probabilities, power=power)

    good, sure = answers(labels, right=0.9, sure=0.8), answers(labels, right=0.7, sure=1 - 1e-9)
    shares = constant_loss(labels, labels, classes=3, power=power)
    assert (
        weighted_loss(labels, good, power=power) < shares < weighted_loss(labels, sure, power=power)
    )
    assert learned(good)
    assert learned(sure)
    # As often right as chance, or always the most frequent class, or nothing that is a number.
    assert not learned(answers(labels, right=1 / 3, sure=1 - 1e-9))
    assert not learned(answers(np.zeros_like(labels), right=1, sure=1 - 1e-9))
    assert not learned(np.full((90, 3), np.nan))
    # Right a little more often than chance, on so many examples that it could not be chance.
    many = np.tile(labels, 200)
    assert not learned(answers(many, right=0.38, sure=1 - 1e-9), many)
    # Right twice as often as chance on five examples, which is chance.
    assert not learned(answers(labels[:5], right=0.6, sure=1 - 1e-9), labels[:5])


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=40),
    st.sampled_from([0, 0.5, 1]),
    st.sampled_from([0.0, 1.0, 2.0]),
)
@example([0] * 6, 1, 0.0)
def test_no_constant_answer_has_learned(labels, power, undersampling):
    labels, how = np.array(labels), {"power": power, "undersampling": undersampling}
    for answer in range(3):
        probabilities = np.tile(np.eye(3)[answer] * 0.99 + 0.01 / 3, (len(labels), 1))
        better = weighted_loss(labels, probabilities, **how) < constant_loss(
            labels, labels, classes=3, **how
        )
        assert has_learned(labels, labels, probabilities, **how) == better


def test_a_network_is_judged_by_the_shares_that_it_was_trained_on():
    # Half of what an epoch draws is of class 1, and the network says so of every example.
    train = np.array([0] * 90 + [1] * 10)
    says = np.tile([0.5, 0.5], (100, 1))
    assert constant_loss(train, train, classes=2, power=0, undersampling=1) == pytest.approx(
        weighted_loss(train, says, power=0, undersampling=1)
    )
    # One that tells the classes apart has learned, though plain shares have a lower plain loss.
    knows = np.where(train[:, None] == [0, 1], 0.6, 0.4)
    assert weighted_loss(train, knows, power=0) > constant_loss(train, train, classes=2, power=0)
    assert has_learned(train, train, knows, power=0, undersampling=1)


def test_most_trainings_decide_and_the_worst_of_equally_many():
    assert prevailing([]) == ""
    assert prevailing([CONVERGED, CONVERGED, DIVERGED]) == CONVERGED
    assert prevailing([CONVERGED, IMPROVING]) == IMPROVING
    assert prevailing(list(ENDINGS)) == DIVERGED


def test_endings_in_words():
    assert counted([]) == ""
    assert counted([CONVERGED] * 3) == "converged"
    assert counted([IMPROVING, CONVERGED, CONVERGED]) == "2 converged, 1 still improving"


def test_the_loss_of_a_network_that_knows_the_shares_alone():
    train, validation = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    expected = -np.log([0.75, 0.75, 0.25, 0.25]).mean()
    got = constant_loss(train, validation, classes=2, power=0)
    assert got == pytest.approx(expected)
    # With class weights, of three classes that all are in train: ln 3.
    train = np.array([0, 0, 0, 0, 1, 2])
    assert constant_loss(train, validation, classes=3, power=1) == pytest.approx(np.log(3))
    # A class that train lacks has no share, and what it costs is bounded.
    assert np.isfinite(constant_loss(np.array([0, 1]), np.array([2]), classes=3, power=0))


def test_balanced_losses_weigh_each_class_alike():
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]])
    plain = weighted_loss(labels, probabilities, power=0)
    assert plain == pytest.approx(-(3 * np.log(0.9) + np.log(0.4)) / 4)
    balanced = weighted_loss(labels, probabilities, power=1)
    assert balanced == pytest.approx(-(np.log(0.9) + np.log(0.4)) / 2)


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=40),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.0, 1.0, 2.0]),
)
def test_no_constant_answer_has_a_lower_loss_than_the_shares(
    labels, answer, smoothing, undersampling
):
    labels, answer = np.array(labels), np.array(answer) / sum(answer)
    options = {"power": 0.0, "smoothing": smoothing, "undersampling": undersampling}
    least = constant_loss(labels, labels, classes=3, **options)
    assert least <= weighted_loss(labels, np.tile(answer, (len(labels), 1)), **options) + 1e-6


def test_a_loss_with_label_smoothing_is_that_of_keras():
    import keras

    labels = np.array([0, 2, 1])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1]])
    of_keras = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    expected = float(of_keras(np.eye(3)[labels], probabilities))
    got = weighted_loss(labels, probabilities, power=0, smoothing=0.1)
    assert got == pytest.approx(expected, rel=1e-5)
