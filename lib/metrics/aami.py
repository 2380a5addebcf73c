"""Heart beats in the classes of the AAMI, and the figures that their literature reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.metrics.confusion import kappa, ppv, ratio, sensitivity

CODES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "N": ("N", "L", "R", "B", "e", "j", "n"),
        "S": ("A", "a", "J", "S"),
        "V": ("V", "E", "r"),
        "F": ("F",),
        "Q": ("/", "f", "Q"),
    }
)
"""Each class with the annotation codes of WFDB in it; `?`, not classified yet, is in none."""

# Normal, supraventricular and ventricular ectopic, fusion. Q, what is not known, is not scored.
SCORED = ("N", "S", "V", "F")

# Of the table that is reported beat by beat.
ROWS = (*SCORED, "all")


def is_aami(scored: Collection[str]) -> bool:
    """Say whether the scored classes are those of the AAMI (ANSI/AAMI EC57).

    Parameters
    ----------
    scored : collection of str
        Their names.

    Returns
    -------
    bool
        Whether these are N, S, V and F, in any order.
    """
    return set(scored) == set(SCORED)


def jk_index(matrix: NDArray[np.float64], *, classes: Sequence[str]) -> NDArray[np.float64]:
    """Compute the jκ index of Mar et al. 2011 (IEEE Trans. Biomed. Eng. 58:2168).

    jκ = κ/2 + j/8, where κ is Cohen's kappa and j adds sensitivity and positive predictive value of
    S and of V, so that the index is 1 for a perfect classifier.

    Parameters
    ----------
    matrix : ndarray, shape (..., class, class)
        Confusion matrices, row the label. Only rows of N, S, V and F count: Q has too few beats.
    classes : sequence of str
        Names of rows and columns.

    Returns
    -------
    ndarray, shape (...)
        NaN where S or V never occurs or is never predicted.
    """
    m = _counted(matrix, classes)
    of = [list(classes).index(name) for name in ("S", "V")]
    return kappa(m) / 2 + (sensitivity(m) + ppv(m))[..., of].sum(-1) / 8


def _counted(matrix: ArrayLike, classes: Sequence[str]) -> NDArray[np.float64]:
    """Blank the rows of other classes; a scored beat that is taken for another stays an error."""
    keep = np.array([name in SCORED for name in classes])
    return np.where(keep[:, None], np.asarray(matrix, dtype=float), 0.0)


def aami_scores(matrix: ArrayLike, *, classes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Compute the figures that de Chazal et al. 2004 (IEEE Trans. Biomed. Eng. 51:1196) report.

    Parameters
    ----------
    matrix : array_like, shape (..., class, class)
        Confusion matrices, row the label.
    classes : sequence of str
        Names of rows and columns. Beats of other classes than N, S, V and F are left out.

    Returns
    -------
    dict of str to ndarray, shape (..., 5)
        Of each of N, S, V and F, then of all (`ROWS`). `tp`, `fn`, `fp`, `tn` count beats, one
        class against the rest; `sensitivity` TP/(TP+FN), `ppv` TP/(TP+FP),
        `false_positive_rate` FP/(FP+TN), `accuracy` (TP+TN) over all. Of all, `tp` are the right
        beats and `fn` the wrong ones, `accuracy` their share, and the others are plain means over
        the four classes, NaN where one of them is. `j_kappa` is of all alone.
    """
    m = _counted(matrix, classes)
    place = [list(classes).index(name) for name in SCORED]
    total = m.sum((-2, -1))[..., None]
    tp = np.diagonal(m, axis1=-2, axis2=-1)[..., place]
    fn, fp = m.sum(-1)[..., place] - tp, m.sum(-2)[..., place] - tp
    tn = total - tp - fn - fp
    none = np.full_like(total, np.nan)
    right = tp.sum(-1, keepdims=True)
    shares = {
        "sensitivity": ratio(tp, tp + fn),
        "ppv": ratio(tp, tp + fp),
        "false_positive_rate": ratio(fp, fp + tn),
    }
    of_all = {
        "tp": (tp, right),
        "fn": (fn, fn.sum(-1, keepdims=True)),
        "fp": (fp, none),
        "tn": (tn, none),
        **{name: (share, share.mean(-1, keepdims=True)) for name, share in shares.items()},
        "accuracy": (ratio(tp + tn, total), ratio(right, total)),
        "j_kappa": (np.full_like(tp, np.nan), jk_index(m, classes=classes)[..., None]),
    }
    return {name: np.concatenate(parts, axis=-1) for name, parts in of_all.items()}
