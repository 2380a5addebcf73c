"""Pairs: train on each site alone, and test on every site, its own included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.splits.dealing import cut_validation, deal, groups_needed, shares_of
from lib.splits.sites import places, shared

# One for each part: with fewer groups of its own, a site is tested on from elsewhere alone.
_PARTS = 3


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    by: str,
    sites: Sequence[str],
    test: float = 0.25,
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Train on one site in each fold; the predictions of its runs are a row of the matrix.

    Parameters
    ----------
    examples : pd.DataFrame
        With the column that `by` names, as text.
    seed : int
        Of the dealing.
    by, sites
        As for `lib.splits.sites.divide`.
    test, validation : float
        Share of the site's own examples for test, by group, and of the rest for validation.

    Returns
    -------
    list of np.ndarray [shape=(rows,)]
        For each site, in the order of `sites`, the part of each row. The test part holds groups of
        the site itself, where it has three or more, and all of the other sites but for groups that
        are trained on or validated with.

    Raises
    ------
    HeldoutError
        A site has no example, or one group only.
    """
    here = places(examples, by, sites)
    pieces = []
    for fold, site in enumerate(map(str, sites)):
        own = here == site
        part = np.where(own, "train", np.where(here == "", "", "test")).astype("U10")
        frame = examples[own]
        count = frame["group"].nunique()
        if count < 2:
            raise HeldoutError(
                f"{by} {site}",
                "at least 2 groups, to train on and to validate with",
                f"one only ({frame['group'].iloc[0]})",
                "Leave it out of `sites` of this protocol, or add recordings of other groups.",
            )
        if count >= _PARTS:
            shares, needs = shares_of(1, test), groups_needed(1)
            pile = deal(frame, unit="group", shares=shares, needs=needs, seed=seed + fold)
            part[np.flatnonzero(own)[pile == 0]] = "test"
        part[shared(examples, part, leave="test")] = ""
        cut_validation(examples, part, unit="group", share=validation, seed=seed + fold)
        pieces.append(part)
    return pieces
