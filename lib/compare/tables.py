"""The columns of every table; docs/tables.md says what each of them is."""

from __future__ import annotations

RUN = (
    *("study", "dataset", "simulated", "protocol", "honest", "architecture", "kind", "trial"),
    *("seed", "fold", "ending", "epochs", "best_epoch", "parameters", "model_kb"),
)
RUN_METRICS = ("loss", "accuracy", "mse", "mae", "macro_f1", "examples")

MODEL = ("study", "protocol", "honest", "simulated", "architecture")

# The columns are fixed so that a table without rows still says what it would hold.
TABLES: dict[str, list[str]] = {
    "answers": [
        *("study", "simulated", "protocol", "architecture", "validation_macro_f1", "macro_f1"),
        *("low", "high", "interval_note", "random_macro_f1", "baseline", "baseline_macro_f1"),
        *("difference", "difference_low", "difference_high", "p_holm", "detectable"),
        *("groups_needed", "beats_baselines", "rival", "rival_macro_f1", "rival_difference"),
        *("rival_low", "rival_high", "rival_p_holm", "rival_detectable", "rival_groups_needed"),
        *("networks_that_beat", "linear_macro_f1", "below_linear", "ending", "unfinished"),
        *("metadata_macro_f1", "metadata_suffices", "metadata_column", "metadata_column_macro_f1"),
        *("groups", "examples", "note"),
    ],
    "leaderboard": [
        *(*MODEL, "kind", "unit", "metric", "estimate", "low", "high", "interval_note"),
        *("ensemble", "ensemble_low", "ensemble_high"),
        *("groups", "examples", "seeds", "folds", "ending"),
    ],
    "per_class": [
        *(*MODEL, "kind", "unit", "label", "scored"),
        *("sensitivity", "sensitivity_low", "sensitivity_high", "ppv", "ppv_low", "ppv_high"),
        *("f1", "f1_low", "f1_high", "support", "largest_group", "largest_share"),
        *("interval_note", "note"),
    ],
    "confusion": [*MODEL, "kind", "label", "predicted", "count", "share"],
    "aami": [
        *(*MODEL, "label", "tp", "fn", "fp", "tn", "sensitivity", "sensitivity_low"),
        *("sensitivity_high", "ppv", "ppv_low", "ppv_high", "false_positive_rate"),
        *("false_positive_rate_low", "false_positive_rate_high", "accuracy", "accuracy_low"),
        *("accuracy_high", "j_kappa", "j_kappa_low", "j_kappa_high", "interval_note"),
    ],
    "group_means": [
        *(*MODEL, "kind", "metric", "estimate", "low", "high", "mean", "mean_low", "mean_high"),
        *("interval_note", "groups", "lowest", "lowest_group", "influential", "without", "note"),
    ],
    "groups": [
        *(*MODEL, "group", "examples", "macro_f1", "accuracy", "macro_f1_without"),
        *("accuracy_without", "note"),
    ],
    "subgroups": [
        *(*MODEL, "column", "value", "metric", "estimate", "low", "high", "interval_note"),
        *("groups", "examples"),
    ],
    "sites": [
        *(*MODEL, "trained", "site", "home", "metric", "estimate", "low", "high", "interval_note"),
        *("groups", "examples", "reference", "reference_low", "reference_high"),
        *("reference_note", "difference", "difference_low", "difference_high", "note"),
    ],
    "calibration": [
        *(*MODEL, "bin", "bin_low", "bin_high", "confidence", "accuracy", "accuracy_low"),
        *("accuracy_high", "interval_note", "count"),
    ],
    "inflation": [
        *("study", "simulated", "architecture", "kind", "metric", "protocol", "honest"),
        *("honest_low", "honest_high", "random", "random_low", "random_high"),
        *("difference", "low", "high", "note"),
    ],
    "differences": [
        *("study", "protocol", "honest", "simulated", "metric", "a", "b", "difference"),
        *("low", "high", "p", "p_holm", "standard_error", "detectable", "groups_needed"),
        *("power_note", "groups", "note", "unfinished"),
    ],
    "letters": ["study", "protocol", "metric", "architecture", "letters", "note"],
    "folds": [
        *("study", "protocol", "metric", "a", "b", "difference", "low", "high", "p", "p_holm"),
        *("folds", "note", "unfinished"),
    ],
    "ranks": [
        *("scope", "architecture", "mean_rank", "blocks", "chi2", "f", "p"),
        *("critical_difference", "note"),
    ],
    "agreement": [
        *("study", "protocol", "architecture", "metric", "validation", "test", "gap"),
        *("low", "high", "note"),
    ],
    "validation": [
        *("study", "protocol", "honest", "simulated", "runs", "rank_correlation", "low", "high"),
        *("interval_note", "architecture", "seed", "validation", "test", "gap", "gap_low"),
        *("gap_high", "gap_note", "validation_groups", "test_groups", "note"),
    ],
    "selection": [
        *("study", "simulated", "protocol", "honest", "chosen", "choices", "honest_estimate"),
        *("honest_low", "honest_high", "architecture", "seed", "reported", "difference", "low"),
        *("high", "corrected", "corrected_low", "corrected_high", "note"),
    ],
    "shortcuts": [
        *("study", "simulated", "column", "values", "groups", "examples", "score", "low", "high"),
        *("interval_note", "chance", "association", "note"),
    ],
    "permutations": [
        *("study", "simulated", "protocol", "architecture", "kind", "seed", "metric", "score"),
        *("permutations", "permuted", "permuted_low", "permuted_high", "p", "p_holm", "note"),
    ],
    "claims": [
        *("study", "simulated", "source", "architecture", "split", "protocol", "group_disjoint"),
        *("metric", "model", "value", "test_size", "valid", "our_architecture"),
        *("same_split", "same_low", "same_high", "honest_protocol", "honest", "honest_low"),
        *("honest_high", "note", "our_note"),
    ],
    # What else a search varied follows.
    "trials": ["study", "architecture", "trial", "chosen"],
    "importance": ["study", "architecture", "hyperparameter", "importance", "trials", "note"],
    "runs": [
        *RUN,
        *(f"{part}_{name}" for part in ("train", "validation", "test") for name in RUN_METRICS),
    ],
    "costs": [
        *("study", "protocol", "architecture", "kind", "trial", "seed", "fold", "epochs"),
        *("parameters", "model_kb", "train_seconds", "predict_seconds", "backend", "device"),
        *("devices", "precision", "precision_macro_f1"),
    ],
    "pareto": [
        *("study", "architecture", "macro_f1", "parameters", "model_kb", "train_seconds"),
        *("predict_seconds", "front_parameters", "front_model_kb", "front_train_seconds"),
        "front_predict_seconds",
    ],
}

# They hold what a clock measured. All others are the same bytes for the same config and seed.
TIMED = ("costs", "pareto")
