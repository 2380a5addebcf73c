"""Dealing groups, or single examples, to parts so that each has its share of every class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.errors import HeldoutError

# Dealing groups greedily depends on the order of equals, so several orders are tried, and the most
# balanced result is kept. 32 orders found every class a place on the sets at hand.
RESTARTS = 32
# A class that a part lacks altogether weighs more than any number of groups too few. What cannot be
# learned weighs more than all that validation does not see, and a part without any group most.
ABSENT = 1_000_000
LEARNED = np.array([1, 1000])  # of validation and training
EMPTY = 1_000_000 * ABSENT


def deal_folds(
    unit: str,
    frame: pd.DataFrame,
    *,
    seed: int,
    folds: int = 1,
    test: float = 0.25,
    validation: float = 0.2,
) -> list[np.ndarray]:
    """Deal units to the test parts of some folds, and cut validation from what is left of each.

    Parameters
    ----------
    unit : {"group", "example"}
        The column of what stays together. It comes first, so that a kind of split can bind it and
        leave the settings.
    frame : pd.DataFrame
        The examples: `label`, and the column `unit`.
    seed : int
        Of the dealing.
    folds : int
        1 for one test part of size `test`; k for k folds whose test parts cover every example once.
    test, validation : float
        Share of all examples for test (with one fold), and of the rest for validation.

    Returns
    -------
    list of np.ndarray [shape=(rows,)]
        For each fold the part of each row.

    Raises
    ------
    HeldoutError
        Of groups: a class has one only, or there are fewer than parts.
    """
    if unit == "group":
        _require_groups(frame)
    fold_of = deal(
        frame, unit=unit, shares=shares_of(folds, test), needs=groups_needed(folds), seed=seed
    )
    pieces = []
    for fold in range(folds):
        part = np.where(fold_of == fold, "test", "train").astype("U10")
        cut_validation(frame, part, unit=unit, share=validation, seed=seed + fold)
        pieces.append(part)
    return pieces


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


def shares_of(folds: int, test: float) -> np.ndarray:
    """Return the share of the examples that each pile should get; the test piles come first."""
    return np.full(folds, 1 / folds) if folds > 1 else np.array([test, 1 - test])


def groups_needed(folds: int) -> np.ndarray:
    """Return the number of groups of each class that each pile should have, tests coming first.

    What is left beside a test part is cut once more: it needs two, for train and for validation.
    With three folds and more, two other piles are left beside each.
    """
    return np.array([1, 2]) if folds == 1 else np.full(folds, 2 if folds == 2 else 1)


def deal(
    frame: pd.DataFrame,
    *,
    unit: str,
    shares: np.ndarray,
    needs: np.ndarray,
    seed: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Deal units to piles so that each pile gets its share of every class.

    Parameters
    ----------
    frame : pd.DataFrame
        The examples.
    unit : str
        The column of what stays together.
    shares : np.ndarray [shape=(piles,)]
        Of all examples, for each pile.
    needs : np.ndarray [shape=(piles,)]
        Groups of each class that each pile should have; not used for single examples.
    seed : int
        Of the order.
    weights : np.ndarray [shape=(piles,)], optional
        How much a class weighs that a pile lacks altogether; for all the same without it.

    Returns
    -------
    np.ndarray [shape=(rows,)]
        The pile of each row.
    """
    labels, classes = pd.factorize(frame["label"], sort=True)
    if unit == "example":
        return _deal_examples(labels, shares=shares, seed=seed)
    units, names = pd.factorize(frame[unit], sort=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (units, labels), 1)
    if len(names) < len(shares):
        raise HeldoutError(
            "split",
            f"at least {len(shares)} groups, one for each part",
            f"{len(names)} ({', '.join(map(str, names))})",
            "Use fewer folds, or add recordings of other groups.",
        )
    absent = np.full((len(shares), len(classes) + 1), ABSENT)
    if weights is not None:
        absent = np.column_stack([absent[:, :-1] * weights[:, None], np.full(len(shares), EMPTY)])
    best, best_cost = None, (np.inf, np.inf)
    for restart in range(RESTARTS if len(names) <= 2000 else 1):
        rng = np.random.default_rng([seed, restart])
        pile = _deal_once(counts, shares, rng)
        _repair(counts, pile, shares, needs, absent)
        cost = _cost(counts, pile, shares, needs, absent)
        if cost < best_cost:
            best, best_cost = pile, cost
    assert best is not None
    return best[units]


def _deal_examples(labels: np.ndarray, *, shares: np.ndarray, seed: int) -> np.ndarray:
    """Deal single examples: within each class, in random order, proportionally to the shares."""
    rng = np.random.default_rng(seed)
    pile = np.empty(len(labels), dtype=int)
    edges = np.cumsum(shares)
    for label in range(labels.max() + 1):
        rows = rng.permutation(np.flatnonzero(labels == label))
        # A random offset gives each pile its chance at the odd examples of small classes.
        places = (np.arange(len(rows)) + rng.uniform()) / len(rows)
        pile[rows] = np.minimum(np.searchsorted(edges, places, side="right"), len(shares) - 1)
    return pile


def _deal_once(counts: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal groups one by one, the most uneven first, each to the pile that it balances best."""
    weight = counts / counts.sum(axis=0)  # a rare class counts as much as a common one
    spread = weight.max(axis=1) * rng.uniform(0.5, 1, len(counts))
    held = np.zeros((len(shares), counts.shape[1]))
    pile = np.empty(len(counts), dtype=int)
    for group in np.argsort(-spread, kind="stable"):
        pile[group] = int(np.argmin(_strain(held, weight[group], shares)))
        held[pile[group]] += weight[group]
    return pile


def _strain(held: np.ndarray, added: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Say how much farther from its share each pile is, once something is added to it.

    Its squared distance is in units of the share: a small pile is filled as eagerly as a large
    one, relative to its size.
    """
    size = shares[:, None]
    after, before = (held + added) / size - 1, held / size - 1
    return ((after**2 - before**2) * size).sum(axis=1)


def _groups_held(counts: np.ndarray, pile: np.ndarray, piles: int) -> np.ndarray:
    """Count the groups of each class in each pile; the last column counts all groups."""
    present = np.column_stack([counts > 0, np.ones(len(counts), dtype=bool)])
    return np.array([present[pile == index].sum(axis=0) for index in range(piles)])


def _repair(
    counts: np.ndarray,
    pile: np.ndarray,
    shares: np.ndarray,
    needs: np.ndarray,
    absent: np.ndarray,
) -> None:
    """Move groups, one at a time, to piles that have too few groups of a class.

    Dealing looks at numbers of examples. Where one group has most of a class, it would fill its
    pile and leave none for another; a part without a class is worse than an uneven one.
    """
    weight = counts / counts.sum(axis=0)
    present = np.column_stack([counts > 0, np.ones(len(counts), dtype=bool)]).astype(int)
    need = needs[:, None]
    while True:
        held = _groups_held(counts, pile, len(shares))
        lost = absent * (held == 1) + (held <= need)
        won = absent * (held == 0) + (held < need)
        change = (present * lost[pile]).sum(axis=1)[:, None] - present @ won.T
        change[np.arange(len(pile)), pile] = 0
        if change.min() >= 0:
            return
        groups, targets = np.nonzero(change == change.min())
        filled = np.array([weight[pile == index].sum(axis=0) for index in range(len(shares))])
        sources = pile[groups]
        strain = _strain(filled[targets], weight[groups], shares[targets])
        strain += _strain(filled[sources], -weight[groups], shares[sources])
        best = int(np.argmin(strain))
        pile[groups[best]] = targets[best]


def _cost(
    counts: np.ndarray,
    pile: np.ndarray,
    shares: np.ndarray,
    needs: np.ndarray,
    absent: np.ndarray,
) -> tuple[float, float]:
    """Judge a deal: first the classes of which a pile has too few groups, then how uneven it is."""
    groups = _groups_held(counts, pile, len(shares))
    short = absent * (groups == 0) + np.maximum(needs[:, None] - groups, 0)
    held = np.array([counts[pile == index].sum(axis=0) for index in range(len(shares))])
    uneven = float((((held / counts.sum(axis=0)) / shares[:, None] - 1) ** 2).mean())
    return float(short.sum()), uneven


def cut_validation(
    frame: pd.DataFrame, part: np.ndarray, *, unit: str, share: float, seed: int
) -> None:
    """Move a share of the train part to validation, by the rule that made the test part."""
    rows = np.flatnonzero(part == "train")
    train = frame.iloc[rows]
    if unit == "group" and train["group"].nunique() < 2:
        raise HeldoutError(
            "the train part",
            "at least 2 groups, so that one can be set aside for validation",
            f"one group only ({train['group'].iloc[0]})",
            "Use fewer folds or add recordings.",
        )
    pile = deal(
        train,
        unit=unit,
        shares=np.array([share, 1 - share]),
        needs=np.array([1, 1]),
        seed=seed,
        weights=LEARNED,
    )
    part[rows[pile == 0]] = "validation"
