"""Architectures: their sizes, their order of layers, and the normalisation inside the file."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from lib.errors import HeldoutError
from lib.networks import registry
from lib.networks.hyperparameters import complete
from lib.networks.layers import pool_time
from lib.networks.models import build
from lib.networks.registry import ARCHITECTURES, NAMES
from lib.train.batches import moments

pytestmark = pytest.mark.usefixtures("keras")

CONVOLUTIONS = {"filters": [64, 128, 64], "kernels": [5, 3, 3], "dense": [96], "dropout": 0.2}

# The networks of the original projects: (architecture, hyperparameters, shape, classes, numbers).
ORIGINALS = [
    ("lstm", {"units": [128, 33, 33], "recurrent_dropout": 0.35}, (128, 14), 5, 103_614),
    ("lstm", {"units": [128, 14]}, (128, 14), 5, 81_299),
    ("lstm", {"units": [128, 32]}, (128, 33), 5, 103_717),
    ("cnn", CONVOLUTIONS, (187, 1), 5, 192_645),
    ("lstm", {"units": [128, 64], "dense": [64]}, (187, 1), 5, 120_453),
    ("cnn_lstm", {"dense": [128]}, (10_000, 2), 6, 84_166),
    ("gru", {"units": [313, 313]}, (313, 64), 15, 950_283),
]


@pytest.mark.parametrize(
    ("architecture", "hyperparameters", "shape", "classes", "parameters"), ORIGINALS
)
def test_numbers_of_parameters(architecture, hyperparameters, shape, classes, parameters):
    model = build(architecture, hyperparameters, shape=shape, classes=classes)
    assert model.count_params() == parameters
    assert model.input_shape == (None, *shape)
    assert model.output_shape == (None, classes)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers[1:]]


def test_normalisation_adds_no_parameters_and_comes_first():
    model = build("lstm", {}, shape=(9, 3), classes=2, mean=np.ones(3), variance=np.full(3, 4.0))
    plain = build("lstm", {}, shape=(9, 3), classes=2)
    assert model.count_params() == plain.count_params()
    assert kinds(model)[0] == "Normalization"
    assert "Normalization" not in kinds(plain)


def test_order_of_layers_of_the_cnn():
    block = ["Conv1D", "BatchNormalization", "ReLU", "Dropout", "MaxPooling1D"]
    model = build("cnn", CONVOLUTIONS, shape=(187, 1), classes=5)
    assert kinds(model) == [*block * 3, "Flatten", "Dense", "Dense"]
    bare = build(
        "cnn",
        {"filters": [4], "kernels": [3], "batch_normalization": False, "dropout": 0},
        shape=(20, 1),
        classes=2,
    )
    assert kinds(bare) == ["Conv1D", "ReLU", "MaxPooling1D", "Flatten", "Dense"]


def test_order_of_layers_of_the_cnn_lstm():
    model = build("cnn_lstm", {"dense": [128]}, shape=(100, 2), classes=6)
    block = ["Conv1D", "ReLU", "MaxPooling1D"]
    assert kinds(model) == [*block * 2, "BatchNormalization", "LSTM", "Dense", "Dense"]


@pytest.mark.parametrize(
    ("architecture", "layer"), [("simple_rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")]
)
def test_recurrent_stacks(architecture, layer):
    values = {"units": [6, 5, 4], "dropout": 0.1, "recurrent_dropout": 0.2}
    values |= {"dense": [7, 3], "dense_dropout": 0.5, "activation": "tanh"}
    model = build(architecture, values, shape=(9, 2), classes=3)
    assert kinds(model) == [layer] * 3 + ["Dense", "Dropout"] * 2 + ["Dense"]
    stack = model.layers[1:4]
    assert [cell.units for cell in stack] == [6, 5, 4]
    assert [cell.return_sequences for cell in stack] == [True, True, False]
    assert {(cell.dropout, cell.recurrent_dropout) for cell in stack} == {(0.1, 0.2)}
    assert [model.layers[i].activation.__name__ for i in (4, 6, 8)] == ["tanh", "tanh", "softmax"]


@pytest.mark.parametrize(
    ("pooling", "layers"),
    [
        ("last", []),
        ("mean", ["GlobalAveragePooling1D"]),
        ("max", ["GlobalMaxPooling1D"]),
        ("attention", ["Dense", "Softmax", "Dot", "Flatten"]),
    ],
)
@pytest.mark.parametrize("architecture", ["gru", "cnn_lstm"])
def test_steps_in_time_are_pooled_after_the_last_layer(architecture, pooling, layers):
    cell = {"gru": "GRU", "cnn_lstm": "LSTM"}[architecture]
    values = {"units": [6, 5], "pooling": pooling, "layer_normalization": True}
    model = build(architecture, values, shape=(60, 2), classes=3)
    after = kinds(model)[kinds(model).index(cell) :]
    normal = "LayerNormalization"
    assert after == [cell, normal, cell, normal, *layers, "Dense"]
    stack = [layer for layer in model.layers if type(layer).__name__ == cell]
    assert [one.return_sequences for one in stack] == [True, pooling != "last"]


def test_attention_is_a_weighted_mean_of_the_steps(keras):
    x = np.random.default_rng(0).normal(size=(4, 7, 3)).astype(np.float32)
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, pool_time(keras.layers, inputs, "attention"))
    kernel, bias = model.get_weights()
    score = (x @ kernel + bias)[..., 0]
    weight = np.exp(score) / np.exp(score).sum(1, keepdims=True)
    expected = (x * weight[..., None]).sum(1)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_statistics_are_the_mean_and_the_standard_deviation(keras):
    x = np.random.default_rng(0).normal(size=(4, 7, 3)).astype(np.float32)
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, pool_time(keras.layers, inputs, "statistics"))
    expected = np.concatenate([x.mean(1), x.std(1)], axis=1)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("architecture", ["gru", "cnn"])
def test_statistics_of_an_example_that_never_changes_can_be_learned_from(keras, architecture):
    values = {"pooling": "statistics", "dense": [4]}
    model = build(architecture, values, shape=(16, 2), classes=2)
    model.compile("sgd", "categorical_crossentropy")
    keras.utils.set_random_seed(0)
    x, y = np.ones((8, 16, 2), np.float32), np.eye(2, dtype=np.float32)[[0, 1] * 4]
    model.fit(x, y, verbose=0)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


@pytest.mark.parametrize("architecture", ["lstm", "cnn", "cnn_lstm"])
def test_a_network_with_statistics_is_saved_and_as_large_as_estimated(
    keras, architecture, tmp_path
):
    values = {"pooling": "statistics", "dense": [5]}
    model = build(architecture, values, shape=(40, 2), classes=3)
    model.save(tmp_path / "model.keras")
    saved = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(3, 40, 2)).astype(np.float32)
    np.testing.assert_allclose(saved(x), model(x), rtol=1e-5)
    # The first dense layer takes twice the channels.
    mean = build(architecture, values | {"pooling": "mean"}, shape=(40, 2), classes=3)
    wide, narrow = model.layers[-2].kernel.shape, mean.layers[-2].kernel.shape
    assert wide == (2 * narrow[0], 5)


def test_what_layers_give_is_dropped_after_each(keras):
    values = {"units": [5, 4], "output_dropout": 0.5, "pooling": "max", "dense": [3]}
    model = build("lstm", values, shape=(9, 1), classes=2)
    order = ["LSTM", "Dropout", "LSTM", "GlobalMaxPooling1D", "Dropout", "Dense", "Dense"]
    assert kinds(model) == order
    last = kinds(build("gru", {**values, "pooling": "last", "dense": []}, shape=(9, 1), classes=2))
    assert last == ["GRU", "Dropout", "GRU", "Dropout", "Dense"]
    # Each step on its own, unlike what `dropout` does to the inputs of a layer.
    dropped = np.asarray(model.layers[2](np.ones((20, 9, 5)), training=True)) == 0
    assert (dropped.any(axis=1) & ~dropped.all(axis=1)).any()


def test_inputs_are_normalised_as_asked():
    given = {"shape": (9, 3), "classes": 2, "mean": np.ones(3), "variance": np.full(3, 4.0)}
    assert kinds(build("gru", {"normalization": "none"}, **given)) == ["GRU", "Dense"]
    model = build("gru", {"normalization": "example"}, **given)
    assert kinds(model) == ["Normalization", "LayerNormalization", "GRU", "Dense"]
    x = np.random.default_rng(0).normal(size=(4, 9, 3)).astype(np.float32) * [1, 9, 40] + 5
    normal = np.asarray(model.layers[2](model.layers[1](x)))
    np.testing.assert_allclose(normal.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(normal.std(axis=1), 1, rtol=1e-2)


def test_bidirectional_layers_have_twice_the_cells():
    one = build("gru", {"units": [5]}, shape=(9, 2), classes=3)
    two = build("gru", {"units": [5], "bidirectional": True}, shape=(9, 2), classes=3)
    assert kinds(two) == ["Bidirectional", "Dense"]
    assert two.layers[1].count_params() == 2 * one.layers[1].count_params()


def test_an_architecture_has_the_name_of_its_file():
    """Kept trainings look for its code there, and a file that no line names is none."""
    assert {name: one.name for name, one in ARCHITECTURES.items()} == {n: n for n in NAMES}
    held = [path.stem for path in Path(registry.__file__).parent.glob("*.py")]
    made = [n for n in held if hasattr(import_module(f"lib.networks.{n}"), "ARCHITECTURE")]
    assert sorted(made) == sorted(NAMES)


def test_hyperparameters_of_a_pair_are_its_own():
    for one in ARCHITECTURES.values():
        assert set(one.pairs) <= set(one.own)
        complete(one.name, {})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_probabilities(architecture):
    x = np.random.default_rng(0).normal(size=(4, 24, 2)).astype(np.float32)
    probabilities = build(architecture, {}, shape=(24, 2), classes=3).predict(x, verbose=0)
    assert probabilities.shape == (4, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_saved_file_normalises_by_itself(keras, tmp_path, architecture):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(40, 16, 2)) * [3, 0.01] + [100, -0.5]).astype(np.float32)
    train = np.arange(25)
    x[25:] *= 50  # what is not in the train part must not count
    mean, variance = moments(x, train)
    model = build(architecture, {}, shape=(16, 2), classes=3, mean=mean, variance=variance)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        loaded.predict(x[train], verbose=0), model.predict(x[train], verbose=0)
    )
    layer = loaded.layers[1]
    expected = x[train].astype(np.float64)
    np.testing.assert_allclose(np.ravel(layer.mean), expected.mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_allclose(np.ravel(layer.variance), expected.var(axis=(0, 1)), rtol=1e-5)
    normal = np.asarray(layer(x[train]))
    np.testing.assert_allclose(normal.mean(axis=(0, 1)), 0, atol=1e-3)
    np.testing.assert_allclose(normal.std(axis=(0, 1)), 1, rtol=1e-3)


@pytest.mark.parametrize("normalization", ["none", "channel", "step", "example"])
def test_only_the_first_channels_are_seen(keras, tmp_path, normalization):
    of = (9, 3) if normalization == "step" else 3
    options = {"mean": np.zeros(of), "variance": np.ones(of)}
    values = {"units": [4], "channels": 2, "normalization": normalization}
    model = build("gru", values, shape=(9, 3), classes=2, **options)
    model.save(tmp_path / "model.keras")
    saved = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(5, 9, 3)).astype(np.float32)
    expected = np.asarray(model(x))
    x[:, :, 2] = np.nan
    np.testing.assert_array_equal(np.asarray(model(x)), expected)
    np.testing.assert_allclose(np.asarray(saved(x)), expected, rtol=1e-6)
    all_of_them = build("gru", {"units": [4], "channels": 2}, shape=(9, 2), classes=2)
    assert model.count_params() == all_of_them.count_params()


@pytest.mark.parametrize(
    ("pooling", "width"),
    [("none", 8), ("mean", 2), ("max", 2), ("attention", 2), ("statistics", 4)],
)
def test_what_the_dense_layers_of_a_cnn_take(pooling, width):
    values = {"filters": [4, 2], "kernels": [3, 3], "pooling": pooling}
    model = build("cnn", values, shape=(16, 1), classes=3)
    assert model.layers[-1].input.shape == (None, width)


def test_a_silent_channel_gives_no_nan():
    model = build("lstm", {}, shape=(5, 1), classes=2, mean=np.zeros(1), variance=np.zeros(1))
    assert np.isfinite(model.predict(np.zeros((2, 5, 1), np.float32), verbose=0)).all()


def beside(x, context):
    return {"examples": x, "context": context}


CONTEXT = np.array([-2.0, 40.0, 7.0]), np.array([0.25, 9.0, 0.0])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_context_joins_before_the_dense_layers(keras, architecture):
    given = {"shape": (24, 2), "classes": 3}
    plain = build(architecture, {"dense": [5]}, **given)
    model = build(architecture, {"dense": [5]}, **given, context=CONTEXT)
    # Three numbers more go into each of the five units, and nothing else changes.
    assert model.count_params() == plain.count_params() + 3 * 5
    assert set(model.input) == {"examples", "context"}
    assert [kinds(model)[-3], *kinds(model)[-2:]] == ["Concatenate", "Dense", "Dense"]


def test_a_context_is_normalised_by_the_train_part_inside_the_saved_file(keras, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 9, 2)).astype(np.float32)
    context = rng.normal(size=(6, 3)).astype(np.float32)
    given = {"shape": (9, 2), "classes": 3}
    model = build("gru", {}, **given, context=CONTEXT)
    normal = build("gru", {}, **given, context=(np.zeros(3), np.ones(3)))
    normal.set_weights(model.get_weights())
    # The last value never changes in the train part: it is centred, and no more.
    raw = (context * [0.5, 3, 1] + CONTEXT[0]).astype(np.float32)
    probabilities = model.predict(beside(x, raw), verbose=0)
    np.testing.assert_allclose(
        probabilities, normal.predict(beside(x, context), verbose=0), rtol=1e-4
    )
    assert np.abs(probabilities - model.predict(beside(x, raw + 1), verbose=0)).max() > 1e-3
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(beside(x, raw), verbose=0), probabilities)


@pytest.mark.parametrize(
    ("architecture", "hyperparameters", "options", "message"),
    [
        ("resnet", {}, {}, "unknown architecture 'resnet'"),
        ("lstm", {"unit": 3}, {}, "lstm: unknown hyperparameter 'unit'. Did you mean 'units'"),
        ("lstm", {"dense": [4], "activation": "rellu"}, {}, "activation: expected .* 'rellu'"),
        (
            "gru",
            {"channels": 3},
            {"shape": (9, 2)},
            "gru: channels: expected at most the 2 .*, got 3",
        ),
        ("cnn", {}, {"classes": 1}, "cnn: expected at least 2 classes, got 1"),
        ("cnn", {"pool": 4}, {"shape": (12, 1)}, "got only 3 time steps. Use fewer filters"),
        ("cnn_lstm", {}, {"shape": (5, 1)}, "only 0 time steps"),
        ("cnn_lstm", {"kernels": [9, 3]}, {"shape": (8, 1)}, "only 0 time steps"),
        ("cnn_lstm", {"kernels": [3, 5]}, {"shape": (10, 1)}, "only 0 time steps"),
        (
            "cnn_lstm",
            {"filters": [4], "kernels": [5], "pool": 4},
            {"shape": (6, 1)},
            "only 2 time steps",
        ),
    ],
)
def test_networks_that_cannot_be(architecture, hyperparameters, options, message):
    with pytest.raises(HeldoutError, match=message):
        build(architecture, hyperparameters, **({"shape": (24, 1), "classes": 2} | options))
