"""Sites: each value of a column (hospital, device, dataset) is tested on once, and left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.splits.dealing import cut_validation


def divide(
    examples: pd.DataFrame,
    *,
    seed: int,
    by: str,
    sites: Sequence[str],
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Leave one site out: a fold for each, which is its test part; the others are trained on.

    Parameters
    ----------
    examples : pd.DataFrame
        With the column that `by` names, as text.
    seed : int
        Of the validation parts.
    by : str
        The column of the site.
    sites : sequence of str
        The values of `by` that take part; an example of another one is left out.
    validation : float
        Share of the train part for validation, by group: the test site has no part in it.

    Returns
    -------
    list of np.ndarray [shape=(rows,)]
        For each site, in the order of `sites`, the part of each row. An example of another site
        whose group is on the test site too is in no part of that fold.

    Raises
    ------
    HeldoutError
        A site has no example, or fewer than two groups are left to train on.
    """
    here = places(examples, by, sites)
    pieces = []
    for fold, site in enumerate(map(str, sites)):
        part = np.where(here == site, "test", np.where(here == "", "", "train")).astype("U10")
        part[shared(examples, part, leave="train")] = ""
        if not (part == "train").any():
            raise HeldoutError(
                f"{by} {site}",
                "groups of other sites to train on",
                "none that is not on this one too",
                "Where each group was recorded on every site, the sites are no new place: divide "
                "by group, and look at the subgroups.",
            )
        try:
            cut_validation(examples, part, unit="group", share=validation, seed=seed + fold)
        except HeldoutError as error:
            raise error.within(f"{by} {site} left out") from error
        pieces.append(part)
    return pieces


def check(*, by: str, sites: Sequence[str], **_: object) -> None:
    """Check what can be checked of the settings before there are examples.

    Raises
    ------
    HeldoutError
        There are fewer than two sites, or one is named twice.
    """
    names = list(map(str, sites or ()))
    if len(names) < 2 or len(set(names)) < len(names):
        raise HeldoutError(
            "sites",
            f"two or more values of {by}, each once",
            ", ".join(names) or "none",
            "Correct the protocol.",
        )


def folds(*, sites: Sequence[str] = (), **_: object) -> int:
    """Count the folds: one for each site."""
    return len(sites)


def places(examples: pd.DataFrame, by: str, sites: Sequence[str]) -> np.ndarray:
    """Return the site of each example; empty where it takes no part.

    Raises
    ------
    HeldoutError
        A site has no example.
    """
    there = examples[by].value_counts()
    gone = [site for site in map(str, sites) if site not in there.index]
    if gone:
        known = ", ".join(
            f"{name or '(empty)'} ({count})" for name, count in there.head(20).items()
        )
        raise HeldoutError(
            f"split by {by}",
            f"examples of {', '.join(gone)}",
            f"none; there are {known}",
            "Correct `sites` of the protocol.",
        )
    return examples[by].where(examples[by].isin(list(map(str, sites))), "").to_numpy(dtype=object)


def shared(examples: pd.DataFrame, part: np.ndarray, *, leave: str) -> np.ndarray:
    """Tell which examples of one part (`leave`) are of a group that is in another part, too.

    Nobody whom a network has met is tested on, though on another site.
    """
    group = examples["group"].to_numpy()
    others = set(group[(part != leave) & (part != "")])
    return (part == leave) & np.isin(group, list(others))
