"""What JAX compiles for a training serves others of its shape, and trains what Keras trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# Arguments: the number of examples to train on, and the learning rate.
TRAIN = """
import sys
import numpy as np
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.training import Training
from lib.train.trainer import Trainer

count, rate = int(sys.argv[1]), float(sys.argv[2])
rng = np.random.default_rng(count)
x = (rng.normal(size=(count + 22, 20, 2)) * rate + count).astype("float32")
labels = rng.integers(3, size=count + 22)
rows = np.arange(count + 22)
parts = {"train": rows[:count], "validation": rows[count:]}
values = {"units": [6], "batch_size": 16, "learning_rate": rate, "class_weights": True}
values |= {"schedule": "cosine", "warmup": 0.2, "label_smoothing": 0.1, "global_clipnorm": 1.0}
data = Data(x, labels, parts, list("abc"), list("abc"), context=rng.normal(size=(count + 22, 2)))
recipe = Recipe("gru", values, Training(epochs=3, keep="last"), backend="jax")
one = Trainer(data, recipe)
"""
FIT = "one.fit(5); one.predict(rows, size=8)"
AS_KERAS_DOES = """
from lib.networks.backend import load
from lib.networks.models import build
from lib.train.batches import batches, moments
from lib.metrics.emphasis import class_weights

keras = load("jax")
fitted = one.fit(5)
mean, variance = moments(x, parts["train"])
context = moments(data.context[:, None], parts["train"])
keras.utils.set_random_seed(5)
told = {"mean": mean, "variance": variance, "context": context}
model = build("gru", one.values, shape=(20, 2), classes=3, backend="jax", **told)
steps = 3 * -(-count // 16)
risen = round(0.2 * steps)
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, steps - risen, warmup_target=rate, warmup_steps=risen
)
model.compile(
    keras.optimizers.Adam(schedule, global_clipnorm=1.0),
    keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
)
targets = np.eye(3, dtype="float32")[labels]
weights = class_weights(labels[:count])
given = {"context": data.context, "batch_size": 16}
train = batches(keras, x, rows[:count], targets[:count], weights, shuffle_seed=5, **given)
check = batches(keras, x, rows[count:], targets[count:], **given)
for epoch, row in enumerate(fitted.history):
    train.epoch = epoch
    history = model.fit(train, validation_data=check, shuffle=False, verbose=0).history
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(row[name], history[name][0], rtol=2e-4, err_msg=name)
    rate = float(model.optimizer.learning_rate)
    np.testing.assert_allclose(row["learning_rate"], rate, rtol=1e-5)
for mine, theirs in zip(fitted.model.get_weights(), model.get_weights(), strict=True):
    np.testing.assert_allclose(mine, theirs, atol=2e-4)
inputs = {"examples": x, "context": data.context.astype("float32")}
theirs = fitted.model.predict(inputs, verbose=0)
np.testing.assert_allclose(one.predict(rows), theirs, atol=1e-5)
"""


@pytest.mark.parametrize(
    ("count", "rate"), [(48, 0.03), (9, 0.01), pytest.param(40, 0.01, marks=pytest.mark.slow)]
)
def test_batches_that_are_filled_up_train_what_keras_trains(
    python: Callable[..., str], count: int, rate: float
) -> None:
    """With its own schedule, its own first layer, and a last batch that is smaller."""
    python(TRAIN + AS_KERAS_DOES, count, rate)


def test_another_part_and_another_rate_need_no_other_program(
    python: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)

    def compiled() -> list[Path]:
        return [
            path
            for kind in ("train", "test", "predict")
            for path in tmp_path.rglob(f"jit_{kind}_step-*-cache")
        ]

    python(TRAIN + FIT, 40, 0.01)
    first = compiled()
    assert len(first) == 3
    python(TRAIN + FIT, 57, 0.03)
    assert compiled() == first
