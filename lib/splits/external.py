"""External: train on some sites or datasets, test on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.splits import published


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    by: str,
    parts: Mapping[str, Sequence[str]],
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Take the parts from lists of values of a column, and leave out who is on both sides.

    Parameters
    ----------
    examples, seed, parts, validation
        As for `lib.splits.published.divide`.
    by : str
        The column of the site or dataset.

    Returns
    -------
    list of np.ndarray [shape=(rows,)]
        One fold: the part of each row, empty where it is left out. So are examples to train on, or
        to validate with, whose group has examples in the test part.

    Raises
    ------
    HeldoutError
        A part has no example.
    """
    tested = examples[by].isin(list(map(str, parts["test"])))
    known = examples["group"].isin(examples.loc[tested, "group"].unique()) & ~tested
    own = examples.assign(**{by: examples[by].where(~known, "")})
    return published.divide(own, seed=seed, parts=parts, by=by, validation=validation)
