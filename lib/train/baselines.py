"""What a network must beat: the majority class, file metadata alone, simple statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.examples.arrays import blocks
from lib.files import write_json, write_table
from lib.metrics.record import scores
from lib.provenance import versions
from lib.train.data import Data, prediction_table

BASELINES = ("majority", "metadata", "logistic")
METADATA = ("rate", "duration", "channels", "level")


def baseline_run(
    folder: Path, data: Data, examples: pd.DataFrame, *, identity: Mapping[str, Any], seed: int
) -> None:
    """Fit one baseline on the train part and leave its run folder.

    Parameters
    ----------
    folder : Path
        The run's folder.
    data : Data
        Examples and parts.
    examples : pd.DataFrame
        `examples.parquet`, for `rate` (Hz), `duration` (s), `channels` and `level` (dB).
    identity : mapping
        As in `lib.train.runs.train_runs`; `architecture` is one of `BASELINES`: `majority` predicts
        the class shares of the train part, `metadata` is a random forest on what is known
        without listening, `logistic` a logistic regression on statistics of each channel.
    seed : int
        Of the random forest.

    Raises
    ------
    HeldoutError
        Unknown baseline.
    """
    name = identity["architecture"]
    train = data.rows["train"]
    if name == "majority":
        shares = np.bincount(data.labels[train], minlength=len(data.classes)) / len(train)
        predicted = {part: np.tile(shares, (len(rows), 1)) for part, rows in data.rows.items()}
        parameters = len(data.classes)
    elif name in BASELINES:
        table = (
            examples[list(METADATA)].to_numpy(dtype=float)
            if name == "metadata"
            else statistics(data.x)
        )
        model, parameters = _fit(name, table[train], data.labels[train], seed)
        predicted = {}
        for part, rows in data.rows.items():
            predicted[part] = np.zeros((len(rows), len(data.classes)))
            predicted[part][:, model.classes_] = model.predict_proba(table[rows])
    else:
        raise HeldoutError(f"baseline: expected one of {', '.join(BASELINES)}, got {name!r}.")
    scored = [data.classes.index(label) for label in data.scored]
    tables = [
        prediction_table(data, rows, part, predicted[part])
        for part, rows in data.rows.items()
        if part != "train"
    ]
    write_table(folder / "predictions.parquet", pd.concat(tables, ignore_index=True))
    write_json(
        folder / "run.json",
        {
            **identity,
            "kind": "baseline",
            "classes": data.classes,
            "scored": data.scored,
            "hyperparameters": {},
            "metrics": {
                part: scores(data.labels[rows], predicted[part], scored=scored)
                for part, rows in data.rows.items()
            },
            "parameters": parameters,
            "versions": versions(),
        },
    )


def _fit(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> tuple[Any, int]:
    """Fit a classifier; say how many numbers it holds."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if name == "metadata":
        # Trees find thresholds such as «44.1 kHz is always an artifact» without scaling.
        forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=3, random_state=seed)
        forest.fit(x, y)
        return forest, sum(tree.tree_.node_count for tree in forest.estimators_)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(x, y)
    last = model[-1]
    return model, last.coef_.size + last.intercept_.size


def statistics(x: np.ndarray) -> np.ndarray:
    """Describe each channel of each example by seven numbers.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped: it is read in blocks.

    Returns
    -------
    np.ndarray [shape=(examples, 7 * channels), dtype=float64]
        Mean, standard deviation, minimum, maximum, root mean square, mean absolute difference of
        neighbours, and the place of the largest magnitude (0 to 1).
    """
    described = []
    for _, examples in blocks(x):
        block = examples.astype(np.float64)
        columns = (
            block.mean(axis=1),
            block.std(axis=1),
            block.min(axis=1),
            block.max(axis=1),
            np.sqrt((block**2).mean(axis=1)),
            np.abs(np.diff(block, axis=1)).mean(axis=1),
            np.abs(block).argmax(axis=1) / block.shape[1],
        )
        described.append(np.concatenate(columns, axis=1))
    return np.concatenate(described)
