"""Whether a split can be believed: what appears in two parts of it, and what a part lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lib.audit.overlaps import overlapping
from lib.errors import HeldoutError
from lib.splits.parts import PARTS


def audit_split(
    examples: pd.DataFrame,
    split: pd.DataFrame,
    *,
    duration: float,
    classes: Sequence[str],
    honest: bool,
    sites: bool = False,
) -> dict[str, Any]:
    """Look for whatever a split lets through from one part to another.

    Parameters
    ----------
    examples : pd.DataFrame
        Columns `example`, `recording`, `group`, `label`, `start` (s), and `content` and `flat` of
        `lib.examples.arrays.contents`.
    split : pd.DataFrame
        Columns `example`, `fold`, `part`, and perhaps `site`.
    duration : float
        How long one example lasts, s. Two of one recording overlap when they start within it.
    classes : sequence of str
        Every class of the study.
    honest : bool
        Whether the protocol claims that nothing leaks.
    sites : bool
        Whether it claims that no site of a test part is in another part of that fold.

    Returns
    -------
    dict
        `leaks`; `groups_on_two_sides`, `sites_on_two_sides`, `identical_examples` and
        `overlapping_examples`, each with its `count` and its worst cases; `missing_classes` (fold,
        part and class); `parts` (size, groups and classes of each part of each fold);
        `in_no_part`, how many examples each fold leaves out at most. An example that does not
        change over time is not compared: any two recordings may hold one.

    Raises
    ------
    HeldoutError
        An example has no group.
    """
    if examples["group"].isna().any():
        raise HeldoutError(
            "examples",
            "a group of each",
            f"{examples['group'].isna().sum()} without one",
            "Say whom each is from, or give it a group of its own.",
        )
    joined = split.merge(examples, on="example", validate="many_to_one")
    joined["part"] = joined["part"].astype(str)
    groups = _on_two_sides(joined, "group")
    identical = _on_two_sides(joined[~joined["flat"]], "content")
    overlapping = _overlapping(joined, duration)
    missing = _missing_classes(joined, classes)
    crossing = sorted(set(groups["group"]))
    on_two = joined[joined["group"].isin(crossing)]
    pairs = [
        sorted(joined.loc[joined["content"] == value, "recording"].astype(str).unique())
        for value in identical["content"].unique()[:20]
    ]
    met = _tested_sites_met(joined) if sites else []
    leaks = bool(crossing or met or len(identical) or overlapping["count"])
    return {
        "honest": honest,
        "leaks": leaks,
        "groups_on_two_sides": {
            "count": len(crossing),
            "groups": [str(name) for name in crossing[:100]],
            "examples": int(on_two["example"].nunique()),
        },
        "sites_on_two_sides": {"count": len(met), "sites": met[:100]},
        "identical_examples": {"count": int(identical["content"].nunique()), "recordings": pairs},
        "overlapping_examples": overlapping,
        "missing_classes": missing,
        "parts": _parts(joined, classes),
        "in_no_part": len(examples) - int(split.groupby("fold")["example"].nunique().min()),
    }


def require_honest(audit: dict[str, Any], *, study: str, protocol: str) -> None:
    """Stop where a protocol that is called honest leaks.

    Parameters
    ----------
    audit : dict
        From `audit_split`.
    study, protocol : str
        What the error calls them.

    Raises
    ------
    HeldoutError
        Names the groups, recordings and numbers of examples that appear in two parts.
    """
    if not (audit["honest"] and audit["leaks"]):
        return
    leaks = []
    groups = audit["groups_on_two_sides"]
    if groups["count"]:
        leaks.append(
            f"{groups['count']} groups appear in two parts, with {groups['examples']} examples: "
            f"{', '.join(groups['groups'][:20])}"
        )
    if audit["sites_on_two_sides"]["count"]:
        names = ", ".join(audit["sites_on_two_sides"]["sites"][:20])
        leaks.append(f"sites of the test part are in another part: {names}")
    identical = audit["identical_examples"]
    if identical["count"]:
        names = "; ".join(" = ".join(pair[:3]) for pair in identical["recordings"][:5])
        leaks.append(f"{identical['count']} contents appear in two parts ({names})")
    overlapping = audit["overlapping_examples"]
    if overlapping["count"]:
        leaks.append(
            f"{overlapping['count']} examples overlap in time with one of another part "
            f"(recordings {', '.join(overlapping['recordings'][:5])})"
        )
    raise HeldoutError(
        f"{study}: the protocol {protocol!r} is called honest, and leaks: {'. '.join(leaks)}",
        advice=f"Keep each group in one part, or set `honest: false` for {protocol!r}: then its "
        "numbers are shown as leaky ones.",
    )


def _on_two_sides(joined: pd.DataFrame, column: str) -> pd.DataFrame:
    """List the values of a column that appear in more than one part of a fold."""
    sides = joined.groupby(["fold", column])["part"].nunique()
    return sides[sides > 1].reset_index()


def _tested_sites_met(joined: pd.DataFrame) -> list[str]:
    """List the sites that are tested on in a fold that trains on them or validates with them."""
    sides = joined.assign(tested=joined["part"] == "test").groupby(["fold", "site"])["tested"]
    both = sides.nunique()
    return sorted({str(site) for _, site in both[both > 1].index})


def _overlapping(joined: pd.DataFrame, duration: float) -> dict[str, Any]:
    """Count examples that share a stretch of a recording with one of another part."""
    windows = joined[["fold", "recording", "part", "start"]]
    windows = windows.assign(end=windows["start"] + duration)
    lapped = joined[overlapping(windows, within=("fold", "recording"))]
    return {
        "count": int(lapped["example"].nunique()),
        "recordings": sorted(lapped["recording"].astype(str).unique())[:100],
    }


def _missing_classes(joined: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    """List the classes that a part of a fold has no example of."""
    present = set(zip(joined["fold"], joined["part"], joined["label"].astype(str), strict=True))
    return [
        {"fold": int(fold), "part": part, "class": label}
        for fold in sorted(joined["fold"].unique())
        for part in PARTS
        for label in classes
        if (fold, part, label) not in present
    ]


def _parts(joined: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Describe each part of each fold."""
    rows = []
    for fold in sorted(joined["fold"].unique()):
        for part in PARTS:
            here = joined[(joined["fold"] == fold) & (joined["part"] == part)]
            counts = here["label"].astype(str).value_counts()
            rows.append(
                {
                    "fold": int(fold),
                    "part": part,
                    "examples": len(here),
                    "groups": int(here["group"].nunique()),
                    "classes": {label: int(counts.get(label, 0)) for label in classes},
                }
            )
    return rows
