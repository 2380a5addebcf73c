"""Choosing hyperparameters on the validation part of the honest split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lib.errors import HeldoutError
from lib.search.edges import edges

METRICS = ("loss", "accuracy", "macro_f1")


def trials_table(
    records: Mapping[str, Mapping[str, Any]], trials: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Collect the trials of one search.

    Where there is one trial only, nothing is to be chosen, and nothing was trained for it.

    Parameters
    ----------
    records : mapping
        Trial id to what its `run.json` holds. A trial without one was not trained.
    trials : mapping
        Trial id to its hyperparameters.

    Returns
    -------
    pd.DataFrame
        `trial`, the hyperparameters (lists as `64x32`), `val_loss`, `val_accuracy`,
        `val_macro_f1`, `epochs`, `best_epoch`, `seconds`, `state` (complete, pruned, failed, or
        only: the one trial there is), `reason`; complete ones first, by validation loss.
    """
    rows = []
    for trial, hyperparameters in trials.items():
        only: dict[str, Any] = {"state": "only", "reason": "the only trial: nothing to choose"}
        run = records.get(trial, only)
        row: dict[str, Any] = {"trial": trial}
        row |= {name: _plain(value) for name, value in hyperparameters.items()}
        validation = run.get("metrics", {}).get("validation", {})
        row |= {f"val_{name}": validation.get(name) for name in METRICS}
        row |= {"epochs": run.get("epochs"), "best_epoch": run.get("best_epoch")}
        row |= {"seconds": run.get("train_seconds")}
        row |= {"state": run.get("state", "complete"), "reason": run.get("reason", "")}
        rows.append(row)
    table = pd.DataFrame(rows)
    table["val_loss"] = table["val_loss"].astype(float)
    # The name breaks ties, so that equal trials are never chosen by the order of a listing.
    # A pruned one may look better than it would have become: it is never chosen.
    table["rank"] = table["state"].isin(["pruned", "failed"])
    table = table.sort_values(["rank", "val_loss", "trial"], ignore_index=True)
    return table.drop(columns="rank")


def best_trial(
    table: pd.DataFrame,
    architecture: str,
    trials: Mapping[str, Mapping[str, Any]],
    *,
    space: Mapping[str, Any],
) -> dict[str, Any]:
    """Choose the trial with the lowest validation loss.

    Parameters
    ----------
    table : pd.DataFrame
        Of `trials_table`.
    architecture : str
        Whose search it was.
    trials : mapping
        Trial id to its hyperparameters.
    space : mapping
        What was searched, as for `lib.search.spaces.check_space`.

    Returns
    -------
    dict
        `architecture`, `trial`, `hyperparameters`, `val_loss` (None for an only trial), `of`
        (number of trials), `edges` (of `lib.search.edges`; none of an only trial).

    Raises
    ------
    HeldoutError
        Every trial failed or was pruned.
    """
    complete = table[table["state"].isin(["complete", "only"])]
    if complete.empty:
        counts = {state: (table["state"] == state).sum() for state in ("failed", "pruned")}
        ones = " and ".join(f"{count} {state}" for state, count in counts.items() if count)
        reasons = "; ".join(sorted(set(table.loc[table["state"] == "failed", "reason"])))
        raise HeldoutError(
            architecture, "at least one complete trial", f"{ones} ones{reasons and f': {reasons}'}"
        )
    first = complete.iloc[0]
    hyperparameters = dict(trials[first["trial"]])
    return {
        "architecture": architecture,
        "trial": first["trial"],
        "hyperparameters": hyperparameters,
        "val_loss": None if pd.isna(first["val_loss"]) else float(first["val_loss"]),
        "of": len(table),
        "edges": edges(architecture, space, hyperparameters) if len(table) > 1 else [],
    }


def _plain(value: Any) -> Any:
    """Write a list as `64x32`, so that it is one readable field of a table."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "x".join(map(str, value)) or "none"
    return value
