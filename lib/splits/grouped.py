"""Grouped: every group in one part, the classes balanced."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.splits.dealing import deal_folds


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    folds: int = 1,
    test: float = 0.25,
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Deal whole groups; the settings are those of `lib.splits.dealing.deal_folds`.

    Raises
    ------
    HeldoutError
        A class has one group only, or there are fewer groups than parts.
    """
    _require_groups(examples)
    return deal_folds(
        examples, unit="group", folds=folds, test=test, validation=validation, seed=seed
    )


def _require_groups(examples: pd.DataFrame) -> None:
    """Raise where a class has one group: it cannot be learned and tested on different ones."""
    for label, names in examples.groupby("label")["group"].unique().items():
        if len(names) < 2:
            raise HeldoutError(
                f"class {label!r}",
                "at least 2 groups, so that it can be learned from one and tested on another",
                f"one group only ({names[0]})",
                "Leave the class out of the study, join it with another one, or add recordings of "
                "other groups.",
            )
