"""Read tables that a comparison made before they were known does not have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lib.files import read_table

STUDY = ("study", "protocol", "honest", "simulated", "architecture")
COLUMNS = {
    "aami": [
        *(*STUDY, "label", "tp", "fn", "fp", "tn", "sensitivity", "ppv"),
        *("false_positive_rate", "accuracy", "j_kappa"),
    ],
    "folds": [
        *("study", "protocol", "metric", "a", "b", "difference", "low", "high", "p"),
        *("p_holm", "folds", "note"),
    ],
    "ranks": [
        *("scope", "architecture", "mean_rank", "blocks", "chi2", "f", "p"),
        *("critical_difference", "note"),
    ],
    "calibration": [*STUDY, "bin", "bin_low", "bin_high", "confidence", "accuracy", "count"],
    "pareto": [
        *("study", "architecture", "macro_f1", "parameters", "model_kb", "train_seconds"),
        "predict_seconds",
    ],
    "importance": ["study", "architecture", "hyperparameter", "importance", "trials", "note"],
    "agreement": [
        *("study", "protocol", "architecture", "metric", "validation", "test", "gap"),
        *("low", "high", "note"),
    ],
    "letters": ["study", "protocol", "metric", "architecture", "letters"],
}


def read_later(path: Path, *, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table, or give one without rows where none was written."""
    if path.stem in COLUMNS and not path.exists():
        return pd.DataFrame(columns=COLUMNS[path.stem])
    return read_table(path, text=text)
