"""Draw every picture of the report, as SVG and PNG, from tables, audits and run histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.files import read_json, read_table
from lib.plots.data import class_counts, example_inputs
from lib.plots.scores import confusion_matrices, inflation
from lib.plots.style import save
from lib.plots.training import learning_curves

__all__ = ["plot_overall", "plot_study"]

EXAMPLES_PER_CLASS = 3


def plot_study(
    study: Mapping[str, Any], *, tables: str | Path, results: str | Path, folder: str | Path
) -> list[Path]:
    """Draw the pictures of a study.

    Parameters
    ----------
    study : dict
        A study as `lib.compare.compare` takes it.
    tables : path
        The folder of `lib.compare`'s tables.
    results : path
        The folder that holds one folder a study.
    folder : path
        Where the pictures go, `results/plots/{study}`.

    Returns
    -------
    list of Path
        What was written: `inflation`, `examples`, and per protocol `learning_curves_…`,
        `confusion_…`, `class_counts_…`, each as `.svg` and `.png`.

    Raises
    ------
    HeldoutError
        A table, an audit, a history or the examples are missing or damaged.
    """
    tables, folder = Path(tables), Path(folder)
    base = Path(results) / str(study["study"])
    written: list[Path] = []
    gaps = _of_study(tables / "inflation.csv", study)
    gaps = gaps[(gaps["protocol"] == study["primary"]) & (gaps["metric"] == "macro_f1")]
    if len(gaps):
        written += save(inflation([(study, gaps)]), folder / "inflation")
    rows = _of_study(tables / "confusion.csv", study)
    runs = _of_study(tables / "runs.csv", study)
    for protocol in study["protocols"]:
        some = rows[(rows["protocol"] == protocol) & (rows["kind"] == "network")]
        written += save(confusion_matrices(study, some), folder / f"confusion_{protocol}")
        histories = _histories(runs[runs["protocol"] == protocol], base)
        written += save(learning_curves(study, histories), folder / f"learning_curves_{protocol}")
        audit = read_json(base / protocol / "audit.json")
        written += save(class_counts(study, audit), folder / f"class_counts_{protocol}")
    examples = read_table(base / "examples.parquet")
    written += save(
        example_inputs(study, _some_examples(study, examples, base)), folder / "examples"
    )
    return written


def plot_overall(
    studies: Sequence[Mapping[str, Any]], *, tables: str | Path, folder: str | Path
) -> list[Path]:
    """Draw `inflation.svg` and `.png` over all studies into `folder`.

    Where no study has both an honest and a random protocol, the picture says so.

    Raises
    ------
    HeldoutError
        The inflation table is missing or damaged.
    """
    panels = []
    for study in studies:
        gaps = _of_study(Path(tables) / "inflation.csv", study)
        gaps = gaps[(gaps["protocol"] == study["primary"]) & (gaps["metric"] == "macro_f1")]
        if len(gaps):
            # One panel of five has room for the baseline that matters: the one to beat.
            baselines = gaps[gaps["kind"] == "baseline"].sort_values("honest", ascending=False)
            networks = gaps[gaps["kind"] == "network"]
            panels.append((study, pd.concat([networks, baselines.head(1)])))
    return save(inflation(panels), Path(folder) / "inflation")


def _of_study(path: Path, study: Mapping[str, Any]) -> pd.DataFrame:
    table = read_table(path, text=("study", "label", "predicted", "note"))
    return table[table["study"] == study["study"]]


def _histories(runs: pd.DataFrame, base: Path) -> dict[str, list[tuple[int, pd.DataFrame]]]:
    """Give the chosen epoch and the history of every run of a network."""
    found: dict[str, list[tuple[int, pd.DataFrame]]] = {}
    for run in runs[runs["kind"] == "network"].to_dict("records"):
        folder = base / run["protocol"] / run["architecture"]
        path = folder / f"seed-{run['seed']}" / f"fold-{run['fold']}" / "history.csv"
        history = read_table(path)
        needed = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
        if not needed <= set(history.columns):
            raise HeldoutError(
                f"{path}: expected the columns {', '.join(sorted(needed))}, got "
                f"{', '.join(history.columns)}. Delete its folder and run again."
            )
        found.setdefault(run["architecture"], []).append((int(run["best_epoch"]), history))
    return found


def _some_examples(
    study: Mapping[str, Any], examples: pd.DataFrame, base: Path
) -> dict[str, np.ndarray]:
    """Give a few examples of each class, of as many groups as there are, (example, time, channel).

    They are spread evenly over the groups, without chance, so that the picture stays the same.
    """
    path = base / "examples.npy"
    try:
        x = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise HeldoutError(
            f"{path}: expected an array of examples, got {error}. "
            "Delete it and run again: it is made anew."
        ) from error
    found = {}
    for name in study["classes"]:
        some = examples[examples["label"] == name].drop_duplicates("group")["example"].to_numpy()
        if len(some):
            at = np.unique(np.linspace(0, len(some) - 1, EXAMPLES_PER_CLASS).astype(int))
            found[str(name)] = np.asarray(x[some[at]], dtype=float)
    return found
