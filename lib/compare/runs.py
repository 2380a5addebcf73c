"""Read run folders, check that they belong together, and pool them per architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.metrics import losses, positions

NEEDED = (
    *("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial"),
    *("seed", "fold", "classes", "scored", "metrics"),
)

# float32 probabilities of a softmax add up to 1 within this.
SUM_TOLERANCE = 1e-3


@dataclass
class Pool:
    """All runs of one architecture under one protocol, with what they predicted for the test part.

    `truth`, `group` and `recording` have a row a test example and fold; `probability` maps a seed
    to (row, class). Folds are pooled: each example is judged by the run that did not see it.
    """

    study: str
    protocol: str
    architecture: str
    kind: str
    honest: bool
    simulated: bool
    classes: list[str]
    scored: list[str]
    runs: list[dict[str, Any]]
    truth: NDArray[np.int64]
    group: NDArray[np.object_]
    recording: NDArray[np.object_]
    probability: dict[int, NDArray[np.float64]]
    folds: int
    loss: dict[int, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work out the losses of every example once: several tables use them."""
        self.loss = {seed: losses(self.truth, x) for seed, x in self.probability.items()}

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
        split = read_table(folder / protocol / "split.parquet")
        test = split[split["part"] == "test"]
        tests = {
            int(fold): np.sort(test.loc[test["fold"] == fold, "example"].to_numpy())
            for fold in test["fold"].unique()
        }
        if not tests:
            raise HeldoutError(
                f"{folder / protocol / 'split.parquet'}: expected a test part, got none. "
                "Delete it and run again: it is made anew."
            )
        for name, kind, seeds in study_kinds(study):
            pools[protocol, name] = _pool(
                study, protocol, name, kind, seeds, tests=tests, examples=examples, folder=folder
            )
    return pools


def _examples(path: Path) -> pd.DataFrame:
    table = read_table(path)
    missing = [n for n in ("example", "recording", "group", "label") if n not in table.columns]
    if missing:
        raise HeldoutError(
            f"{path}: expected a column {missing[0]}, got {', '.join(table.columns)}. "
            "Delete it and run again: it is made anew."
        )
    return table.set_index("example").sort_index()


def _pool(
    study: Mapping[str, Any],
    protocol: str,
    architecture: str,
    kind: str,
    seeds: Sequence[int],
    *,
    tests: Mapping[int, NDArray[np.int64]],
    examples: pd.DataFrame,
    folder: Path,
) -> Pool:
    runs: list[dict[str, Any]] = []
    probability: dict[int, NDArray[np.float64]] = {}
    order = np.concatenate([tests[fold] for fold in sorted(tests)])
    classes = [str(name) for name in study["classes"]]
    for seed in seeds:
        parts = []
        for fold in sorted(tests):
            path = folder / protocol / architecture / f"seed-{seed}" / f"fold-{fold}"
            run = _run(path / "run.json", study=study, first=runs[0] if runs else None)
            runs.append(run)
            parts.append(_test_part(path, classes, tests[fold], examples))
        probability[seed] = np.concatenate(parts)
    rows = examples.loc[order]
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
        truth=positions(rows["label"], classes),
        group=rows["group"].astype(str).to_numpy(dtype=object),
        recording=rows["recording"].astype(str).to_numpy(dtype=object),
        probability=probability,
        folds=len(tests),
    )


def _run(
    path: Path, *, study: Mapping[str, Any], first: Mapping[str, Any] | None
) -> dict[str, Any]:
    run = read_json(path)
    if not isinstance(run, dict) or any(name not in run for name in NEEDED):
        missing = [n for n in NEEDED if not isinstance(run, dict) or n not in run]
        raise HeldoutError(
            f"{path}: expected a run with {', '.join(missing)}, got none of them. "
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


def _test_part(
    folder: Path, classes: list[str], expected: NDArray[np.int64], examples: pd.DataFrame
) -> NDArray[np.float64]:
    """Give the probabilities of a run's test part, shape (example, class), by example number."""
    path = folder / "predictions.parquet"
    table = read_table(path)
    again = "Delete its folder and run again: it is trained anew."
    columns = ["example", "part", "label", *classes]
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise HeldoutError(
            f"{path}: expected the columns {', '.join(columns)}, got "
            f"{', '.join(map(str, table.columns))}. {again}"
        )
    test = table[table["part"] == "test"].sort_values("example", kind="stable")
    number = test["example"].to_numpy()
    if not np.array_equal(number, expected):
        raise HeldoutError(
            f"{path}: expected a prediction for each of the {len(expected)} test examples of the "
            f"split, got {len(number)} or others. {again}"
        )
    truth = examples["label"].loc[number].astype(str).to_numpy()
    if (test["label"].astype(str).to_numpy() != truth).any():
        raise HeldoutError(f"{path}: expected the labels of examples.parquet, got others. {again}")
    x = test[classes].to_numpy(dtype=np.float64)
    if not np.isfinite(x).all() or (np.abs(x.sum(1) - 1) > SUM_TOLERANCE).any():
        raise HeldoutError(
            f"{path}: expected probabilities that add up to 1, got others (or NaN). {again}"
        )
    return x
