"""Read run folders, check that they belong together, and pool them per architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.metrics.registry import positions

NEEDED = (
    *("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial"),
    *("seed", "fold", "classes", "scored", "metrics"),
)

METRIC_PARTS = ("train", "validation", "test")

# float32 probabilities of a softmax add up to 1 within this.
SUM_TOLERANCE = 1e-3


# The numbers of the examples of each fold.
Part = dict[int, NDArray[np.int64]]


@dataclass(frozen=True)
class Predictions:
    """What the runs of a pool predicted for one part: a row an example and fold.

    Attributes
    ----------
    truth : ndarray of int, shape (row,)
        Numbers of the classes.
    group, recording : ndarray of str, shape (row,)
    fold : ndarray of int, shape (row,)
        Folds are pooled: an example is judged by the run that did not see it.
    probability : dict of int to ndarray, shape (row, class)
        By seed.
    """

    truth: NDArray[np.int64]
    group: NDArray[np.object_]
    recording: NDArray[np.object_]
    fold: NDArray[np.int64]
    probability: dict[int, NDArray[np.float64]]


@dataclass(frozen=True)
class Pool:
    """All runs of one architecture under one protocol, and what they predicted."""

    study: str
    protocol: str
    architecture: str
    kind: str
    honest: bool
    simulated: bool
    classes: list[str]
    scored: list[str]
    runs: list[dict[str, Any]]
    test: Predictions
    validation: Predictions
    folds: int

    @property
    def trial(self) -> str:
        """The id of the trial that all runs of the pool trained."""
        return str(self.runs[0]["trial"])


def study_kinds(study: Mapping[str, Any]) -> Iterator[tuple[str, str, list[int]]]:
    """Give name, kind (network or baseline) and seeds of everything that a study runs."""
    for name in study["architectures"]:
        yield name, "network", [int(seed) for seed in study["seeds"]]
    for name in study["baselines"]:
        # Baselines have no randomness worth repeating: they lie at seed-0.
        yield name, "baseline", [0]


def read_runs(study: Mapping[str, Any], *, results: str | Path) -> dict[tuple[str, str], Pool]:
    """Read every run that a study should have.

    Parameters
    ----------
    study : dict
        A study as `lib.compare.compare` takes it.
    results : path
        The folder that holds one folder a study.

    Returns
    -------
    dict of (protocol, architecture) to Pool
        In the order of the study.

    Raises
    ------
    HeldoutError
        A file is missing or damaged, or runs disagree in classes, trial, or test examples.
    """
    folder = Path(results) / str(study["study"])
    examples = _examples(folder / "examples.parquet")
    pools: dict[tuple[str, str], Pool] = {}
    for protocol in study["protocols"]:
        parts = _parts(folder / protocol / "split.parquet", examples)
        for name, kind, seeds in study_kinds(study):
            pools[protocol, name] = _pool(
                study, protocol, name, kind, seeds, parts=parts, examples=examples, folder=folder
            )
    return pools


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    table = read_table(path)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise HeldoutError(
            f"{path}: expected a column {missing[0]}, got {', '.join(map(str, table.columns))}. "
            "Delete it and run again: it is made anew."
        )
    return table


def _examples(path: Path) -> pd.DataFrame:
    table = _table(path, ("example", "recording", "group", "label"))
    twice = table.loc[table["example"].duplicated(), "example"]
    if len(twice):
        raise HeldoutError(
            f"{path}: expected each example once, got example {twice.iloc[0]} twice. "
            "Delete it and run again: it is made anew."
        )
    return table.set_index("example").sort_index()


def _parts(path: Path, examples: pd.DataFrame) -> dict[str, Part]:
    """Give the example numbers of the test and the validation part of each fold, sorted."""
    split = _table(path, ("example", "fold", "part"))
    again = "Delete it and run again: it is made anew."
    unknown = split.loc[~split["example"].isin(examples.index), "example"]
    if len(unknown):
        raise HeldoutError(
            f"{path}: expected examples of examples.parquet, got example {unknown.iloc[0]}, which "
            f"it does not hold. {again}"
        )
    folds = sorted(int(fold) for fold in split["fold"].unique())
    parts: dict[str, Part] = {}
    for part in ("test", "validation"):
        some = split[split["part"] == part]
        parts[part] = {
            fold: np.sort(some.loc[some["fold"] == fold, "example"].to_numpy()) for fold in folds
        }
    empty = [fold for fold, numbers in parts["test"].items() if not len(numbers)]
    if empty or not folds:
        where = f" of fold {empty[0]}" if empty else ""
        raise HeldoutError(f"{path}: expected a test part{where}, got none. {again}")
    return parts


def _pool(
    study: Mapping[str, Any],
    protocol: str,
    architecture: str,
    kind: str,
    seeds: Sequence[int],
    *,
    parts: Mapping[str, Part],
    examples: pd.DataFrame,
    folder: Path,
) -> Pool:
    runs: list[dict[str, Any]] = []
    found: dict[str, dict[int, NDArray[np.float64]]] = {part: {} for part in parts}
    folds = list(parts["test"])
    classes = [str(name) for name in study["classes"]]
    for seed in seeds:
        of_seed: dict[str, list[NDArray[np.float64]]] = {part: [] for part in parts}
        for fold in folds:
            path = folder / protocol / architecture / f"seed-{seed}" / f"fold-{fold}"
            is_at = {"study": study["study"], "protocol": protocol, "architecture": architecture}
            run = _run(
                path / "run.json",
                study=study,
                is_at={**is_at, "seed": seed, "fold": fold},
                first=runs[0] if runs else None,
            )
            runs.append(run)
            expected = {part: numbers[fold] for part, numbers in parts.items()}
            for part, x in _predicted(path, classes, expected, examples).items():
                of_seed[part].append(x)
        for part, arrays in of_seed.items():
            found[part][seed] = np.concatenate(arrays)
    return Pool(
        study=str(study["study"]),
        protocol=protocol,
        architecture=architecture,
        kind=kind,
        honest=bool(study["protocols"][protocol]["honest"]),
        simulated=bool(study["simulated"]),
        classes=classes,
        scored=[str(name) for name in study["scored"]],
        runs=runs,
        test=_predictions(parts["test"], found["test"], examples, classes),
        validation=_predictions(parts["validation"], found["validation"], examples, classes),
        folds=len(folds),
    )


def _predictions(
    numbers: Part,
    probability: dict[int, NDArray[np.float64]],
    examples: pd.DataFrame,
    classes: list[str],
) -> Predictions:
    rows = examples.loc[np.concatenate(list(numbers.values()))]
    return Predictions(
        truth=positions(rows["label"], classes),
        group=rows["group"].astype(str).to_numpy(dtype=object),
        recording=rows["recording"].astype(str).to_numpy(dtype=object),
        fold=np.repeat(list(numbers), [len(some) for some in numbers.values()]),
        probability=probability,
    )


def _run(
    path: Path,
    *,
    study: Mapping[str, Any],
    is_at: Mapping[str, Any],
    first: Mapping[str, Any] | None,
) -> dict[str, Any]:
    run = read_json(path)
    if not isinstance(run, dict) or any(name not in run for name in NEEDED):
        missing = [n for n in NEEDED if not isinstance(run, dict) or n not in run]
        raise HeldoutError(
            f"{path}: expected a run with {', '.join(missing)}, got none of them. "
            "Delete its folder and run again: it is trained anew."
        )
    for name, value in is_at.items():
        # A copied folder would count twice as a run of its own.
        if run[name] != value:
            raise HeldoutError(
                f"{path}: expected {name} {value} as its folder says, got {run[name]}. "
                "Delete its folder and run again: it is trained anew."
            )
    for part in METRIC_PARTS:
        if not isinstance(run["metrics"], dict) or not isinstance(run["metrics"].get(part), dict):
            raise HeldoutError(
                f"{path}: expected metrics of the {part} part, got none. "
                "Delete its folder and run again: it is trained anew."
            )
    run["path"] = path
    for name in ("classes", "scored"):
        if list(run[name]) != [str(value) for value in study[name]]:
            raise HeldoutError(
                f"{path}: expected the {name} {', '.join(map(str, study[name]))} of the study, "
                f"got {', '.join(map(str, run[name]))}. "
                "Delete its folder and run again: it is trained anew."
            )
    if bool(run["simulated"]) != bool(study["simulated"]):
        raise HeldoutError(
            f"{path}: expected a run on {_source(study['simulated'])} recordings, got one on "
            f"{_source(run['simulated'])} ones. Delete its folder and run again."
        )
    if first is not None and run["trial"] != first["trial"]:
        raise HeldoutError(
            f"{path}: expected trial {first['trial']} as in {first['path']}, got {run['trial']}. "
            "Delete both folders and run again: the chosen trial is trained anew."
        )
    return run


def _source(simulated: Any) -> str:
    return "simulated" if simulated else "real"


def _predicted(
    folder: Path,
    classes: list[str],
    expected: Mapping[str, NDArray[np.int64]],
    examples: pd.DataFrame,
) -> dict[str, NDArray[np.float64]]:
    """Give a run's probabilities of each part, shape (example, class), by example number."""
    path = folder / "predictions.parquet"
    again = "Delete its folder and run again: it is trained anew."
    columns = ["example", "part", "label", *classes]
    table = read_table(path)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise HeldoutError(
            f"{path}: expected the columns {', '.join(columns)}, got "
            f"{', '.join(map(str, table.columns))}. {again}"
        )
    found = {}
    for part, numbers in expected.items():
        rows = table[table["part"] == part].sort_values("example", kind="stable")
        number = rows["example"].to_numpy()
        if not np.array_equal(number, numbers):
            raise HeldoutError(
                f"{path}: expected a prediction for each of the {len(numbers)} {part} examples of "
                f"the split, got {len(number)} or others. {again}"
            )
        truth = examples["label"].loc[number].astype(str).to_numpy()
        if (rows["label"].astype(str).to_numpy() != truth).any():
            raise HeldoutError(
                f"{path}: expected the labels of examples.parquet, got others. {again}"
            )
        x = rows[classes].to_numpy(dtype=np.float64)
        outside = (x < -SUM_TOLERANCE).any() or (np.abs(x.sum(1) - 1) > SUM_TOLERANCE).any()
        if not np.isfinite(x).all() or outside:
            raise HeldoutError(
                f"{path}: expected probabilities from 0 to 1 that add up to 1, got others (or "
                f"NaN). {again}"
            )
        found[part] = x
    return found
