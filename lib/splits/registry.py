"""The ways to divide examples into train, validation and test parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError, suggestion
from lib.splits import grouped, published, random
from lib.splits.parts import PARTS


@dataclass(frozen=True)
class SplitKind:
    """One way to divide examples.

    Attributes
    ----------
    divide : callable
        `divide(examples, *, seed, **settings)` returns, for each fold, an array with the part of
        each row of `examples` (sorted by `example`): a name in `PARTS`, or empty where the example
        is left out. Its keyword-only parameters are the settings of a protocol of this kind.
    check : callable, optional
        `check(**settings)` raises HeldoutError for settings that cannot be, before there are
        examples.
    by_example : bool
        Whether one group may be in several parts. Such a protocol cannot be called honest.
    """

    divide: Callable[..., list[np.ndarray]]
    check: Callable[..., None] | None = None
    by_example: bool = False


KINDS = MappingProxyType(
    {
        "grouped": SplitKind(grouped.divide),
        "published": SplitKind(published.divide, check=published.check),
        "random": SplitKind(random.divide, by_example=True),
    }
)
"""The kinds of protocols, by name."""


def make_split(
    examples: pd.DataFrame, *, kind: str, seed: int = 0, **settings: Any
) -> pd.DataFrame:
    """Divide examples into parts.

    Parameters
    ----------
    examples : pd.DataFrame
        Columns `example`, `group`, `label`, and what the kind asks for.
    kind : str
        A name in `KINDS`. `grouped` keeps every group in one part and the classes balanced;
        `published` takes the parts from `parts`; `random` deals single examples, class by class,
        so that a group appears in several parts.
    seed : int
        Of the dealing. Equal seeds give equal splits, whatever the order of the rows.
    **settings
        What `divide` of the kind takes.

    Returns
    -------
    pd.DataFrame
        `example`, `fold` (from 0) and `part`, sorted by fold and example.

    Raises
    ------
    HeldoutError
        An impossible setting, a class with a single group, or a part without examples.

    Examples
    --------
    >>> groups = [f"patient {number // 2}" for number in range(24)]
    >>> examples = pd.DataFrame({"example": range(24), "group": groups, "label": ["a", "b"] * 12})
    >>> split = make_split(examples, kind="grouped", test=0.25, validation=0.25)
    >>> joined = split.astype({"part": str}).merge(examples, on="example")
    >>> int(joined.groupby("group")["part"].nunique().max())  # each patient in one part
    1
    """
    check_rule(kind, **settings)
    # Sorting first makes the split a function of the examples and the seed alone.
    frame = examples.sort_values("example", ignore_index=True)
    tables = [
        pd.DataFrame({"example": frame["example"], "fold": fold, "part": part})[part != ""]
        for fold, part in enumerate(KINDS[kind].divide(frame, seed=seed, **settings))
    ]
    split = pd.concat(tables, ignore_index=True)
    split["part"] = pd.Categorical(split["part"], categories=PARTS)
    _require_parts(split)
    return split


def check_rule(kind: str, **settings: Any) -> None:
    """Check what can be checked of a protocol before there are examples.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What `divide` of the kind takes.

    Raises
    ------
    HeldoutError
        The kind or a setting is unknown, a setting is missing, or it is impossible.
    """
    if kind not in KINDS:
        raise HeldoutError(
            "kind", f"one of {', '.join(KINDS)}", repr(kind), suggestion(kind, [*KINDS])
        )
    _require_known(kind, settings)
    folds = settings.get("folds", 1)
    if folds < 1:
        raise HeldoutError("folds", "1 or more", str(folds), "Correct the protocol.")
    for name in ("test", "validation"):
        share = settings.get(name, 0.5)
        if not 0 < share < 1:
            raise HeldoutError(
                name,
                "a share between 0 and 1, both excluded",
                str(share),
                "Correct the protocol.",
            )
    check = KINDS[kind].check
    if check is not None:
        check(**settings)


def _require_known(kind: str, settings: dict[str, Any]) -> None:
    """Raise unless the settings are those that the kind takes."""
    parameters = inspect.signature(KINDS[kind].divide).parameters.values()
    taken = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"]
    names = [p.name for p in taken]
    for name in settings:
        if name not in names:
            raise HeldoutError(
                f"kind {kind}",
                f"the settings {', '.join(names)}",
                repr(name),
                suggestion(name, names),
            )
    missing = [p.name for p in taken if p.default is p.empty and p.name not in settings]
    if missing:
        raise HeldoutError(
            f"kind {kind}",
            f"the setting {', '.join(missing)}, which it needs",
            ", ".join(settings) or "none",
            "Add it to the protocol, or choose another kind.",
        )


def _require_parts(split: pd.DataFrame) -> None:
    counts = pd.crosstab(split["fold"], split["part"]).reindex(columns=list(PARTS), fill_value=0)
    for fold, part in zip(*np.nonzero(counts.to_numpy() == 0), strict=True):
        raise HeldoutError(
            f"fold {counts.index[fold]}",
            f"examples in the {PARTS[part]} part",
            "none",
            "Use fewer folds, larger shares, or more recordings.",
        )
