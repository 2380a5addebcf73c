"""The context of examples: what a network is told beside their arrays, as columns of the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from lib.errors import HeldoutError
from lib.files import sha256

if TYPE_CHECKING:  # training alone needs no pandas
    import pandas as pd

_PREFIX = "context_"


RESERVED = (
    *("recording", "path", "label", "group", "split", "rate", "duration", "channels"),
    *("source_label", "sha256", "example", "start", "level", "unit", "saturated", "content"),
    *("flat", "fold", "part", "context"),
)
"""Columns of the tables of recordings, examples and splits: no context has such a name."""


def require_context_names(names: Sequence[str], *, of_features: Sequence[str] = ()) -> None:
    """Check the names of a context that a study takes from a table of recordings.

    Parameters
    ----------
    names : sequence of str
        Columns of the table.
    of_features : sequence of str
        Names of the context that the features give.

    Raises
    ------
    HeldoutError
        One has a meaning of its own, as `label` and `group` have, or comes twice.
    """
    for place, name in enumerate(names):
        if name in RESERVED:
            raise HeldoutError(
                "folder.context",
                f"columns with names of their own, none of {', '.join(RESERVED)}",
                name,
                "Remove it, or give the column another name.",
            )
        if name in of_features or name in names[:place]:
            twice = "which the features give, too" if name in of_features else "twice"
            raise HeldoutError(
                "folder.context", "each name once", f"{name}, {twice}", "Rename or remove it."
            )


def is_context(values: ArrayLike) -> np.ndarray:
    """Tell which numbers are finite in the 32 bits of a context."""
    return np.abs(np.asarray(values, np.float64)) <= np.finfo(np.float32).max


def context_columns(names: Iterable[str]) -> list[str]:
    """Name the columns of `examples.parquet` that hold a context."""
    return [_PREFIX + name for name in names]


def context_names(columns: Iterable[str]) -> list[str]:
    """Name what the context of a table with these columns holds, in its order."""
    return [name.removeprefix(_PREFIX) for name in columns if name.startswith(_PREFIX)]


def context_of(examples: pd.DataFrame) -> np.ndarray | None:
    """Return the context of each example, shape (examples, n), float32; None where it has none."""
    names = context_names(examples.columns)
    return examples[context_columns(names)].to_numpy(np.float32) if names else None


def examples_digest(npy: str | Path, examples: pd.DataFrame) -> str:
    """Hash the examples with their context: what was trained on the same is not trained again.

    Parameters
    ----------
    npy : str or Path
        `examples.npy`.
    examples : pd.DataFrame
        `examples.parquet`.

    Returns
    -------
    str
        SHA-256 of the array, as 64 hexadecimal digits; of it and the context, where there is one.
    """
    array, names = sha256(npy), context_names(examples.columns)
    if not names:
        return array
    content = np.ascontiguousarray(context_of(examples)).tobytes()
    return hashlib.sha256(f"{array}\0{names}\0".encode() + content).hexdigest()


def require_finite_context(path: str | Path, examples: pd.DataFrame) -> None:
    """Check that every example has a whole context.

    Parameters
    ----------
    path : str or Path
        What an error names.
    examples : pd.DataFrame
        With `recording`, and the columns of a context, if there is one.

    Raises
    ------
    HeldoutError
        A value is NaN or infinite, as where shards have contexts of other names.
    """
    context = context_of(examples)
    bad = ~np.isfinite(context).all(axis=1) if context is not None else np.zeros(0, bool)
    if bad.any():
        first = examples["recording"].to_numpy()[bad][0]
        raise HeldoutError(
            path,
            "a finite context for each example",
            f"NaN or infinity in {int(bad.sum())} examples, the first of recording {first}",
            "Delete the shards and run again; they are made anew.",
        )
