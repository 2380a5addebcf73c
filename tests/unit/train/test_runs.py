"""Runs: their folders, their rows, and trainings that are never done twice."""

import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from lib import provenance
from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.networks.registry import ARCHITECTURES
from lib.train import runs as train
from lib.train import store as fits
from lib.train import trainer
from lib.train.data import open_data, with_validation
from lib.train.recipe import Recipe, weights_code
from lib.train.runs import RUN_FILES, train_runs, train_trial
from lib.train.trainer import Trainer
from lib.train.training import Training

CLASSES = ["N", "S", "V"]
N = 60
IDENTITY = {"study": "s", "dataset": "d", "simulated": True, "protocol": "grouped"}
IDENTITY |= {"honest": True, "trial": "t", "fold": 0}
RECIPE = Recipe(
    architecture="simple_rnn",
    hyperparameters={"units": [3], "batch_size": 8},
    training=Training(epochs=2),
    backend="tensorflow",
)


def tables(parts=None):
    examples = pd.DataFrame({"example": np.arange(N), "label": np.array(CLASSES)[np.arange(N) % 3]})
    parts = np.repeat(["train", "validation", "test"], 20) if parts is None else parts
    return examples, pd.DataFrame({"example": np.arange(N), "fold": 0, "part": parts})


def x():
    return np.random.default_rng(0).normal(size=(N, 5, 2)).astype(np.float32)


def opened(**options):
    examples, split = tables()
    given = {"fold": 0, "classes": CLASSES, "scored": CLASSES[:2], "digest": "d"} | options
    return open_data(given.pop("x", x()), examples, split, **given)


def test_data_of_a_fold():
    data = opened()
    assert {part: rows.tolist() for part, rows in data.rows.items()} == {
        "train": list(range(20)),
        "validation": list(range(20, 40)),
        "test": list(range(40, 60)),
    }
    assert data.labels.tolist() == [0, 1, 2] * 20
    assert data.classes == CLASSES
    assert data.scored == ["N", "S"]


def test_data_of_another_fold_and_rows_in_no_part():
    examples, first = tables()
    _, second = tables(np.repeat(["test", "train", "validation"], 20))
    split = pd.concat([first, second.assign(fold=1)[5:]], ignore_index=True)
    split["part"] = pd.Categorical(split["part"], ["train", "validation", "test"])
    shuffled = split.sample(frac=1, random_state=0)
    data = open_data(x(), examples, shuffled, fold=1, classes=CLASSES, scored=CLASSES)
    assert data.rows["test"].tolist() == list(range(5, 20))
    assert data.rows["train"].tolist() == list(range(20, 40))


def test_a_search_opens_no_test_part():
    assert set(opened(parts=("train", "validation")).rows) == {"train", "validation"}


def test_unknown_classes_are_refused():
    with pytest.raises(HeldoutError, match=r"examples: expected classes N, S, got \['V'\]"):
        opened(classes=["N", "S"])


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_empty_parts_are_refused(part):
    examples, split = tables()
    split = split[split["part"] != part]
    with pytest.raises(
        HeldoutError, match=f"fold 0: expected examples in the {part} part, got none"
    ):
        open_data(x(), examples, split, fold=0, classes=CLASSES, scored=CLASSES)


def test_a_fold_that_is_not_there():
    with pytest.raises(HeldoutError, match="fold 3: expected examples in the train part, got none"):
        opened(fold=3)


def test_a_key_is_of_all_that_the_weights_depend_on():
    data = opened()
    keys = {"as it is": RECIPE.key(data, 0), "seed": RECIPE.key(data, 1)}
    for name, value in {
        "architecture": "lstm",
        "hyperparameters": {"units": [3], "batch_size": 4},
        "training": Training(epochs=3),
        "backend": "jax",
        "precision": "mixed_bfloat16",
        "threads": 2,
    }.items():
        keys[name] = dataclasses.replace(RECIPE, **{name: value}).key(data, 0)
    two = dataclasses.replace(RECIPE, backend="jax", devices=2)
    keys["devices"] = two.key(data, 0)
    keys["scaling"] = dataclasses.replace(two, scaling="batch").key(data, 0)
    rows = data.rows
    for part in ("train", "validation"):
        other = dataclasses.replace(data, rows=rows | {part: rows[part][:-1]})
        keys[part] = RECIPE.key(other, 0)
    keys["examples"] = RECIPE.key(dataclasses.replace(data, digest="of others"), 0)
    keys["a GPU"] = RECIPE.key(data, 0, kind="gpu")
    keys["a CPU"] = RECIPE.key(data, 0, kind="cpu")
    labels = data.labels.copy()
    labels[0] = 2
    keys["labels"] = RECIPE.key(dataclasses.replace(data, labels=labels), 0)
    keys["classes"] = RECIPE.key(dataclasses.replace(data, classes=["N", "V", "S"]), 0)
    assert len(set(keys.values())) == len(keys)


def test_a_key_is_of_nothing_else():
    data = opened()
    key = RECIPE.key(data, 0)
    other_test = dataclasses.replace(data, rows=data.rows | {"test": data.rows["test"][:3]})
    assert RECIPE.key(other_test, 0) == key
    assert RECIPE.key(opened(parts=("train", "validation")), 0) == key
    assert RECIPE.key(dataclasses.replace(data, scored=CLASSES), 0) == key
    assert dataclasses.replace(RECIPE, scaling="linear").key(data, 0) == key, "on one device"
    assert dataclasses.replace(RECIPE, device="cpu").key(data, 0) == key, "the kind that is found"
    spelt_out = dataclasses.replace(
        RECIPE, hyperparameters={"batch_size": 8, "units": [3], "optimizer": "adam"}
    )
    assert spelt_out.key(data, 0) == key


@pytest.fixture(scope="module")
def done(keras, tmp_path_factory):
    """Train two seeds once for the tests below."""
    folder = tmp_path_factory.mktemp("runs")
    folders = {seed: folder / f"seed-{seed}" for seed in (0, 1)}
    train_runs(folders, opened(), RECIPE, identity=IDENTITY, store=folder / "fits")
    return folder


# As docs/design.md lists them.
KEYS = """study dataset simulated protocol honest architecture kind trial seed fold classes scored
    hyperparameters training metrics epochs best_epoch parameters model_kb train_seconds
    predict_seconds backend device devices batch_size precision versions"""


def test_a_run_folder_is_complete(done):
    for seed in (0, 1):
        folder = done / f"seed-{seed}"
        assert {path.name for path in folder.iterdir()} == {*RUN_FILES, "tensorboard"}
        assert any((folder / "tensorboard").iterdir())
        record = read_json(folder / "run.json")
        assert set(KEYS.split()) <= set(record)
        assert record["seed"] == seed
        assert record["kind"] == "network"
        assert record["scored"] == ["N", "S"]
        assert record["hyperparameters"]["optimizer"] == "adam"
        assert record["training"]["epochs"] == record["epochs"] == 2
        assert record["best_epoch"] in (1, 2)
        assert record["parameters"] == 3 * 3 + 2 * 3 + 3 + 3 * 3 + 3
        assert record["model_kb"] == pytest.approx(
            (folder / "model.keras").stat().st_size / 1000, abs=0.06
        )
        assert record["predict_seconds"] > 0
        assert set(record["metrics"]) == {"train", "validation", "test"}
        for metrics in record["metrics"].values():
            assert set(metrics) == {"loss", "accuracy", "mse", "mae", "macro_f1", "examples"}
            assert metrics["examples"] == 20
        history = read_table(folder / "history.csv")
        assert history["epoch"].tolist() == [1, 2]
        assert list(history) == [
            *("epoch", "loss", "accuracy", "mse", "mae"),
            *("val_loss", "val_accuracy", "val_mse", "val_mae", "learning_rate", "seconds"),
        ]


def test_metrics_agree_with_history_and_predictions(done):
    folder = done / "seed-0"
    record, history = read_json(folder / "run.json"), read_table(folder / "history.csv")
    best = history.iloc[record["best_epoch"] - 1]
    validation = record["metrics"]["validation"]
    for name in ("loss", "accuracy", "mse", "mae"):
        assert validation[name] == pytest.approx(best[f"val_{name}"], rel=1e-4)
    table = read_table(folder / "predictions.parquet")
    for part in ("validation", "test"):
        here = table[table["part"] == part]
        right = here[CLASSES].to_numpy().argmax(axis=1) == here["label"].map(CLASSES.index)
        assert record["metrics"][part]["accuracy"] == pytest.approx(right.mean())


def test_predictions_are_probabilities_of_the_right_rows(keras, done):
    table = read_table(done / "seed-0" / "predictions.parquet")
    assert list(table) == ["example", "part", "label", *CLASSES]
    assert table["example"].tolist() == list(range(20, 60))
    assert table["part"].tolist() == ["validation"] * 20 + ["test"] * 20
    assert table["label"].tolist() == [CLASSES[i % 3] for i in range(20, 60)]
    probabilities = table[CLASSES].to_numpy()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    model = keras.models.load_model(done / "seed-0" / "model.keras", safe_mode=True)
    assert not model.compiled, "it holds an optimizer, which predicting has no use for"
    again = model.predict(x()[20:], verbose=0)
    np.testing.assert_allclose(probabilities, again, rtol=1e-5, atol=1e-6)


def test_a_run_with_a_context_predicts_from_it(keras, tmp_path):
    examples, split = tables()
    context = np.random.default_rng(2).normal(size=(N, 2)).astype(np.float32)
    examples = examples.assign(context_a=context[:, 0], context_b=context[:, 1])
    given = {"fold": 0, "classes": CLASSES, "scored": CLASSES, "digest": "c"}
    data = open_data(x(), examples, split, **given)
    np.testing.assert_array_equal(data.context, context)
    train_runs({0: tmp_path / "0"}, data, RECIPE, identity=IDENTITY, store=tmp_path / "fits")
    table = read_table(tmp_path / "0" / "predictions.parquet")
    model = keras.models.load_model(tmp_path / "0" / "model.keras", safe_mode=True)
    inputs = {"examples": x()[20:], "context": context[20:]}
    again = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(table[CLASSES], again, rtol=1e-5, atol=1e-6)
    inputs["context"] = -context[20:]
    assert np.abs(model.predict(inputs, verbose=0) - again).max() > 1e-3


def test_what_was_trained_is_not_trained_again(done, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_, **__: pytest.fail("trained again"))
    train_runs({0: tmp_path / "run"}, opened(), RECIPE, identity=IDENTITY, store=done / "fits")
    first, second = (
        read_table(folder / "predictions.parquet") for folder in (done / "seed-0", tmp_path / "run")
    )
    pd.testing.assert_frame_equal(first, second)
    one, other = (read_json(folder / "run.json") for folder in (done / "seed-0", tmp_path / "run"))
    for name in ("predict_seconds", "model_kb"):
        del one[name], other[name]
    assert one == other
    assert any((tmp_path / "run" / "tensorboard").iterdir())
    assert not list((done / "fits").rglob("checkpoint.npz"))


def test_a_trial_that_its_search_stopped_has_no_ending(done, tmp_path):
    options = {"identity": IDENTITY, "store": done / "fits"}
    stopped = train_trial(
        tmp_path, opened(), RECIPE, seed=0, stops=lambda epoch, _: epoch == 1, **options
    )
    assert (stopped["state"], stopped["ending"]) == ("pruned", "")
    assert read_json(done / "seed-0" / "run.json")["ending"]


def test_a_run_of_kept_weights_says_what_made_them(keras, done, tmp_path, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(trainer, "device_name", lambda backend: "another CPU")
    (record,) = train_runs({0: tmp_path}, opened(), RECIPE, identity=IDENTITY, store=done / "fits")
    made = read_json(done / "seed-0" / "run.json")
    for name in ("device", "train_seconds", "versions"):
        assert record[name] == made[name], name


def forget():
    for cached in ("_module_file", "_syntax"):
        getattr(provenance, cached).cache_clear()


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a copy of the library that a test may edit."""
    copy = tmp_path / "lib"
    words = shutil.ignore_patterns("__pycache__", "*.j2", "*.css", "*.js")
    shutil.copytree(provenance.LIBRARY, copy, ignore=words)
    monkeypatch.setattr(provenance, "LIBRARY", copy)
    forget()
    yield copy
    forget()


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("networks/layers.py", '"longer examples"', '"examples that last longer"', ()),
        ("networks/backend.py", "Install it (pip", "Fetch it (pip", ()),
        ("train/callbacks.py", "validation loss %.4f", "loss of validation %.4f", ()),
        ("train/callbacks.py", "Use a smaller learning rate", "Lower the learning rate", ()),
        ("networks/models.py", "Build an uncompiled", "Make an uncompiled", ()),
        ("progress.py", "import logging", "import logging as log, logging", ()),
        ("networks/registry.py", '    "lstm",\n', "", ()),
        ("networks/architecture.py", "share(0.0)", "share(0.1)", ()),
        ("networks/gru.py", "layers.GRU", "layers.LSTM", {"gru"}),
        ("networks/models.py", "dense_dropout", "dropout", {*ARCHITECTURES}),
        ("networks/blocks.py", "largest >= value", "largest <= value", {*ARCHITECTURES}),
        ("train/training.py", "AVERAGED = 0.25", "AVERAGED = 0.5", {*ARCHITECTURES}),
        (
            "networks/layers.py",
            "return_sequences=seq",
            "return_sequences=not seq",
            {*ARCHITECTURES},
        ),
        (
            "train/batches.py",
            "default_rng([shuffle",
            "default_rng([1 + shuffle",
            {*ARCHITECTURES},
        ),
    ],
)
def test_weights_depend_on_the_code_that_makes_them_and_on_no_words(
    library, file, old, new, changed
):
    before = {name: weights_code(name) for name in ARCHITECTURES}
    text = (library / file).read_text()
    assert old in text
    (library / file).write_text(text.replace(old, new))
    forget()
    after = {name: weights_code(name) for name in ARCHITECTURES}
    assert {name for name in ARCHITECTURES if before[name] != after[name]} == set(changed)


def test_a_trial_never_touches_the_test_part(keras, done, tmp_path, monkeypatch):
    """What a search trained serves the final run: its rows of the test part are NaN here."""
    poisoned = x()
    poisoned[40:] = np.nan
    data = opened(x=poisoned, parts=("train", "validation"))
    monkeypatch.setattr(train, "fit_once", spy := Spy(train.fit_once))
    options = {"identity": IDENTITY, "seed": 0}
    record = train_trial(tmp_path / "trial", data, RECIPE, store=tmp_path / "fits", **options)
    assert {path.name for path in (tmp_path / "trial").iterdir()} == {
        "run.json",
        "history.csv",
        "tensorboard",
    }
    assert record == read_json(tmp_path / "trial" / "run.json")
    assert record["state"] == "complete"
    assert set(record["metrics"]) == {"train", "validation"}
    # The same key as the final run, and the same weights as with the test part there.
    final = read_json(done / "seed-0" / "run.json")
    assert (done / "fits" / spy.keys[0]).is_dir()
    assert record["metrics"]["validation"] == final["metrics"]["validation"]


class Spy:
    """Calls through, and keeps the keys."""

    def __init__(self, function):
        self.function, self.keys = function, []

    def __call__(self, *arguments, **options):
        self.keys.append(arguments[0].key(arguments[1]))
        return self.function(*arguments, **options)


def test_a_trial_that_diverges_is_marked_as_failed(keras, tmp_path):
    bad = x()
    bad[3] = np.inf
    data = opened(x=bad, parts=("train", "validation"))
    record = train_trial(
        tmp_path / "trial", data, RECIPE, identity=IDENTITY, seed=0, store=tmp_path / "fits"
    )
    assert record["state"] == "failed"
    assert "expected a finite loss, got nan" in record["reason"]
    assert read_json(tmp_path / "trial" / "run.json") == record
    assert "metrics" not in record


def test_a_trial_that_cannot_be_built_is_marked_as_failed(keras, tmp_path):
    recipe = Recipe("cnn", {"pool": 9}, Training(epochs=1), backend="tensorflow")
    given = {"identity": IDENTITY, "seed": 0, "store": tmp_path / "fits"}
    record = train_trial(tmp_path / "trial", opened(), recipe, **given)
    assert record["state"] == "failed"
    assert "expected longer examples, got only 5 time steps" in record["reason"]


@pytest.mark.parametrize("name", ["weights.npz", "history.json", "made.json"])
def test_a_damaged_file_stops_a_search_and_fails_no_trial(keras, done, tmp_path, name):
    shutil.copytree(done / "fits", tmp_path / "fits")
    for file in (tmp_path / "fits").glob(f"*/{name}"):
        file.write_bytes(file.read_bytes()[:-40])
    given = {"identity": IDENTITY, "seed": 0, "store": tmp_path / "fits"}
    with pytest.raises(HeldoutError, match=rf"{name}: expected .* Delete it and run again"):
        train_trial(tmp_path / "trial", opened(), RECIPE, **given)
    assert not (tmp_path / "trial" / "run.json").exists()
    for file in (tmp_path / "fits").glob(f"*/{name}"):
        file.unlink()
    assert train_trial(tmp_path / "trial", opened(), RECIPE, **given)["state"] == "complete"


def test_an_interrupted_training_is_kept_and_finished(keras, tmp_path, monkeypatch):
    data = opened()
    one = Trainer(data, dataclasses.replace(RECIPE, training=Training(epochs=4)))
    whole = one.fit(0)
    expected = [np.asarray(weight).copy() for weight in whole.model.weights]
    given = {"store": tmp_path / "fits", "tensorboard": tmp_path / "t"}
    folder = tmp_path / "fits" / one.key(0)

    def interrupt(epoch, loss):
        if epoch == 2:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        fits.fit_once(one, 0, stops=interrupt, **given)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.npz"]
    fitted = fits.fit_once(one, 0, **given)
    for weight, value in zip(fitted.model.weights, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(weight).copy(), value)
    assert [row["loss"] for row in fitted.history] == [row["loss"] for row in whole.history]
    assert {path.name for path in folder.iterdir()} == {
        "weights.npz",
        "history.json",
        "made.json",
    }


@pytest.mark.parametrize("last", [2, 4])
def test_a_search_stops_a_kept_training_as_it_stops_a_new_one(keras, tmp_path, last):
    one = Trainer(opened(), dataclasses.replace(RECIPE, training=Training(epochs=4)))

    def fitted(store):
        told = []

        def stops(epoch, loss):
            told.append((epoch, loss))
            return epoch == last

        given = {"store": tmp_path / store, "tensorboard": tmp_path / "t", "stops": stops}
        return fits.fit_once(one, 0, **given).pruned, told

    fits.fit_once(one, 0, store=tmp_path / "warm", tensorboard=tmp_path / "t")
    assert fitted("warm") == fitted("cold")
    pruned, told = fitted("cold")
    assert pruned == (last == 2)
    assert [epoch for epoch, _ in told] == [1, 2, 3][:last]


def test_a_run_says_what_mixed_precision_does_to_its_metrics(keras, tmp_path):
    recipe = dataclasses.replace(RECIPE, precision="mixed_float16")
    (record,) = train_runs({0: tmp_path}, opened(), recipe, identity=IDENTITY, store=tmp_path / "f")
    assert record["precision"] == "mixed_float16"
    effect = record["precision_effect"]
    assert set(effect) == {"train", "validation", "test"}
    assert set(effect["test"]) == set(record["metrics"]["test"]) - {"examples"}
    assert 0 < abs(effect["train"]["loss"]) < 0.01
    saved = keras.models.load_model(tmp_path / "model.keras")
    assert {layer.compute_dtype for layer in saved.layers} == {"float32"}


def test_a_refit_is_judged_on_validation_before_it_has_that_part_and_on_test_after(tmp_path):
    training = Training(epochs=2, keep="last")
    once = dataclasses.replace(RECIPE, training=training)
    twice = dataclasses.replace(RECIPE, training=dataclasses.replace(training, refit=True))
    data = opened()
    whole = with_validation(data)
    assert whole.rows["train"].tolist() == list(range(40))
    assert data.rows["train"].tolist() == list(range(20))
    records, tables = {}, {}
    for name, (given, recipe) in {
        "plain": (data, once),
        "refit": (data, twice),
        "whole": (whole, once),
    }.items():
        folder = tmp_path / name
        records[name] = train_runs(
            {0: folder}, given, recipe, identity=IDENTITY, store=tmp_path / "fits"
        )[0]
        tables[name] = read_table(folder / "predictions.parquet").groupby("part")[CLASSES]
    # The two networks are those of two trainings, of which there are no more.
    assert len([path for path in (tmp_path / "fits").iterdir() if path.is_dir()]) == 2
    of = {name: record["metrics"] for name, record in records.items()}
    assert of["refit"]["validation"] == of["plain"]["validation"]
    assert of["refit"]["test"] == of["whole"]["test"] != of["plain"]["test"]
    assert of["refit"]["train"] == of["whole"]["train"]
    assert of["refit"]["train"]["examples"] == 40
    for part, name in {"validation": "plain", "test": "whole"}.items():
        expected = tables[name].get_group(part)
        np.testing.assert_allclose(tables["refit"].get_group(part), expected, rtol=1e-6)
    assert records["refit"]["ending"] == records["plain"]["ending"]
    assert records["refit"]["train_seconds"] == pytest.approx(
        records["plain"]["train_seconds"] + records["whole"]["train_seconds"]
    )


def test_what_is_learned_with_smoothed_labels_counts_from_the_loss_that_has_them(
    tmp_path, monkeypatch
):
    data = opened()
    data = dataclasses.replace(data, labels=np.where(data.labels == 2, 1, 0))
    constants = []
    monkeypatch.setattr(train, "ending", lambda losses, **of: constants.append(of["constant"]))
    for smoothing in (0.0, 0.3):
        values = RECIPE.hyperparameters | {"label_smoothing": smoothing}
        recipe = dataclasses.replace(RECIPE, hyperparameters=values)
        train_runs({0: tmp_path}, data, recipe, identity=IDENTITY, store=tmp_path / "fits")
    train_part, validation = (data.labels[data.rows[part]] for part in ("train", "validation"))
    shares = np.bincount(train_part, minlength=3) / len(train_part)
    target = 0.7 * np.eye(3)[validation] + 0.1
    expected = -(target @ np.log(0.7 * shares + 0.1)).mean()
    assert constants[1] == pytest.approx(expected)
    assert constants[0] < expected


def test_a_test_part_that_chooses_is_never_trained_on():
    data = opened()
    chosen = dataclasses.replace(data, rows=data.rows | {"validation": data.rows["test"]})
    with pytest.raises(HeldoutError, match=r"refit: expected a validation .* got 20 examples in"):
        with_validation(chosen)
    apart = {part: rows for part, rows in chosen.rows.items() if part != "test"}
    assert len(with_validation(dataclasses.replace(data, rows=apart)).rows["train"]) == 40


def test_what_has_no_test_part_is_not_trained_anew(tmp_path):
    recipe = dataclasses.replace(RECIPE, training=Training(epochs=1, keep="last", refit=True))
    data = opened(parts=("train", "validation"))
    record = train_trial(
        tmp_path / "trial", data, recipe, identity=IDENTITY, seed=0, store=tmp_path / "fits"
    )
    assert set(record["metrics"]) == {"train", "validation"}
    assert len([path for path in (tmp_path / "fits").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize(
    ("settings", "got"),
    [
        ({}, "keep: best"),
        ({"keep": "last", "early_stopping": 3}, "early_stopping: 3"),
        ({"keep": "last", "reduce_lr_factor": 0.5}, r"reduce_lr_factor: 0\.5"),
        ({"keep": "last", "seconds": 9.0}, r"seconds: 9\.0"),
    ],
)
def test_validation_that_is_trained_on_cannot_steer(settings, got):
    with pytest.raises(HeldoutError, match=rf"training\.refit: expected a fixed .* got {got}\."):
        Training(epochs=3, refit=True, **settings)
