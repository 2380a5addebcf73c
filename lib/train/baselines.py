"""What a network must beat: the majority class, file metadata alone, simple statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError, suggestion
from lib.examples.arrays import blocks
from lib.examples.context import context_columns, context_names
from lib.files import write_json
from lib.provenance import versions
from lib.train.data import Data, part_scores, with_validation, write_predictions

METADATA = ("rate", "duration", "channels", "level")

Predict = Callable[[np.ndarray], np.ndarray]
"""From row numbers of examples to probabilities, shape (rows, classes)."""

Numbers = Mapping[str, Mapping[str, float]]
"""Of each column a number by recording."""


def majority(data: Data, examples: pd.DataFrame, *, seed: int) -> tuple[Predict, int]:
    """Predict the class shares of the train part, whatever the example."""
    train = data.rows["train"]
    shares = np.bincount(data.labels[train], minlength=len(data.classes)) / len(train)
    return lambda rows: np.tile(shares, (len(rows), 1)), len(shares)


def metadata(data: Data, examples: pd.DataFrame, *, seed: int) -> tuple[Predict, int]:
    """Fit a random forest on what is known of a recording without listening to it."""
    from sklearn.ensemble import RandomForestClassifier

    # Trees find thresholds such as "44.1 kHz is always an artifact" without scaling.
    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=3, random_state=seed)
    predict = _fitted(forest, examples[list(METADATA)].to_numpy(dtype=float), data)
    return predict, sum(tree.tree_.node_count for tree in forest.estimators_)


def logistic(data: Data, examples: pd.DataFrame, *, seed: int) -> tuple[Predict, int]:
    """Fit a logistic regression on statistics of each channel, and the context."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = LogisticRegression(max_iter=1000)
    told = described(data.x, data.context)
    predict = _fitted(make_pipeline(StandardScaler(), last), told, data)
    return predict, last.coef_.size + last.intercept_.size


def described(x: np.ndarray, context: np.ndarray | None) -> np.ndarray:
    """List what a linear model is told of each example: statistics of its channels, its context.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped.
    context : np.ndarray [shape=(examples, n)], optional
        What networks are told beside each example.

    Returns
    -------
    np.ndarray [shape=(examples, 7 * channels + n)]
        See `statistics`.
    """
    columns = statistics(x)
    return columns if context is None else np.concatenate([columns, context], axis=1)


def alone(
    data: Data, examples: pd.DataFrame, numbers: Numbers | None = None
) -> dict[str, float | None]:
    """Score what each single column says of the class: which one gives it away, if any does.

    Parameters
    ----------
    data : Data
        Examples and parts.
    examples : pd.DataFrame
        As for `baseline_run`.
    numbers : mapping, optional
        As there.

    Returns
    -------
    dict of str to float
        Of each column of `METADATA`, each value of the context and each of the numbers, the
        macro-F1 on the test part of a decision tree that was fitted on it alone; None where there
        is no macro-F1.
    """
    from sklearn.tree import DecisionTreeClassifier

    names = context_names(examples.columns)
    columns = {
        name: examples[column].to_numpy(dtype=float)
        for name, column in zip(
            (*METADATA, *names), (*METADATA, *context_columns(names)), strict=True
        )
    }
    for name, values in (numbers or {}).items():
        column = examples["recording"].map(values).to_numpy(dtype=float)
        # What is known of no recording of the train part teaches nothing.
        if np.isfinite(column[data.rows["train"]]).any():
            columns[f"{name} of metadata.csv" if name in columns else name] = column
    macro: dict[str, float | None] = {}
    for name, column in columns.items():
        tree = DecisionTreeClassifier(min_samples_leaf=3, random_state=0)
        predict = _fitted(tree, column[:, None], data)
        macro[name] = part_scores(data, {"test": predict(data.rows["test"])})["test"]["macro_f1"]
    return macro


BASELINES: Mapping[str, Callable[..., tuple[Predict, int]]] = MappingProxyType(
    {
        "majority": majority,
        "metadata": metadata,
        "logistic": logistic,
    }
)
"""The baselines, by name: each is fitted on the train part, and says how many numbers it holds."""


def check_baseline(name: str) -> None:
    """Raise HeldoutError unless the baseline is one of `BASELINES`."""
    if name not in BASELINES:
        raise HeldoutError(
            "baselines",
            f"one of {', '.join(BASELINES)}",
            repr(name),
            suggestion(name, [*BASELINES]),
        )


def baseline_run(
    folder: Path,
    data: Data,
    examples: pd.DataFrame,
    *,
    identity: Mapping[str, Any],
    seed: int,
    refit: bool = False,
    numbers: Numbers | None = None,
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
        As in `lib.train.runs.train_runs`; `architecture` is one of `BASELINES`.
    seed : int
        Of a baseline that draws at random.
    refit : bool
        Whether it is fitted anew on the train and validation parts before it predicts the test
        part, as networks are (`lib.train.training.Training`).
    numbers : mapping, optional
        What else is known of recordings and told no model: a number of each, by the name of the
        column and the recording. Some may be missing.

    Raises
    ------
    HeldoutError
        Unknown baseline.
    """
    check_baseline(identity["architecture"])
    fit = BASELINES[identity["architecture"]]
    predict, parameters = fit(data, examples, seed=seed)
    validated = predict(data.rows["validation"])
    if refit:
        data = with_validation(data)
        predict, parameters = fit(data, examples, seed=seed)
    predicted = {part: predict(rows) for part, rows in data.rows.items()}
    predicted["validation"] = validated
    write_predictions(folder / "predictions.parquet", data, predicted)
    write_json(
        folder / "run.json",
        {
            **identity,
            "kind": "baseline",
            "classes": data.classes,
            "scored": data.scored,
            "hyperparameters": {},
            "metrics": part_scores(data, predicted),
            "parameters": parameters,
            **(
                {"alone": alone(data, examples, numbers)}
                if identity["architecture"] == "metadata"
                else {}
            ),
            "versions": versions(),
        },
    )


def _fitted(model: Any, x: np.ndarray, data: Data) -> Predict:
    """Fit a classifier of scikit-learn on the train part; x has a row for each example."""
    train = data.rows["train"]
    model.fit(x[train], data.labels[train])

    def predict(rows: np.ndarray) -> np.ndarray:
        # A class that the train part lacks has no column in the model.
        probabilities = np.zeros((len(rows), len(data.classes)))
        probabilities[:, model.classes_] = model.predict_proba(x[rows])
        return probabilities

    return predict


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
