"""How small a difference a test part could show, and how many groups one would take."""

from __future__ import annotations

import math
from typing import NamedTuple

from lib.statistics.bootstrap import ALPHA, FEWEST_GROUPS, Difference

# The share of test parts in which a true difference shall be found (Cohen 1988, section 2.4).
POWER = 0.8


class Power(NamedTuple):
    """What a comparison can show.

    Attributes
    ----------
    detectable : float
        The smallest true difference that is shown with a power of 80 %; NaN without an interval.
    groups_needed : float
        Groups with which the difference seen would be as small; NaN where it is zero or was shown.
    note : str
        Why there is no number of groups.
    """

    detectable: float
    groups_needed: float
    note: str = ""


def power(seen: Difference, *, tests: int, shown: bool) -> Power:
    """Find the minimum detectable difference (Bloom 1995, Evaluation Review 19:547).

    It is (t₁₋α/₂ + t₀.₈) s with the standard error s that the bootstrap over groups gives, and t of
    G − 1 degrees of freedom of G groups. α is the level of the smallest p among so many tests
    (Holm 1979, whose first step is Bonferroni's). With n groups like these s is √(G/n) as large.

    This is no power of the difference seen, which says nothing that p does not (Hoenig and Heisey
    2001, Am. Stat. 55:19). What is stated takes s as known: it has no interval of its own.

    Parameters
    ----------
    seen : Difference
        From `lib.statistics.bootstrap.difference`.
    tests : int
        How many p values were corrected together.
    shown : bool
        Whether the difference is significant: then no number of groups is needed.

    Returns
    -------
    Power
    """
    error, groups = seen.error, seen.groups
    if math.isnan(error) or tests < 1:
        return Power(math.nan, math.nan, seen.note)
    detectable = _factor(groups, tests) * error
    if shown:
        return Power(detectable, math.nan, "this difference was shown")
    if not seen.estimate:
        return Power(detectable, math.nan, "no number of groups shows a difference of zero")
    # t depends little on n: a few steps settle it.
    ratio = error * math.sqrt(groups) / abs(seen.estimate)
    needed = float(groups)
    for _ in range(20):
        needed = max((_factor(needed, tests) * ratio) ** 2, float(FEWEST_GROUPS))
    needed = math.ceil(needed)
    if needed <= groups:
        return Power(detectable, math.nan, "so many groups usually suffice; here they did not")
    return Power(detectable, needed)


def _factor(groups: float, tests: int) -> float:
    """Return how many standard errors a difference must be."""
    from scipy.stats import t

    quantiles = t.ppf([1 - ALPHA / (2 * tests), POWER], groups - 1)
    return float(quantiles.sum())
