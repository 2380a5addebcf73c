"""Training: the same weights every time, also after `kill -9`, and from the right rows alone."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lib import files
from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.metrics.emphasis import class_weights, drawn
from lib.metrics.record import scores
from lib.train.callbacks import best_epoch
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.tensorboard import write_history_events, write_hyperparameters
from lib.train.trainer import Trainer
from lib.train.training import Training

# Every architecture with what makes it random or keeps a state: dropout of each kind, batch
# normalisation, class weights, and every optimizer.
CASES = {
    "simple_rnn": {"units": [4], "recurrent_dropout": 0.2, "optimizer": "adamax"},
    "lstm": {"units": [4], "dropout": 0.2, "recurrent_dropout": 0.3, "optimizer": "adam"},
    "gru": {"units": [3], "bidirectional": True, "dense": [4], "dense_dropout": 0.3}
    | {"optimizer": "rmsprop", "class_weights": True},
    "cnn": {"filters": [4, 3], "kernels": [3, 3], "dropout": 0.2, "optimizer": "sgd"},
    "cnn_lstm": {"filters": [4], "kernels": [3], "units": [3], "dense": [4], "dense_dropout": 0.2},
}
# All of them take minutes. Recurrent dropout is also in the tests of going on below.
CHEAP = ("cnn",)
EVERY = [
    pytest.param(name, marks=() if name in CHEAP else pytest.mark.slow, id=name) for name in CASES
]
SEEDS = (5, 6)
EPOCHS = 10
TRAINING = Training(epochs=EPOCHS, early_stopping=6, reduce_lr_factor=0.5, reduce_lr_patience=1)
TRAIN, VALIDATION = np.arange(0, 60, 2), np.arange(1, 40, 2)


def examples():
    """Return noise to fit in vain, so that the rules of training act; unused rows are NaN."""
    rng = np.random.default_rng(1)
    x = np.full((70, 8, 2), np.nan, np.float32)
    used = np.concatenate([TRAIN, VALIDATION])
    x[used] = rng.normal(size=(len(used), 8, 2)) + 3
    labels = rng.integers(0, 3, 70)
    return x, labels


def trainer(
    architecture, *, x=None, context=None, backend="tensorflow", training=TRAINING, **values
):
    fallback, labels = examples()
    hyperparameters = CASES[architecture] | {"learning_rate": 0.03, "batch_size": 8} | values
    parts = {"train": TRAIN, "validation": VALIDATION}
    names = ["a", "b", "c"]
    return Trainer(
        Data(fallback if x is None else x, labels, parts, names, names, context=context),
        Recipe(architecture, hyperparameters, training, backend=backend),
    )


def train_by(one, training):
    """Have a trainer train by other rules: they change nothing that was compiled."""
    one.recipe = replace(one.recipe, training=training)


def state(fitted):
    """Return all that must be equal: weights and history, without the time that it took."""
    history = [{k: v for k, v in row.items() if k != "seconds"} for row in fitted.history]
    return [np.asarray(weight).copy() for weight in fitted.model.weights], history


def assert_same(one, other):
    for mine, theirs in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert one[1] == other[1]


def save(path, result):
    np.savez(path, *result[0])
    path.with_suffix(".json").write_text(json.dumps(result[1]))


def read(path):
    with np.load(path.with_suffix(".npz")) as held:
        return [held[name] for name in held.files], json.loads(
            path.with_suffix(".json").read_text()
        )


@contextmanager
def after_epoch_4(act):
    """Call a function when the fourth epoch of a training is over, and its checkpoint in place."""

    class Watch(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("epoch 4 of"):
                act()

    log = logging.getLogger("lib.train.callbacks")
    log.setLevel(logging.INFO)
    log.addHandler(watch := Watch())
    try:
        yield
    finally:
        log.removeHandler(watch)


def train_each(folder, architectures, backend="tensorflow", seeds=SEEDS):
    """Train with every seed, each in a trainer of its own, last seed first.

    The fourth checkpoint of the first seed stays, as if the training had ended there.
    """
    folder = Path(folder)
    for architecture in architectures:
        for seed in seeds[::-1]:
            checkpoint = folder / f"{architecture}-{seed}-checkpoint.npz"
            with after_epoch_4(partial(shutil.copy, checkpoint, folder / f"{architecture}.npz")):
                fitted = trainer(architecture, backend=backend).fit(seed, checkpoint=checkpoint)
            save(folder / f"{architecture}-{seed}.npz", state(fitted))


def train_and_die(folder, architecture, backend="tensorflow"):
    """Train with a checkpoint until `kill -9`, in the middle of an epoch or of a checkpoint."""

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def disturb():
        if MOMENTS[architecture] == "epoch":
            threading.Timer(0.004, die).start()
        else:
            # The next checkpoint is written, and not yet in its place.
            files.os.replace = die

    with after_epoch_4(disturb):
        checkpoint = Path(folder) / f"{architecture}-killed.npz"
        trainer(architecture, backend=backend).fit(SEEDS[0], checkpoint=checkpoint)


def left_by(folder, architecture):
    """Return the checkpoint that a training left: of one that was killed, where one was."""
    return Path(folder) / f"{architecture}{'-killed' if architecture in MOMENTS else ''}.npz"


def start(call):
    """Call a function of this file in a new process."""
    code = f"from tests.unit.train import test_trainer; test_trainer.{call}"
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)


def go_on_and_train_again(folder, architectures, backend):
    """Go on from what was left, then train from the start, both by one trainer."""
    for architecture in architectures:
        one = trainer(architecture, backend=backend)
        gone_on = state(one.fit(SEEDS[0], checkpoint=left_by(folder, architecture)))
        whole = read(Path(folder) / f"{architecture}-{SEEDS[0]}")
        assert_same(gone_on, whole)
        assert_same(state(one.fit(SEEDS[0])), whole)


def finish(*running, status=0):
    """Wait for processes, and show what a failed one said."""
    for process in running:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == status, errors.decode()


# A kill ends a process, whatever is trained there: each moment once. Of the others a checkpoint is
# kept, which has all that a killed one has.
MOMENTS = {"lstm": "epoch", "cnn": "checkpoint"}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Return the folder of what other processes trained, and of what they left halfway."""
    folders = {}

    def run(architecture):
        together = [name for name in CASES if (name in CHEAP) == (architecture in CHEAP)]
        if architecture not in folders:
            folder = tmp_path_factory.mktemp(architecture)
            whole = start(f"train_each({str(folder)!r}, {together})")
            killed = [name for name in together if name in MOMENTS]
            dying = [start(f"train_and_die({str(folder)!r}, {name!r})") for name in killed]
            finish(whole)
            finish(*dying, status=-signal.SIGKILL)
            folders.update(dict.fromkeys(together, folder))
        return folders[architecture]

    return run


@pytest.fixture(scope="module")
def here(keras):
    """Train an architecture in this process, both seeds in one trainer."""
    found = {}

    def run(architecture):
        if architecture not in found:
            one = trainer(architecture)
            found[architecture] = {seed: state(one.fit(seed)) for seed in SEEDS}
        return found[architecture]

    return run


@pytest.mark.parametrize("architecture", EVERY)
def test_two_processes_train_the_same_weights(here, elsewhere, architecture):
    for seed, result in here(architecture).items():
        assert_same(result, read(elsewhere(architecture) / f"{architecture}-{seed}"))


@pytest.mark.parametrize("architecture", EVERY)
def test_seeds_differ(here, architecture):
    one, other = here(architecture).values()
    assert one[1][0]["loss"] != other[1][0]["loss"]
    assert any((a != b).any() for a, b in zip(one[0], other[0], strict=True))


@pytest.mark.parametrize("architecture", EVERY)
def test_a_training_that_ended_early_goes_on_to_the_same_weights(here, elsewhere, architecture):
    checkpoint = left_by(elsewhere(architecture), architecture)
    undisturbed = here(architecture)[SEEDS[0]]
    with np.load(checkpoint) as held:
        done = len(held["history"])
    assert 4 <= done < len(undisturbed[1])
    if MOMENTS.get(architecture) != "epoch":
        assert done == 4  # the fifth of one that was killed was not in its place yet
    fitted = trainer(architecture).fit(SEEDS[0], checkpoint=checkpoint)
    assert_same(state(fitted), undisturbed)


@pytest.fixture(scope="module")
def _plain(keras):
    x, labels = examples()
    return trainer("simple_rnn", x=x), x, labels


@pytest.fixture
def plain(_plain):
    """Return a network that is traced once, with examples that a test may change."""
    one, x, labels = _plain
    yield one, x, labels
    x[:] = examples()[0]
    train_by(one, TRAINING)


def assert_goes_on(one, folder):
    """Every checkpoint of a training leads to the end of the undisturbed one."""
    checkpoint, copies = folder / "checkpoint.npz", []

    class Keep(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("epoch "):
                copies.append(shutil.copy(checkpoint, folder / f"{len(copies)}.npz"))

    log = logging.getLogger("lib.train.callbacks")
    log.setLevel(logging.INFO)
    log.addHandler(keep := Keep())
    try:
        undisturbed = state(one.fit(0, checkpoint=checkpoint))
    finally:
        log.removeHandler(keep)
    assert copies
    for copy in copies:
        assert_same(state(one.fit(0, checkpoint=copy)), undisturbed)
    return undisturbed


def test_going_on_after_any_epoch_ends_the_same(plain, tmp_path):
    """The counters of early stopping and of the plateau come back, whatever they stood at."""
    one, _, _ = plain
    train_by(one, Training(epochs=12, early_stopping=4, reduce_lr_factor=0.3, reduce_lr_patience=2))
    undisturbed = assert_goes_on(one, tmp_path)
    rates = [row["learning_rate"] for row in undisturbed[1]]
    assert len(rates) < 12, "early stopping did not act"
    assert len(set(rates)) > 1, "the learning rate was not reduced"


def test_a_row_has_the_rate_that_its_epoch_was_trained_with(plain):
    one, _, _ = plain
    train_by(one, Training(epochs=10, reduce_lr_factor=0.5, reduce_lr_patience=1))
    best, rate = np.inf, 0.03
    for row in one.fit(SEEDS[0]).history:
        assert row["learning_rate"] == pytest.approx(rate)
        if row["val_loss"] < best - 1e-4:  # as much as Keras calls progress
            best = row["val_loss"]
        else:
            rate /= 2
    assert rate < 0.03, "no plateau was met"


@pytest.mark.parametrize("keep", ["last", "average"])
def test_what_is_kept_and_augmented_goes_on_too(plain, tmp_path, keep):
    one, _, _ = plain
    augmentation = {"shift": 0.3, "noise": 0.5, "mask_time": 0.5}
    train_by(one, Training(epochs=6, keep=keep, augmentation=augmentation))
    augmented = assert_goes_on(one, tmp_path)
    train_by(one, Training(epochs=6, keep=keep))
    assert state(one.fit(0))[1] != augmented[1]


def told():
    """Return a context that tells the class of each example, and a value that never changes."""
    _, labels = examples()
    context = np.eye(3, dtype=np.float32)[labels] * [1, 50, 0.01] + [9, 0, -3]
    return np.append(context, np.full((70, 1), 5), axis=1).astype(np.float32)


def learn_from_context(folder, backend):
    """Train with a context to the end, from any epoch on, and check what was learned."""
    values = {"class_weights": True, "recurrent_dropout": 0.0, "dense": [6]}
    training = Training(epochs=12, keep="last", augmentation={"noise": 0.5})
    one = trainer("lstm", context=told(), backend=backend, training=training, **values)
    weights, history = assert_goes_on(one, Path(folder))
    assert np.isfinite([row["loss"] for row in history]).all()
    assert all(np.isfinite(value).all() for value in weights)
    assert history[-1]["val_accuracy"] > 0.9


def test_a_training_with_a_context_learns_from_it_and_goes_on(keras, tmp_path):
    learn_from_context(tmp_path, "tensorflow")
    values = {"class_weights": True, "recurrent_dropout": 0.0, "dense": [6]}
    blind = trainer("lstm", training=Training(epochs=12, keep="last"), **values)
    assert blind.fit(0).history[-1]["val_accuracy"] < 0.8


@pytest.mark.slow
def test_so_it_does_with_jax(tmp_path):
    finish(start(f"learn_from_context({str(tmp_path)!r}, 'jax')"))


def test_a_context_of_the_test_part_is_not_looked_at(keras):
    training = Training(epochs=2)
    context = told()
    first = state(trainer("cnn", context=context, training=training).fit(0))
    unused = np.setdiff1d(np.arange(70), [*TRAIN, *VALIDATION])
    context[unused] = 1e30
    assert_same(state(trainer("cnn", context=context, training=training).fit(0)), first)
    context[VALIDATION] += 1
    other = state(trainer("cnn", context=context, training=training).fit(0))
    assert [row["loss"] for row in other[1]] == [row["loss"] for row in first[1]]
    assert other[1][0]["val_loss"] != first[1][0]["val_loss"]


def weights_after(one, epochs):
    train_by(one, Training(epochs=epochs, keep="last"))
    fitted = one.fit(0)
    assert fitted.best_epoch == epochs
    return state(fitted)[0]


def test_weights_of_the_last_quarter_are_averaged(plain):
    one, _, _ = plain
    last = [weights_after(one, epochs) for epochs in (7, 8)]
    train_by(one, Training(epochs=8, keep="average"))
    averaged = state(one.fit(0))[0]
    for mean, *each in zip(averaged, *last, strict=True):
        np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-5, atol=1e-7)


def test_a_schedule_sets_the_rate_of_every_epoch(keras):
    """With 30 rows and batches of 8, an epoch has 4 steps; plateaus change nothing."""
    training = Training(epochs=4, reduce_lr_factor=0.1, reduce_lr_patience=0)
    one = trainer("cnn", schedule="cosine", warmup=0.25, training=training)
    rates = [row["learning_rate"] for row in one.fit(0).history]
    falling = [0.03 * (1 + np.cos(np.pi * share)) / 2 for share in (0, 1 / 3, 2 / 3, 1)]
    np.testing.assert_allclose(rates, falling, rtol=1e-4, atol=1e-7)


def test_what_the_optimizer_is_told(keras):
    one = trainer("cnn", weight_decay=0.02, global_clipnorm=1.5, label_smoothing=0.1)
    assert one.model.optimizer.weight_decay == 0.02
    assert one.model.optimizer.global_clipnorm == 1.5
    assert one.model.loss.label_smoothing == 0.1
    plain = trainer("cnn")
    assert plain.model.optimizer.weight_decay is None
    assert plain.model.optimizer.global_clipnorm is None
    assert plain.model.loss.label_smoothing == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": "first"}, "training.keep: expected one of best, last, average, got 'first'"),
        ({"keep": "average", "early_stopping": 3}, "expected no `early_stopping` beside `average`"),
        ({"keep": "average", "seconds": 60}, "expected no `seconds` beside `average`"),
        ({"augmentation": {"nois": 0.1}}, "unknown augmentation 'nois'. Did you mean 'noise'"),
        ({"augmentation": {"noise": 2}}, "noise: expected a share from 0 to 1, got 2"),
    ],
)
def test_rules_that_cannot_be(options, message):
    with pytest.raises(HeldoutError, match=message):
        Training(epochs=3, **options)


def test_a_training_ends_with_the_epoch_in_which_its_time_is_over(tmp_path):
    one = trainer("cnn", training=Training(epochs=9, seconds=1e-9))
    checkpoint = tmp_path / "checkpoint.npz"
    first = one.fit(0, checkpoint=checkpoint)
    assert len(first.history) == 1
    assert one.recipe.training.spent(first.history)
    # Nor does a restart give it another epoch.
    assert len(one.fit(0, checkpoint=checkpoint).history) == 1
    train_by(one, Training(epochs=3, seconds=1e9))
    assert len(one.fit(0).history) == 3


def test_a_variant_is_trained_as_its_architecture_is():
    data, recipe = trainer("cnn").data, Recipe("cnn", CASES["cnn"], TRAINING, backend="tensorflow")
    assert recipe.key(data, 0) == replace(recipe, architecture="cnn.small").key(data, 0)


def test_a_finished_training_is_not_begun_again(plain, tmp_path, monkeypatch):
    one, _, _ = plain
    first = state(one.fit(0, checkpoint=tmp_path / "checkpoint.npz"))
    one.fit(1)
    monkeypatch.setattr(one.model, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert_same(state(one.fit(0, checkpoint=tmp_path / "checkpoint.npz")), first)


def test_only_train_and_validation_rows_are_read(plain, tmp_path):
    """The others are NaN in all of these tests; here a mapped file gives other values for them."""
    one, x, _ = plain
    first = state(one.fit(0))
    assert np.isfinite([row["val_loss"] for row in first[1]]).all()
    x[np.isnan(x)] = 1e30
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(state(trainer("simple_rnn", x=mapped).fit(0)), first)


def test_validation_does_not_train(plain):
    one, x, _ = plain
    train_by(one, Training(epochs=3))
    first = one.fit(0).history
    x[VALIDATION] *= 7
    second = one.fit(0).history
    assert [row["loss"] for row in first] == [row["loss"] for row in second]
    assert first[0]["val_loss"] != second[0]["val_loss"]


def test_the_weights_of_the_best_epoch_are_restored(plain):
    one, x, labels = plain
    train_by(one, Training(epochs=8))
    fitted = one.fit(0)
    losses = [row["val_loss"] for row in fitted.history]
    assert fitted.best_epoch == int(np.argmin(losses)) + 1 < 8
    found = scores(
        labels[VALIDATION], fitted.model.predict(x[VALIDATION], verbose=0), scored=[0, 1, 2]
    )
    row = fitted.history[fitted.best_epoch - 1]
    for name in ("loss", "accuracy", "mse", "mae"):
        assert found[name] == pytest.approx(row[f"val_{name}"], rel=1e-4), name


def test_the_first_of_equal_epochs_is_the_best():
    assert best_epoch([{"val_loss": loss} for loss in (3.0, 1.0, 2.0, 1.0)]) == 2


def test_history_has_a_row_an_epoch(plain):
    one, _, _ = plain
    train_by(one, Training(epochs=2))
    fitted = one.fit(0)
    names = ["loss", "accuracy", "mse", "mae"]
    expected = ["epoch", *names, *(f"val_{name}" for name in names), "learning_rate", "seconds"]
    assert [list(row) for row in fitted.history] == [expected] * 2
    assert [row["epoch"] for row in fitted.history] == [1, 2]
    assert fitted.history[0]["learning_rate"] == pytest.approx(0.03)
    assert fitted.seconds == sum(row["seconds"] for row in fitted.history) > 0


def test_a_loss_that_becomes_nan_is_an_error(plain, tmp_path):
    one, x, _ = plain
    checkpoint = tmp_path / "checkpoint.npz"
    x[TRAIN[3], 0, 0] = np.nan
    with pytest.raises(
        HeldoutError, match=r"epoch 1: expected a finite loss, got nan .* smaller learning"
    ):
        one.fit(0, checkpoint=checkpoint)
    assert not checkpoint.exists()
    x[TRAIN[3], 0, 0] = 0
    x[VALIDATION[3], 0, 0] = np.nan
    with pytest.raises(
        HeldoutError, match=r"epoch 1: expected a finite loss, got .* \(validation nan\)"
    ):
        one.fit(0)


def test_a_training_that_diverges_later_keeps_what_it_had(plain, tmp_path, monkeypatch):
    one, _, _ = plain
    train_by(one, Training(epochs=8, keep="last"))
    seen = []

    def isfinite(value):
        seen.append(value)
        return len(seen) <= 2 * 3  # the loss and the validation loss of three epochs

    monkeypatch.setattr("lib.train.callbacks.math.isfinite", isfinite)
    fitted = one.fit(0, checkpoint=tmp_path / "checkpoint.npz")
    monkeypatch.undo()
    assert fitted.diverged and len(fitted.history) == 3
    kept = state(fitted)
    train_by(one, Training(epochs=3, keep="last"))
    assert_same(state(one.fit(0)), kept)


def test_a_network_that_diverges_is_an_error(keras):
    with pytest.raises(HeldoutError, match=r"epoch \d+: expected a finite loss"):
        trainer("cnn", learning_rate=1e30).fit(0)


def test_an_epoch_has_as_many_steps_as_it_draws_examples(keras):
    labels = examples()[1][TRAIN]
    counts = drawn(labels, 0.2)
    assert counts.sum() < len(labels)
    one = trainer("cnn", training=Training(epochs=2, undersampling=0.2), batch_size=4)
    one.fit(0)
    assert int(one.model.optimizer.iterations) == 2 * -(-counts.sum() // 4)


@pytest.mark.parametrize("memory_mapped", [False, True])
def test_each_step_is_normalised_as_by_scikit_learn(keras, tmp_path, memory_mapped):
    from sklearn.preprocessing import StandardScaler

    x = examples()[0] * np.linspace(0, 9, 8, dtype=np.float32)[:, None]  # the first step is 0
    used = np.concatenate([TRAIN, VALIDATION])
    np.save(tmp_path / "x.npy", x)
    held = np.load(tmp_path / "x.npy", mmap_mode="r") if memory_mapped else x
    one = trainer("cnn", x=held, training=Training(epochs=1), normalization="step")
    expected = StandardScaler().fit(x[TRAIN].reshape(len(TRAIN), -1))
    expected = expected.transform(x[used].reshape(len(used), -1)).reshape(-1, 8, 2)
    model = one.fit(0).model
    assert type(model.layers[1]).__name__ == "Normalization"
    np.testing.assert_allclose(model.layers[1](x[used]), expected, atol=1e-4)
    # What trains is told nothing of the data, and has them scaled before.
    np.testing.assert_allclose(one.predict(used), model.predict(x[used], verbose=0), rtol=1e-4)
    model.save(tmp_path / "model.keras")
    saved = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(saved(x[used]), model(x[used]), rtol=1e-5)


def test_class_weights_weigh_the_loss_of_train_alone(keras):
    x, labels = examples()
    # At this learning rate nothing moves, so that one model gives both losses.
    still = {
        "learning_rate": 1e-12,
        "recurrent_dropout": 0.0,
        "batch_size": 30,
        "class_weights": True,
    }
    one = trainer("simple_rnn", training=Training(epochs=1), **still)
    fitted = one.fit(0)
    row = fitted.history[0]
    p = fitted.model.predict(x, verbose=0)
    loss = -np.log(p[np.arange(len(x)), labels])
    weights = class_weights(labels[TRAIN])
    weighted, unweighted = (weights * loss[TRAIN]).mean(), loss[TRAIN].mean()
    assert abs(weighted / unweighted - 1) > 1e-3, "these examples cannot tell"
    assert row["loss"] == pytest.approx(weighted, rel=1e-4)
    assert row["val_loss"] == pytest.approx(loss[VALIDATION].mean(), rel=1e-4)


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, pytest.approx(event.value)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_tensorboard_shows_train_and_validation_in_one_chart(plain, tmp_path):
    one, _, _ = plain
    train_by(one, Training(epochs=2))
    old = tmp_path / "events.out.old"
    old.write_text("of an older training")
    fitted = one.fit(0, tensorboard=tmp_path)
    assert not old.exists()
    curves = scalars(tmp_path)
    for chart in ("loss", "accuracy", "mse", "mae"):
        for part, prefix in (("train", ""), ("validation", "val_")):
            expected = [(row["epoch"], row[prefix + chart]) for row in fitted.history]
            assert curves[f"{chart}/{part}"] == expected
    again = tmp_path / "again"
    write_history_events(again, fitted.history)
    assert scalars(again) == scalars(tmp_path)


def test_an_interrupted_training_closes_its_events(keras, tmp_path, monkeypatch):
    one = trainer("cnn")
    monkeypatch.setattr("tensorboardX.SummaryWriter.close", lambda self: closed.append(self))
    closed = []

    def interrupt(epoch, loss):
        assert not closed
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one.fit(0, tensorboard=tmp_path, stops=interrupt)
    assert len(closed) == 1


def test_tensorboard_shows_hyperparameters_beside_the_curves(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    write_history_events(tmp_path, [{"epoch": 1, "loss": 0.5, "val_loss": 0.7}])
    given = {"architecture": "lstm", "units": [64, 32], "dropout": 0.2, "bidirectional": True}
    write_hyperparameters(tmp_path, given, {"best/loss": 0.7})
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert {"loss/train", "loss/validation", "best/loss"} <= set(events.Tags()["scalars"])
    content = events.PluginTagToContent("hparams")
    start = HParamsPluginData.FromString(content["_hparams_/session_start_info"])
    found = start.session_start_info.hparams
    assert found["units"].string_value == "64x32"
    assert found["architecture"].string_value == "lstm"
    assert found["dropout"].number_value == 0.2
    assert found["bidirectional"].bool_value is True
    experiment = HParamsPluginData.FromString(content["_hparams_/experiment"]).experiment
    assert [info.name.tag for info in experiment.metric_infos] == ["best/loss"]


@pytest.mark.slow
def test_jax_trains_the_same_weights_and_goes_on_after_a_kill(tmp_path):
    folder, every = str(tmp_path), list(CASES)
    finish(start(f"train_each({folder!r}, {every}, 'jax', {SEEDS[:1]})"))
    dying = [start(f"train_and_die({folder!r}, {name!r}, 'jax')") for name in MOMENTS]
    finish(*dying, status=-signal.SIGKILL)
    finish(start(f"go_on_and_train_again({folder!r}, {every}, 'jax')"))
