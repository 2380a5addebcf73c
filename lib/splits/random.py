"""Random: single examples dealt class by class. Most projects do so, and it leaks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.splits.dealing import deal_folds


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    folds: int = 1,
    test: float = 0.25,
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Deal single examples; the settings are those of `lib.splits.dealing.deal_folds`."""
    return deal_folds(
        examples, unit="example", folds=folds, test=test, validation=validation, seed=seed
    )
