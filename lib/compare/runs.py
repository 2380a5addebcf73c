"""Read run folders, check that they belong together, and pool them per architecture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.metrics.learning import CONVERGED, prevailing
from lib.metrics.sample import Sample, are_probabilities, make_sample

NEEDED = (
    *("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial"),
    *("seed", "fold", "classes", "scored", "metrics"),
)

METRIC_PARTS = ("train", "validation", "test")

# float32 probabilities of a softmax add up to 1 within this.
SUM_TOLERANCE = 1e-3

MADE_ANEW = "Delete it and run again: it is made anew."
TRAINED_ANEW = "Delete its folder and run again: it is trained anew."

# The numbers of the examples of each fold.
Part = dict[int, NDArray[np.int64]]


@dataclass(frozen=True)
class Places:
    """Where the rows of a test part are from, and what was trained on, of a split by site.

    Attributes
    ----------
    site, trained : ndarray, shape (row,)
        The site of each row, and those that its run was trained on, with commas between.
    learned : dict of str to list of str
        By `trained`, the classes that were trained on.
    """

    site: NDArray[np.object_]
    trained: NDArray[np.object_]
    learned: dict[str, list[str]]


@dataclass(frozen=True)
class Pool:
    """All runs of one architecture under one protocol, and what they predicted.

    Attributes
    ----------
    test, validation : Sample
        Folds are pooled: an example is judged by the run that did not see it.
    recording, fold : ndarray, shape (row,)
        Of the rows of `test`.
    edges : list of dict
        Where the search of a network ended at the edge of what was searched, as `best.json` says.
    places : Places or None
        Of a split by site.
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
    test: Sample
    validation: Sample
    recording: NDArray[np.object_]
    fold: NDArray[np.int64]
    folds: int
    edges: list[dict[str, Any]]
    places: Places | None = None

    @property
    def unfinished(self) -> str:
        """Why a difference to another network is no comparison of architectures; empty if it is.

        Such as `lstm: still improving` or `lstm: still improving in 3 of 5 trainings`: half of its
        trainings or more have not converged, or its search ended at an edge.
        """
        end, count = prevailing(self.endings), len(self.endings)
        reasons = []
        if end not in ("", CONVERGED):
            many = self.endings.count(end)
            reasons = [end if many == count else f"{end} in {many} of {count} trainings"]
        reasons += [
            f"has its best {edge['hyperparameter'].replace('_', ' ')}, {edge['value']:g}, "
            f"at the edge of its range ({edge['low']:g} to {edge['high']:g})"
            for edge in self.edges
        ]
        return "; ".join(f"{self.architecture}: {reason}" for reason in reasons)

    @property
    def endings(self) -> list[str]:
        """How each of its trainings ended; none of a baseline."""
        return [str(run["ending"]) for run in self.runs if "ending" in run]

    @property
    def trial(self) -> str:
        """The id of the trial that all runs of the pool trained."""
        return str(self.runs[0]["trial"])


def study_kinds(study: Mapping[str, Any]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield name, kind (network or baseline) and seeds of everything that a study runs."""
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
        path = folder / protocol / "split.parquet"
        split = _table(path, ("example", "fold", "part"))
        parts = _parts(path, split, examples)
        places = _places(split, parts["test"], examples)
        for name, kind, seeds in study_kinds(study):
            pool = _pool(
                study, protocol, name, kind, seeds, parts=parts, examples=examples, folder=folder
            )
            pools[protocol, name] = replace(pool, places=places)
    return pools


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    table = read_table(path)
    missing = [name for name in columns if name not in table.columns]
    if missing:
        there = ", ".join(map(str, table.columns))
        raise HeldoutError(path, f"a column {missing[0]}", there, MADE_ANEW)
    return table


def _examples(path: Path) -> pd.DataFrame:
    table = _table(path, ("example", "recording", "group", "label"))
    twice = table.loc[table["example"].duplicated(), "example"]
    if len(twice):
        raise HeldoutError(path, "each example once", f"example {twice.iloc[0]} twice", MADE_ANEW)
    return table.set_index("example").sort_index()


def _parts(path: Path, split: pd.DataFrame, examples: pd.DataFrame) -> dict[str, Part]:
    """List the example numbers of the test and the validation part of each fold, sorted."""
    unknown = split.loc[~split["example"].isin(examples.index), "example"]
    if len(unknown):
        raise HeldoutError(
            path,
            "examples of examples.parquet",
            f"example {unknown.iloc[0]}, which it does not hold",
            MADE_ANEW,
        )
    folds = sorted(int(fold) for fold in split["fold"].unique())
    parts: dict[str, Part] = {}
    for part in ("test", "validation"):
        some = split[split["part"] == part]
        parts[part] = {
            fold: np.sort(some.loc[some["fold"] == fold, "example"].to_numpy()) for fold in folds
        }
        empty = [fold for fold, numbers in parts[part].items() if not len(numbers)]
        if empty or not folds:
            where = f" of fold {empty[0]}" if empty else ""
            raise HeldoutError(path, f"a {part} part{where}", "none", MADE_ANEW)
    return parts


def _places(split: pd.DataFrame, test: Part, examples: pd.DataFrame) -> Places | None:
    """Read the sites of the rows of a pool, and those that each run was trained on."""
    if "site" not in split:
        return None
    of = split.drop_duplicates("example").set_index("example")["site"]
    train = split[split["part"] == "train"]
    folds = [train[train["fold"] == fold] for fold in test]
    names = [", ".join(sorted(map(str, fold["site"].unique()))) for fold in folds]
    learned = {
        name: sorted(examples["label"].loc[fold["example"]].astype(str).unique())
        for name, fold in zip(names, folds, strict=True)
    }
    site = of.loc[np.concatenate(list(test.values()))].astype(str).to_numpy(dtype=object)
    count = [len(rows) for rows in test.values()]
    return Places(site, np.repeat(np.array(names, dtype=object), count), learned)


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
    folds = list(parts["test"])
    classes, scored = ([str(name) for name in study[key]] for key in ("classes", "scored"))
    # Of each part, seed and fold.
    predicted: dict[str, list[list[NDArray[np.float64]]]] = {part: [] for part in parts}
    for seed in seeds:
        for of_part in predicted.values():
            of_part.append([])
        for fold in folds:
            path = folder / protocol / architecture / f"seed-{seed}" / f"fold-{fold}"
            is_at = {"study": study["study"], "protocol": protocol, "architecture": architecture}
            is_at |= {"seed": seed, "fold": fold}
            runs.append(_run(path / "run.json", study, is_at, first=runs[0] if runs else None))
            numbers = {part: of_fold[fold] for part, of_fold in parts.items()}
            for part, x in _predicted(path, classes, numbers, examples).items():
                predicted[part][-1].append(x)
    rows = {part: examples.loc[np.concatenate(list(parts[part].values()))] for part in parts}
    samples = {
        part: make_sample(
            of_part["label"],
            np.stack([np.concatenate(of_seed) for of_seed in predicted[part]]),
            classes=classes,
            scored=scored,
            group=of_part["group"],
        )
        for part, of_part in rows.items()
    }
    return Pool(
        study=str(study["study"]),
        protocol=protocol,
        architecture=architecture,
        kind=kind,
        honest=bool(study["protocols"][protocol]["honest"]),
        simulated=bool(study["simulated"]),
        classes=classes,
        scored=scored,
        runs=runs,
        test=samples["test"],
        validation=samples["validation"],
        recording=rows["test"]["recording"].astype(str).to_numpy(dtype=object),
        fold=np.repeat(folds, [len(parts["test"][fold]) for fold in folds]),
        folds=len(folds),
        edges=_edges(folder / "search" / architecture / "best.json"),
    )


def _edges(path: Path) -> list[dict[str, Any]]:
    """Read where a search ended at an edge; what was not searched has none."""
    best = read_json(path) if path.exists() else {"edges": []}
    if not isinstance(best, dict) or "edges" not in best:
        raise HeldoutError(path, "the edges of the search", "none of them", MADE_ANEW)
    return list(best["edges"])


def _run(
    path: Path,
    study: Mapping[str, Any],
    is_at: Mapping[str, Any],
    *,
    first: Mapping[str, Any] | None,
) -> dict[str, Any]:
    run = read_json(path)
    missing = [name for name in NEEDED if not isinstance(run, dict) or name not in run]
    if missing:
        raise HeldoutError(path, f"a run with {', '.join(missing)}", "none of them", TRAINED_ANEW)
    for name, value in is_at.items():
        # A copied folder would count twice as a run of its own.
        if run[name] != value:
            said = f"{name} {value} as its folder says"
            raise HeldoutError(path, said, str(run[name]), TRAINED_ANEW)
    for part in METRIC_PARTS:
        if not isinstance(run["metrics"], dict) or not isinstance(run["metrics"].get(part), dict):
            raise HeldoutError(path, f"metrics of the {part} part", "none", TRAINED_ANEW)
    if "macro_f1" not in run["metrics"]["validation"]:
        raise HeldoutError(path, "macro_f1 of the validation part", "none", TRAINED_ANEW)
    run["path"] = path
    for name in ("classes", "scored"):
        theirs, ours = (", ".join(map(str, one[name])) for one in (run, study))
        if theirs != ours:
            raise HeldoutError(path, f"the {name} {ours} of the study", theirs, TRAINED_ANEW)
    if bool(run["simulated"]) != bool(study["simulated"]):
        raise HeldoutError(
            path,
            f"a run on {_source(study['simulated'])} recordings",
            f"one on {_source(run['simulated'])} ones",
            "Delete its folder and run again.",
        )
    if first is not None and run["trial"] != first["trial"]:
        raise HeldoutError(
            path,
            f"trial {first['trial']} as in {first['path']}",
            run["trial"],
            "Delete both folders and run again: the chosen trial is trained anew.",
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
    """Read a run's probabilities of each part, shape (example, class), by example number."""
    path = folder / "predictions.parquet"
    columns = ["example", "part", "label", *classes]
    table = read_table(path)
    if any(name not in table.columns for name in columns):
        there = ", ".join(map(str, table.columns))
        raise HeldoutError(path, f"the columns {', '.join(columns)}", there, TRAINED_ANEW)
    probabilities = {}
    for part, numbers in expected.items():
        rows = table[table["part"] == part].sort_values("example", kind="stable")
        number = rows["example"].to_numpy()
        if not np.array_equal(number, numbers):
            raise HeldoutError(
                path,
                f"a prediction for each of the {len(numbers)} {part} examples of the split",
                f"{len(number)} or others",
                TRAINED_ANEW,
            )
        truth = examples["label"].loc[number].astype(str).to_numpy()
        if (rows["label"].astype(str).to_numpy() != truth).any():
            raise HeldoutError(path, "the labels of examples.parquet", "others", TRAINED_ANEW)
        x = rows[classes].to_numpy(dtype=np.float64)
        if not are_probabilities(x) or (np.abs(x.sum(1) - 1) > SUM_TOLERANCE).any():
            raise HeldoutError(
                path, "probabilities from 0 to 1 that add up to 1", "others (or NaN)", TRAINED_ANEW
            )
        probabilities[part] = x
    return probabilities
