"""Ranks of models over blocks (studies, folds): Friedman's test with Nemenyi's.

After Demšar 2006 (J. Mach. Learn. Res. 7:1).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from lib.errors import HeldoutError
from lib.metrics.confusion import Array
from lib.statistics.bootstrap import ALPHA

# So many additions a block are made at most before p is taken from the F distribution.
MOST_STEPS = 200_000


@dataclass(frozen=True)
class Ranks:
    """Friedman's test.

    Attributes
    ----------
    mean_rank : ndarray, shape (model,)
        1 is the best.
    blocks : int
        Over how many.
    chi2, f : float
        Friedman's χ² (not corrected for ties) and the F of Iman and Davenport (1980).
    p : float
        That the models are alike: the share of all orders within the blocks that give as large a
        χ² where they can be counted (`exact`), else from the F distribution.
    exact : bool
        How p was found.
    smallest_p : float
        What p would be if all blocks ranked alike: no result could have a smaller one.
    critical_difference : float
        Of mean ranks, at 5 % (Nemenyi 1963).
    """

    mean_rank: Array
    blocks: int
    chi2: float
    f: float
    p: float
    exact: bool
    smallest_p: float
    critical_difference: float


def nemenyi_q(models: int, *, alpha: float = ALPHA) -> float:
    """Compute the critical value of Nemenyi's test: Studentized range over √2 (Demšar, table 5a).

    Parameters
    ----------
    models : int
        How many are compared.
    alpha : float
        The level of the test.

    Returns
    -------
    float
        Times √(k(k + 1) / 6N), for k models over N blocks, it is the critical difference.

    Examples
    --------
    >>> round(nemenyi_q(5), 3)
    2.728
    """
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, models, np.inf)) / math.sqrt(2)


def friedman(scores: ArrayLike) -> Ranks:
    """Rank models within blocks, and test whether their mean ranks differ.

    Parameters
    ----------
    scores : array_like, shape (block, model)
        More is better. Ties share their mean rank.

    Returns
    -------
    Ranks
        χ² = 12N/(k(k+1)) (Σ R² − k(k+1)²/4), F = (N−1)χ² / (N(k−1)−χ²), and
        CD = q √(k(k+1)/(6N)), of N blocks and k models with mean ranks R (Demšar 2006, section
        3.2.2).

    Raises
    ------
    HeldoutError
        There are fewer than two blocks or models, or a score is missing.
    """
    from scipy.stats import f as fisher
    from scipy.stats import rankdata

    x = np.asarray(scores, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise HeldoutError(
            "ranks",
            "finite scores of at least two models in at least two blocks, shape (block, model)",
            f"shape {x.shape}",
            "Leave out models and blocks without a score.",
        )
    blocks, models = x.shape
    ranks = rankdata(-x, axis=1)
    mean = ranks.mean(0)
    chi2 = 12 * blocks / (models * (models + 1)) * ((mean - (models + 1) / 2) ** 2).sum()
    left = blocks * (models - 1) - chi2
    f = (blocks - 1) * chi2 / left if left > 1e-9 else math.inf
    counted = _exact_p(ranks)
    degrees = (models - 1, (models - 1) * (blocks - 1))
    return Ranks(
        mean_rank=mean,
        blocks=blocks,
        chi2=float(chi2),
        f=float(f),
        p=float(fisher.sf(f, *degrees)) if counted is None else counted,
        exact=counted is not None,
        smallest_p=math.factorial(models) ** -(blocks - 1.0),
        critical_difference=nemenyi_q(models) * math.sqrt(models * (models + 1) / (6 * blocks)),
    )


def _exact_p(ranks: Array) -> float | None:
    """Count the orders within blocks with as large a sum of squares; None where they are many."""
    # Doubled, the mean ranks of ties are whole numbers.
    rows = [sorted(round(2 * value) for value in row) for row in ranks]
    if math.factorial(len(rows[0])) > 1000:
        return None
    seen = np.round(2 * ranks).sum(0)
    target = float((seen**2).sum())
    # Models are interchangeable under the hypothesis, so sums of ranks are followed as sorted.
    states: Counter[tuple[int, ...]] = Counter({(0,) * len(rows[0]): 1})
    for row in rows:
        orders = Counter(permutations(row))
        if len(states) * len(orders) > MOST_STEPS:
            return None
        following: Counter[tuple[int, ...]] = Counter()
        for state, count in states.items():
            for order, times in orders.items():
                total = tuple(sorted(s + o for s, o in zip(state, order, strict=True)))
                following[total] += count * times
        states = following
    as_large = sum(n for state, n in states.items() if sum(v * v for v in state) >= target - 1e-9)
    return as_large / sum(states.values())
