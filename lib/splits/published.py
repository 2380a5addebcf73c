"""Published: the parts of a split from the literature, or of the dataset's own folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.splits.dealing import cut_validation
from lib.splits.parts import PARTS


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    parts: Mapping[str, Sequence[str]],
    by: str = "recording",
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Take the parts from lists of values of a column.

    Parameters
    ----------
    examples : pd.DataFrame
        With the column that `by` names.
    seed : int
        Of the validation part, where it is cut from train.
    parts : mapping
        For `train`, `test` and, if it has one, `validation`, the values of `by`. Validation is cut
        from train, by group, where it is not given. An example in no part is left out.
    by : str
        The column whose values `parts` lists.
    validation : float
        Share of train for validation, where that is not given.

    Returns
    -------
    list of np.ndarray [shape=(rows,)]
        One fold: the part of each row, empty where it is left out.

    Raises
    ------
    HeldoutError
        A part has no example.
    """
    part = examples[by].astype(str).map(_part_of(parts)).fillna("").to_numpy(dtype="U10")
    for name, values in parts.items():
        if not (part == name).any():
            raise HeldoutError(
                f"split by {by}",
                f"examples whose {by} is in its {name} part "
                f"({', '.join(list(map(str, values))[:5])}, …)",
                "none",
                "Check that these recordings are here.",
            )
    if "validation" not in parts:
        cut_validation(examples, part, unit="group", share=validation, seed=seed)
    return [part]


def check(*, parts: Mapping[str, Sequence[str]], **_: object) -> None:
    """Check what can be checked of the settings before there are examples.

    Raises
    ------
    HeldoutError
        A part is missing or unknown, or a value is in two parts.
    """
    _part_of(parts)


def _part_of(parts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the part of each value."""
    if not parts or not {"train", "test"} <= set(parts) <= set(PARTS):
        raise HeldoutError(
            "parts",
            "train, test and perhaps validation",
            ", ".join(parts or ()) or "none",
            "Correct the protocol.",
        )
    part_of: dict[str, str] = {}
    for name, values in parts.items():
        for value in map(str, values):
            if value in part_of:
                raise HeldoutError(
                    "parts",
                    "each value in one part",
                    f"{value} in {part_of[value]} and in {name}",
                    "Correct the protocol.",
                )
            part_of[value] = name
    return part_of
