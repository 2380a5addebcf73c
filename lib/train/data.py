"""What a model is given: the examples of one fold of a protocol; and the table of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.errors import HeldoutError
from lib.examples.arrays import open_examples
from lib.examples.context import context_of
from lib.files import read_table, write_table
from lib.metrics.record import scores

if TYPE_CHECKING:  # training alone needs no pandas
    import pandas as pd


@dataclass(frozen=True)
class Data:
    """The examples of one fold of one protocol.

    Attributes
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        All examples of the study; may be memory-mapped.
    labels : np.ndarray [shape=(examples,), dtype=int]
        Class numbers.
    rows : dict of np.ndarray
        For each part its row numbers.
    classes : list of str
        In the order of the class numbers.
    scored : list of str
        The classes that macro averages count.
    digest : str
        Of `lib.examples.context.examples_digest`: what was trained on the same examples is not
        trained again. Empty where trainings are not kept.
    context : np.ndarray [shape=(examples, n)], optional
        What a network is told beside each example.
    """

    x: np.ndarray
    labels: np.ndarray
    rows: dict[str, np.ndarray]
    classes: list[str]
    scored: list[str]
    digest: str = ""
    context: np.ndarray | None = None


def open_data(
    x: np.ndarray,
    examples: pd.DataFrame,
    split: pd.DataFrame,
    *,
    fold: int,
    classes: Sequence[str],
    scored: Sequence[str],
    parts: Sequence[str] = ("train", "validation", "test"),
    digest: str = "",
) -> Data:
    """Join examples with one fold of a split.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        `examples.npy`.
    examples : pd.DataFrame
        `examples.parquet`, with the context.
    split : pd.DataFrame
        `split.parquet`.
    fold : int
        Which fold.
    classes, scored : sequence of str
        All classes, and those that macro averages count.
    parts : sequence of str
        Which parts to open. A search leaves `test` out, and so cannot look at it.
    digest : str
        As in `examples.json`.

    Raises
    ------
    HeldoutError
        A part is empty, or an example has a class that the study does not know.
    """
    number = {label: index for index, label in enumerate(classes)}
    labels = examples["label"].astype(str).map(number)
    if labels.isna().any():
        strange = sorted(set(examples.loc[labels.isna(), "label"].astype(str)))
        raise HeldoutError("examples", f"classes {', '.join(classes)}", str(strange))
    here = split[split["fold"] == fold]
    rows = {
        part: np.sort(here.loc[here["part"].astype(str) == part, "example"].to_numpy())
        for part in parts
    }
    for part, numbers in rows.items():
        if len(numbers) == 0:
            raise HeldoutError(
                f"fold {fold}",
                f"examples in the {part} part",
                "none",
                "Use fewer folds, larger shares, or more recordings.",
            )
    of_class = labels.to_numpy(dtype=int)
    context = context_of(examples)
    return Data(x, of_class, rows, list(classes), list(scored), digest, context)


def read_search_data(
    npy: str | Path,
    examples: str | Path,
    split: str | Path,
    *,
    by_test: bool = False,
    **options: Any,
) -> Data:
    """Open what a search may see: the first fold without its test part, which it cannot look at.

    With several folds, the groups that it sees are test groups of the others. With `by_test` the
    test part takes the place of the validation part: what a choice by it adds to a score is
    measured so, and never called honest. `options` are those of `open_data`.
    """
    tables = read_table(examples), read_table(split)
    parts = ("train", "test" if by_test else "validation")
    data = open_data(open_examples(npy), *tables, fold=0, parts=parts, **options)
    return replace(data, rows=dict(zip(("train", "validation"), data.rows.values(), strict=True)))


def with_validation(data: Data) -> Data:
    """Join the validation part to the train part, where it has nothing left to choose.

    Raises
    ------
    HeldoutError
        An example of it is in the test part, too.
    """
    twice = np.intersect1d(data.rows["validation"], data.rows.get("test", []))
    if len(twice):
        raise HeldoutError(
            "training.refit",
            "a validation part that shares nothing with the test part",
            f"{len(twice):,} examples in both",
            "Where the test part chooses, train once.",
        )
    rows = np.sort(np.concatenate([data.rows["train"], data.rows["validation"]]))
    return replace(data, rows={**data.rows, "train": rows})


def part_scores(data: Data, predicted: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Score what was predicted of each part: `metrics` of `run.json`."""
    scored = [data.classes.index(label) for label in data.scored]
    return {
        part: scores(data.labels[data.rows[part]], here, scored=scored)
        for part, here in predicted.items()
    }


def write_predictions(path: Path, data: Data, predicted: Mapping[str, np.ndarray]) -> None:
    """Write what was predicted of all parts but the train part: a row for each example."""
    import pandas as pd

    tables = []
    for part in [part for part in predicted if part != "train"]:
        rows = data.rows[part]
        label = np.array(data.classes)[data.labels[rows]]
        columns = dict(zip(data.classes, predicted[part].T.astype(np.float32), strict=True))
        table = pd.DataFrame({"example": rows, "part": part, "label": label})
        tables.append(pd.concat([table, pd.DataFrame(columns)], axis=1))
    write_table(path, pd.concat(tables, ignore_index=True))
