"""Several devices train what one does: on eight virtual CPUs of JAX."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lib.config.settings import ROOT
from lib.errors import HeldoutError
from lib.networks import devices as parallel
from lib.networks.devices import count_devices, scaled
from lib.train.batches import batches, padded_metrics

VALUES = {"batch_size": 32, "learning_rate": 0.001}
# Batch normalisation, a recurrent layer, class weights: what goes over all examples of a batch.
CASES = {
    "cnn": {"filters": [4, 3], "kernels": [3, 3], "optimizer": "sgd", "learning_rate": 0.1},
    "gru": {"units": [3], "class_weights": True, "optimizer": "adam", "learning_rate": 0.03},
}
EPOCHS = 4


def trainer(
    architecture: str, backend: str, rows: int = 64, *, beside: bool = False, **options: Any
) -> Any:
    from lib.train.data import Data
    from lib.train.recipe import Recipe
    from lib.train.trainer import Trainer
    from lib.train.training import Training

    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 8, 2)).astype(np.float32) + 3
    labels = rng.integers(0, 3, 90)
    # The devices divide no batch of the validation part.
    parts = {"train": np.arange(rows), "validation": np.arange(64, 90)}
    context = rng.normal(size=(90, 2)).astype(np.float32) if beside else None
    return Trainer(
        Data(x, labels, parts, ["a", "b", "c"], ["a", "b", "c"], context=context),
        Recipe(
            architecture,
            CASES[architecture] | {"batch_size": 16},
            Training(epochs=EPOCHS),
            backend=backend,
            **options,
        ),
    )


def outcome(fitted: Any) -> dict[str, Any]:
    inputs: Any = np.ones((3, 8, 2), np.float32)
    if isinstance(fitted.model.input, dict):
        inputs = {"examples": inputs, "context": np.ones((3, 2), np.float32)}
    return {
        "weights": [np.asarray(value).tolist() for value in fitted.model.weights],
        "history": fitted.history,
        "best": fitted.best_epoch,
        "predictions": np.asarray(fitted.model.predict(inputs, verbose=0)).tolist(),
    }


def compare(count: int, folder: str) -> None:
    """Train on one device and on all, whole and interrupted, and write what came out."""
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={count}"
    place = Path(folder)
    for name, rows in [("cnn", 64), ("gru", 61)]:
        one = trainer(name, "jax", rows, beside=name == "gru")
        found: dict[str, Any] = {"one": outcome(one.fit(5))}
        several = trainer(name, "jax", rows, beside=name == "gru", devices="all")
        found["devices"] = several.recipe.devices
        found["several"] = outcome(several.fit(5, tensorboard=place / f"{name}-{rows}-events"))
        # A training of fewer epochs leaves what an interruption leaves.
        if rows == 61:
            whole, checkpoint = several.recipe, place / "state.npz"
            several.recipe = replace(whole, training=replace(whole.training, epochs=2))
            several.fit(5, checkpoint=checkpoint)
            several.recipe = whole
            found["resumed"] = outcome(several.fit(5, checkpoint=checkpoint))
        (place / f"{name}-{rows}.json").write_text(json.dumps(found))
    more = trainer("gru", "jax", devices=count, scaling="linear")
    found = {
        "batch": more.batch_size,
        "rate": float(np.asarray(more.model.optimizer.learning_rate)),
    }
    try:
        trainer("gru", "jax", devices=count + 1)
    except HeldoutError as error:
        found["error"] = str(error)
    (place / "scaled.json").write_text(json.dumps(found))


@pytest.mark.slow
def test_several_devices_train_what_one_does(tmp_path: Path) -> None:
    count = 8
    code = "from tests.unit.networks import test_devices; " + (
        f"test_devices.compare({count}, {str(tmp_path)!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    for name in ("cnn-64", "gru-61"):
        found = json.loads((tmp_path / f"{name}.json").read_text())
        assert found["devices"] == count
        one, several = found["one"], found["several"]
        assert several["best"] == one["best"]
        for mine, theirs in zip(several["weights"], one["weights"], strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
        np.testing.assert_allclose(several["predictions"], one["predictions"], atol=1e-5)
        for mine, theirs in zip(several["history"], one["history"], strict=True):
            for column in set(theirs) - {"seconds"}:
                # The mean over batches counts fillers of the last one: a little of the train loss.
                atol = 0.05 if (name, column) == ("gru-61", "loss") else 1e-5
                assert mine[column] == pytest.approx(theirs[column], abs=atol), column
        assert any((tmp_path / f"{name}-events").glob("events.*"))
    resumed, whole = found["resumed"], found["several"]
    assert resumed["weights"] == whole["weights"]
    for mine, theirs in zip(resumed["history"], whole["history"], strict=True):
        assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}
    found = json.loads((tmp_path / "scaled.json").read_text())
    assert found["batch"] == 16 * count
    assert found["rate"] == pytest.approx(0.03 * count)
    assert f"expected {count + 1} that jax can use, got {count} (cpu)" in found["error"]


def test_scaling() -> None:
    assert scaled(VALUES, "none", 1) == (32, 0.001)
    assert scaled(VALUES, "none", 4) == (32, 0.001)
    assert scaled(VALUES, "batch", 3) == (96, 0.001)
    assert scaled(VALUES, "linear", 3) == (96, pytest.approx(0.003))
    for scaling in parallel.SCALINGS:
        assert scaled(VALUES, scaling, 1) == (32, 0.001)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (10, r"multiple of the 4 devices, got 10.* batch_size of 8 or 12, other .* scaling: batch"),
        (3, r"multiple of the 4 devices, got 3.* batch_size of 4,"),
    ],
)
def test_a_batch_that_the_devices_do_not_divide(batch: int, message: str) -> None:
    with pytest.raises(HeldoutError, match=message):
        scaled(VALUES | {"batch_size": batch}, "none", 4)


def test_an_unknown_scaling() -> None:
    with pytest.raises(HeldoutError, match="expected one of none, batch, linear, got 'sqrt'"):
        scaled(VALUES, "sqrt", 2)


@pytest.mark.parametrize("asked", [0, -1, True, "two", 1.5])
def test_what_is_no_number_of_devices(asked: Any) -> None:
    with pytest.raises(HeldoutError, match="devices: expected a positive whole number or all"):
        count_devices(asked)


def test_devices_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_devices(1) == 1
    device = SimpleNamespace(platform="gpu")
    monkeypatch.setattr(parallel, "local_devices", lambda: [device] * 3)
    assert count_devices("all") == 3
    assert count_devices(2) == 2
    with pytest.raises(HeldoutError, match=r"expected 4 .* got 3 \(gpu\)\. Set devices: 3"):
        count_devices(4)


def test_batches_are_filled_up_to_what_devices_divide(keras: Any) -> None:
    x = np.arange(20, dtype=np.float32).reshape(10, 2, 1)
    targets = np.eye(2, dtype=np.float32)[np.arange(10) % 2]
    rows = np.arange(10)
    train = batches(keras, x, rows, targets, batch_size=4, shuffle_seed=0, multiple=4)
    check = batches(keras, x, rows, targets, batch_size=4, multiple=4)
    for data in (train, check):
        assert [len(data[index][0]) for index in range(len(data))] == [4, 4, 4]
        last, y, weight = data[2]
        assert set(last[2:].ravel()) <= set(last[:2].ravel()), "fillers are rows of the batch"
        assert y[:2].sum() == 2
        assert y[2:].sum() == 0
        assert weight[2:].tolist() == [0, 0]
    # In training the mean of a batch is that of its examples; in validation that of all batches.
    assert train[0][2].tolist() == [1] * 4
    assert train[2][2].tolist() == [2, 2, 0, 0]
    np.testing.assert_allclose(sum(check[index][2].sum() for index in range(3)), 12, rtol=1e-6)


def test_fillers_have_the_context_of_the_row_that_they_repeat(keras: Any) -> None:
    x = np.arange(10, dtype=np.float32).reshape(10, 1, 1)
    targets = np.eye(2, dtype=np.float32)[np.arange(10) % 2]
    given = {"context": x[:, 0] + 100, "batch_size": 4, "multiple": 4}
    data = batches(keras, x, np.arange(10), targets, **given)
    for index in range(3):
        inputs, _, _ = data[index]
        assert inputs["examples"].shape == (4, 1, 1)
        np.testing.assert_array_equal(inputs["context"], inputs["examples"][:, 0] + 100)


def test_fillers_count_in_no_metric(keras: Any) -> None:
    y = np.array([[1, 0], [0, 1], [0, 0]], np.float32)
    p = np.array([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1]], np.float32)
    for metric in padded_metrics(keras):
        metric.update_state(y, p)
        plain = keras.metrics.get(metric.name)
        known = np.mean(
            np.asarray(
                keras.metrics.categorical_accuracy(y[:2], p[:2])
                if metric.name == "accuracy"
                else plain(y[:2], p[:2])
            )
        )
        assert float(np.asarray(metric.result())) == pytest.approx(float(known))


def test_mixed_precision_is_kept_in_float32_and_its_effect_can_be_told(keras: Any) -> None:
    one = trainer("gru", "tensorflow", precision="mixed_bfloat16")
    assert one.model.layers[-2].compute_dtype == "bfloat16"
    assert {weight.dtype for weight in one.model.weights} == {"float32"}
    fitted = one.fit(5)
    first, *_, last = fitted.mixed.layers[1:]
    assert (first.compute_dtype, last.compute_dtype) == ("float32", "float32")
    assert {layer.compute_dtype for layer in fitted.model.layers} == {"float32"}
    x = np.random.default_rng(2).normal(size=(20, 8, 2)).astype(np.float32) + 3
    plain, mixed = (m.predict(x, verbose=0) for m in (fitted.model, fitted.mixed))
    assert 0 < np.abs(plain - mixed).max() < 0.05
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(HeldoutError, match=r"precision: expected one of .* got 'float16'"):
        trainer("gru", "tensorflow", precision="float16")
