"""Hyperparameters: their checks, and names that depend on content alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError, suggestion
from lib.networks.architecture import ACTIVATIONS
from lib.networks.hyperparameters import complete, digest, trial_id
from lib.networks.registry import ARCHITECTURES, find, lookup

SPACE = {
    "units": [[8], [16], [16, 8]],
    "optimizer": ["adam", "adamax", "rmsprop", "sgd"],
    "dropout": [0.0, 0.2, 0.25],
    "learning_rate": [0.001, 0.003, 0.01],
    "bidirectional": [False, True],
}


ACTIVATED = ", ".join(ACTIVATIONS)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_defaults_are_valid_and_complete(architecture):
    values = complete(architecture, {})
    assert values == ARCHITECTURES[architecture].defaults
    assert complete(architecture, values) == values
    assert list(complete(architecture, dict(reversed(values.items())))) == list(values)


def test_given_values_replace_defaults():
    values = complete("lstm", {"units": [128, 64], "learning_rate": 1})
    assert values["units"] == [128, 64]
    assert values["learning_rate"] == 1
    assert ARCHITECTURES["lstm"].defaults["units"] == [64]


@pytest.mark.parametrize(
    ("architecture", "name", "value", "expected"),
    [
        ("lstm", "units", [], "a list of one or more positive whole numbers"),
        ("lstm", "units", 64, "a list of one or more positive whole numbers"),
        ("lstm", "units", [64, 0], "a list of one or more positive whole numbers"),
        ("lstm", "units", [6.5], "a list of one or more positive whole numbers"),
        ("cnn", "filters", [True], "a list of one or more positive whole numbers"),
        ("cnn", "kernels", ["3", "3"], "a list of one or more positive whole numbers"),
        ("gru", "dense", [-1], "a list of positive whole numbers, empty for none"),
        ("gru", "dense", None, "a list of positive whole numbers, empty for none"),
        ("cnn", "pool", 0, "a positive whole number"),
        ("cnn", "batch_size", True, "a positive whole number"),
        ("lstm", "bidirectional", 1, "true or false"),
        ("cnn", "batch_normalization", "yes", "true or false"),
        ("cnn_lstm", "class_weights", None, "true, false or a number from 0 to 1"),
        ("simple_rnn", "dropout", 1, "a number from 0 up to, not with, 1"),
        ("simple_rnn", "recurrent_dropout", -0.1, "a number from 0 up to, not with, 1"),
        ("lstm", "dense_dropout", True, "a number from 0 up to, not with, 1"),
        ("lstm", "dropout", float("nan"), "a number from 0 up to, not with, 1"),
        ("lstm", "learning_rate", 0, "a positive number"),
        ("lstm", "learning_rate", "1e-3", "a positive number"),
        ("lstm", "learning_rate", float("inf"), "a positive number"),
        ("lstm", "optimizer", "adamw", "one of adam, adamax, rmsprop, sgd"),
        ("lstm", "optimizer", ["adam"], "one of adam, adamax, rmsprop, sgd"),
        ("gru", "pooling", "average", "one of last, mean, max, attention, statistics"),
        ("gru", "layer_normalization", "yes", "true or false"),
        ("cnn", "normalization", "record", "one of channel, step, example, none"),
        ("cnn", "schedule", "linear", "one of constant, cosine"),
        ("cnn", "warmup", 1, "a number from 0 up to, not with, 1"),
        ("cnn", "weight_decay", -0.1, "a number from 0 on"),
        ("cnn", "global_clipnorm", float("inf"), "a number from 0 on"),
        ("cnn", "label_smoothing", 1.0, "a number from 0 up to, not with, 1"),
        (
            "lstm",
            "activation",
            3,
            f"the name of a Keras activation, one of {', '.join(ACTIVATIONS)}",
        ),
    ],
)
def test_values_that_cannot_be(architecture, name, value, expected):
    message = f"{architecture}: {name}: expected {expected}, got {value!r}."
    with pytest.raises(HeldoutError, match=re.escape(message)):
        complete(architecture, {name: value})


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(HeldoutError, match=r"unknown architecture 'ltsm'. Did you mean 'lstm'\?"):
        complete("ltsm", {})
    message = r"lstm: unknown hyperparameter 'droput'. Did you mean 'dropout'\? Known: units, "
    with pytest.raises(HeldoutError, match=message):
        complete("lstm", {"droput": 0.2})
    with pytest.raises(HeldoutError, match="cnn: unknown hyperparameter 'units'"):
        complete("cnn", {"units": [64]})
    assert suggestion("qqq", ["lstm", "gru"]) == "Known: lstm, gru."


def test_as_many_kernels_as_filters():
    message = "cnn: expected as many kernels as filters, got 2 kernels and 3 filters"
    with pytest.raises(HeldoutError, match=message):
        complete("cnn", {"filters": [8, 8, 8]})


def test_a_trial_has_a_readable_name():
    name = trial_id("lstm", {"units": [128, 64], "dense": [32], "optimizer": "sgd"})
    assert re.fullmatch(r"lstm-128x64x32-sgd-0\.001-[0-9a-f]{12}", name)
    assert re.fullmatch(r"cnn-64x128-adam-0\.001-[0-9a-f]{12}", trial_id("cnn", {}))


def test_names_are_as_they_were():
    # A change of these reruns every trial of every person: it must be meant.
    assert trial_id("lstm", {"units": [128, 64]}) == "lstm-128x64-adam-0.001-ad796ab32bd0"


values = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(choices) for name, choices in SPACE.items()}
)


@given(values, values)
def test_names_are_equal_where_and_only_where_content_is(one, other):
    same = complete("gru", one) == complete("gru", other)
    assert (trial_id("gru", one) == trial_id("gru", other)) == same
    assert trial_id("gru", dict(reversed(one.items()))) == trial_id("gru", one)
    assert trial_id("gru", one) != trial_id("lstm", one)


def test_whole_numbers_and_fractions_of_equal_value_are_one_trial():
    assert trial_id("lstm", {"dropout": 0}) == trial_id("lstm", {"dropout": 0.0})
    assert trial_id("lstm", {"learning_rate": 1}) == trial_id("lstm", {"learning_rate": 1.0})


def test_digest_is_of_the_content():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest(1)) == 64
    assert len(digest(1, 6)) == 6


def test_a_variant_is_its_architecture_under_a_name_of_its_own():
    known, variant = lookup("lstm"), lookup("lstm.two_layers")
    assert (variant.name, variant.title) == ("lstm", "LSTM two layers")
    assert variant.hyperparameters.keys() == known.hyperparameters.keys()
    assert trial_id("lstm.two_layers", {"units": [8, 8]}).startswith("lstm.two_layers-8x8-adam")
    assert find("logistic") is None
    with pytest.raises(HeldoutError, match=r"unknown architecture 'lsmt'\. Did you mean 'lstm'"):
        lookup("lsmt.two_layers")
