"""Against the original training of voices: seconds an epoch, and whether the losses agree."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT, apart, cores

UNITS = (128, 33, 33)
DROPOUT, RECURRENT_DROPOUT, BATCH = 0.05, 0.35, 25
BACKENDS = ("tensorflow", "jax")


def measure(folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Train the network of the original project its way and ours, with some seeds each."""
    file = folder / "voices.npz"
    _write_features(folder / "five_voices", file, quick=quick)
    seeds, epochs = (1, 4) if quick else (3, 30)
    options: dict[str, Any] = {
        "file": str(file),
        "epochs": epochs,
        "units": [4] if quick else UNITS,
    }
    kinds = ["", *(BACKENDS[:1] if quick else BACKENDS)]
    # In turn: a machine that slows down on the way slows all of them.
    found = [
        [apart("voices", backend=backend, seed=seed, **options) for backend in kinds]
        for seed in range(seeds)
    ]
    rows = []
    for backend, each in zip(kinds, zip(*found, strict=True), strict=True):
        row: dict[str, Any] = {"name": backend or "original"}
        row["seconds_per_epoch"] = float(np.median([s for one in each for s in one["seconds"]]))
        rows.append(row | {"losses": [one["losses"] for one in each]})
    original = rows[0]
    for row in rows:
        row["times_faster"] = original["seconds_per_epoch"] / row["seconds_per_epoch"]
        row["difference"] = _difference(original["losses"], row["losses"])
        print(f"{row['name']}: {row['times_faster']:.2f} times as fast", flush=True)
    return {"quick": quick, "seeds": seeds, "epochs": epochs, "rows": rows}


def _difference(one: list[list[float]], other: list[list[float]]) -> float | None:
    """Return the root mean square difference of two mean curves, in deviations between seeds."""
    a, b = np.array(one), np.array(other)
    if len(a) < 2:
        return None
    spread = np.sqrt((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / 2)
    return float(np.sqrt(np.mean(((a.mean(axis=0) - b.mean(axis=0)) / spread) ** 2)))


def _write_features(folder: Path, file: Path, *, quick: bool) -> None:
    """Simulate the five voices and extract the study's features, of the published folders."""
    from lib.config.settings import resolve
    from lib.datasets import DATASETS
    from lib.features import extract
    from lib.files import read_yaml
    from lib.simulate import simulate

    config = read_yaml(ROOT / "config" / "config.yaml") | {"effort": "full", "studies": ["voices"]}
    study = resolve(config)["studies"]["voices"]
    simulate("five_voices", folder)
    dataset = DATASETS["five_voices"]
    table = dataset.recordings(folder)
    table = table[table["split"].isin(["train", "validation"])]
    if quick:
        table = table.groupby(["label", "split"]).head(2)
    x = np.concatenate(
        [extract(dataset.read(path), **study["features"]).x for path in table["path"]]
    )
    labels = table["label"].map({name: i for i, name in enumerate(study["classes"])})
    np.savez(file, x=x, labels=labels.to_numpy(), train=(table["split"] == "train").to_numpy())


def run(file: str, seed: int, epochs: int, units: list[int], backend: str) -> dict[str, Any]:
    """Train with a seed and give the losses and the seconds of its epochs."""
    with np.load(file) as held:
        x, labels, is_train = held["x"], held["labels"], held["train"]
    train = _original if not backend else _ours
    ends, losses = train(x, labels, is_train, seed, epochs, units, backend, Path(file).parent)
    # The first epochs hold tracing.
    return {"seconds": np.diff(ends)[1:].tolist(), "losses": losses}


Result = tuple[list[float], list[float]]


def _original(
    x: np.ndarray,
    labels: np.ndarray,
    is_train: np.ndarray,
    seed: int,
    epochs: int,
    units: list[int],
    *_: Any,
) -> Result:
    """Train as the project did: float64 arrays to `fit`, and what Keras does by default."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    keras = importlib.import_module("keras")
    keras.utils.set_random_seed(seed)
    # Normalised as ours are: their losses could not be compared otherwise.
    mean, deviation = x[is_train].mean((0, 1), np.float64), x[is_train].std((0, 1), np.float64)
    values = (x.astype(np.float64) - mean) / deviation
    targets = np.eye(int(labels.max()) + 1)[labels]
    model = keras.Sequential([keras.Input(x.shape[1:])])
    for index, size in enumerate(units):
        model.add(
            keras.layers.LSTM(
                size,
                return_sequences=index < len(units) - 1,
                dropout=DROPOUT,
                recurrent_dropout=RECURRENT_DROPOUT,
            )
        )
    model.add(keras.layers.Dense(targets.shape[1], activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    ends: list[float] = []
    history = model.fit(
        values[is_train],
        targets[is_train],
        batch_size=BATCH,
        epochs=epochs,
        validation_data=(values[~is_train], targets[~is_train]),
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
            )
        ],
    )
    return ends, history.history["loss"]


def _ours(
    x: np.ndarray,
    labels: np.ndarray,
    is_train: np.ndarray,
    seed: int,
    epochs: int,
    units: list[int],
    backend: str,
    folder: Path,
) -> Result:
    """Train as the workflow does, with the state on disk after each epoch."""
    from lib.train.data import Data
    from lib.train.recipe import Recipe
    from lib.train.trainer import Trainer
    from lib.train.training import Training

    parts = {"train": np.flatnonzero(is_train), "validation": np.flatnonzero(~is_train)}
    trainer = Trainer(
        Data(x, labels, parts, list(map(str, range(int(labels.max()) + 1))), []),
        Recipe(
            "lstm",
            {
                "units": list(units),
                "dropout": DROPOUT,
                "recurrent_dropout": RECURRENT_DROPOUT,
                "batch_size": BATCH,
            },
            Training(epochs=epochs),
            backend=backend,
            threads=cores(),
        ),
    )
    ends: list[float] = []

    def note(epoch: int, loss: float) -> bool:
        ends.append(time.perf_counter())
        return False

    name = f"{backend}-{seed}"
    fitted = trainer.fit(
        seed, checkpoint=folder / f"{name}.npz", tensorboard=folder / name, stops=note
    )
    return ends, [row["loss"] for row in fitted.history]
