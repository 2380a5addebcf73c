"""What the page calls a metric."""

from __future__ import annotations

METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "kappa": "Cohen's κ",
    "mcc": "Matthews correlation",
    "auroc": "AUROC",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "calibration error",
    "mse": "MSE",
    "mae": "MAE",
    "jk_index": "jκ index",
}


def metric_name(metric: str) -> str:
    """Return a metric's name as people write it: `sensitivity_S` is "sensitivity of S"."""
    if metric in METRIC_NAMES:
        return METRIC_NAMES[metric]
    name, _, label = metric.partition("_")
    return f"{name} of {label}" if label else name
