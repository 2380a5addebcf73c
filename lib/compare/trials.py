"""The tables of the search: its trials, and which hyperparameters mattered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.compare.board import Pools
from lib.compare.runs import MADE_ANEW
from lib.errors import HeldoutError
from lib.files import read_table

# Columns of trials.csv that are no hyperparameters.
RESULTS = (
    *("study", "architecture", "trial", "chosen", "val_loss", "val_accuracy", "val_macro_f1"),
    *("epochs", "best_epoch", "state", "reason"),
)

# A variance is not shared out among hyperparameters by fewer trials.
FEWEST_TRIALS = 4

# With fewer, an importance describes these trials and says little about others.
FEW_TRIALS = 20

# So many different values are choices; more are a range.
MOST_CHOICES = 8


def trial_rows(
    study: Mapping[str, Any], pools: Pools, *, results: str | Path
) -> list[dict[str, Any]]:
    """Make a row a trial of the search, its hyperparameters as the search wrote them."""
    rows: list[dict[str, Any]] = []
    for architecture in study["architectures"]:
        path = Path(results) / str(study["study"]) / "search" / architecture / "trials.csv"
        if not path.exists():
            continue
        # As text: a 3 that another architecture leaves empty must not become 3.0.
        header = read_table(path).columns
        table = read_table(path, text=tuple(str(name) for name in header))
        if "trial" not in table.columns:
            raise HeldoutError(path, "a column trial", ", ".join(table.columns), MADE_ANEW)
        timed = [name for name in table.columns if name.endswith("seconds")]
        table = table.drop(columns=timed)
        chosen = pools[study["primary"], architecture].trial
        for row in table.to_dict("records"):
            start = {"study": study["study"], "architecture": architecture}
            cells = {str(name): value for name, value in row.items()}
            rows.append({**start, **cells, "chosen": row["trial"] == chosen})
    return rows


def importance_rows(study: Mapping[str, Any], trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make a row for each hyperparameter that the search of a network varied.

    Parameters
    ----------
    study : dict
        As `lib.compare.compare` takes it.
    trials : list of dict
        Its rows of `trial_rows`.
    """
    rows = []
    for architecture in study["architectures"]:
        some = [row for row in trials if row["architecture"] == architecture]
        done = [row for row in some if row.get("state") == "complete" and row.get("val_loss")]
        names = [str(name) for row in some[:1] for name in row if name not in RESULTS]
        searched = [name for name in names if len({row[name] for row in done}) > 1]
        start = {"study": study["study"], "architecture": architecture, "trials": len(done)}
        note, shares = "", {}
        if not searched:
            note = "nothing was searched" if len(some) < 2 else "no two trials were completed"
        elif len(done) < FEWEST_TRIALS:
            note = f"{len(done)} trials: too few to tell"
        else:
            shares = importances(
                pd.DataFrame([{name: row[name] for name in searched} for row in done]),
                np.array([float(row["val_loss"]) for row in done]),
            )
            if not shares:
                note = "all trials have the same loss: no variance to explain"
            elif len(done) < FEW_TRIALS:
                note = f"{len(done)} trials: too few to say much about others"
        for name in searched or [""]:
            row = {**start, "hyperparameter": name, "importance": shares.get(name, np.nan)}
            rows.append({**row, "note": note})
    return rows


def importances(values: pd.DataFrame, loss: np.ndarray) -> dict[str, float]:
    """Share out the variance of a search's losses among its hyperparameters.

    By fANOVA (Hutter, Hoos and Leyton-Brown 2014, ICML), as Optuna has it.

    Parameters
    ----------
    values : DataFrame
        A row a trial, a column a hyperparameter, as text.
    loss : ndarray, shape (trial,)
        Their validation losses.

    Returns
    -------
    dict of str to float
        Shares that add up to 1; empty where all losses are equal.
    """
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    if np.ptp(loss) == 0:
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    columns = {str(name): _distribution(values[name]) for name in values}
    for number, value in enumerate(loss):
        study.add_trial(
            optuna.trial.create_trial(
                params={name: of[number] for name, (_, of) in columns.items()},
                distributions={name: kind for name, (kind, _) in columns.items()},
                value=float(value),
            )
        )
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return {name: float(share) for name, share in shares.items()}


def _distribution(column: pd.Series) -> tuple[Any, list[Any]]:
    """Guess what a hyperparameter was drawn from, as far as its values tell, and the values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.isna().any() or column.nunique() <= MOST_CHOICES:
        # Choices are equally likely, however unevenly they lie.
        return CategoricalDistribution(sorted(column.unique())), column.tolist()
    low, high = float(numbers.min()), float(numbers.max())
    # A range over more than a power of ten was searched by its logarithm.
    log = low > 0 and high / low > 10
    return FloatDistribution(low, high, log=log), numbers.astype(float).tolist()
