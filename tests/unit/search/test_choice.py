"""Searches: the table of their trials, and the choice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.search.choice import best_trial, trials_table

SPACE = {"dropout": [0.1, 0.2, 0.3]}


def record(loss, **over):
    validation = {"loss": loss, "accuracy": 0.5, "macro_f1": 0.25}
    metrics = {"train": {"loss": 0.0}, "validation": validation}
    return {"metrics": metrics, "epochs": 3, "best_epoch": 2, "train_seconds": 1.5} | over


def failed(reason):
    return {"state": "failed", "reason": reason}


def trials(*names):
    return {name: {"units": [8, 4], "dense": [], "dropout": 0.1} for name in names}


def chosen(records):
    table = trials_table(records, trials(*records))
    return best_trial(table, "lstm", trials(*records), space={})["trial"], table


def test_the_lowest_validation_loss_is_chosen():
    best, table = chosen({"a": record(0.9), "b": record(0.3), "c": record(0.5)})
    assert best == "b"
    assert table["trial"].tolist() == ["b", "c", "a"]
    assert table["val_loss"].tolist() == [0.3, 0.5, 0.9]
    assert table["state"].tolist() == ["complete"] * 3


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_name_breaks_ties_whatever_the_order(names):
    records = {name: record(0.9 if name == "a" else 0.5) for name in names}
    best, table = chosen(records)
    assert best == "b"
    assert table["trial"].tolist() == ["b", "c", "d", "a"]


def test_failed_trials_come_last_and_are_never_chosen():
    best, table = chosen(
        {"a": failed("the loss became nan"), "b": record(9.0), "c": failed("too short")}
    )
    assert best == "b"
    assert table["trial"].tolist() == ["b", "a", "c"]
    assert table["state"].tolist() == ["complete", "failed", "failed"]
    assert table["reason"].tolist() == ["", "the loss became nan", "too short"]
    assert table["val_loss"].isna().tolist() == [False, True, True]


def test_a_pruned_trial_is_never_chosen():
    best, table = chosen({"a": record(0.1, state="pruned"), "b": record(0.5)})
    assert best == "b"
    assert table["trial"].tolist() == ["b", "a"]


def test_where_every_trial_failed():
    records = {"a": failed("the loss became nan"), "b": failed("too short")}
    message = "lstm: expected at least one complete trial, got 2 failed ones: the loss .*; too"
    with pytest.raises(HeldoutError, match=message):
        chosen(records)


def test_where_the_others_were_pruned():
    records = {"a": failed("too short"), "b": record(0.5, state="pruned")}
    message = r"at least one complete trial, got 1 failed and 1 pruned ones: too short\.?$"
    with pytest.raises(HeldoutError, match=message):
        chosen(records)
    with pytest.raises(HeldoutError, match=r"got 1 pruned ones\.?$"):
        chosen({"b": record(0.5, state="pruned")})


def test_an_only_trial_is_chosen_untrained():
    table = trials_table({}, trials("a"))
    best = best_trial(table, "lstm", trials("a"), space=SPACE)
    assert best == {
        "architecture": "lstm",
        "trial": "a",
        "hyperparameters": trials("a")["a"],
        "val_loss": None,
        "of": 1,
        "edges": [],
    }
    assert table["state"].tolist() == ["only"]


def test_the_best_says_where_it_lies_at_the_edge_of_the_search():
    values = {f"d{share}": {"dropout": share} for share in SPACE["dropout"]}
    losses = {"d0.1": 0.2, "d0.2": 0.3, "d0.3": 0.4}
    table = trials_table({name: record(loss) for name, loss in losses.items()}, values)
    (edge,) = best_trial(table, "lstm", values, space=SPACE)["edges"]
    assert edge == {"hyperparameter": "dropout", "value": 0.1, "low": 0.1, "high": 0.3}
    losses["d0.2"] = 0.1
    table = trials_table({name: record(loss) for name, loss in losses.items()}, values)
    assert best_trial(table, "lstm", values, space=SPACE)["edges"] == []


def test_the_table_has_one_shape():
    _, table = chosen({"a": record(0.3), "b": failed("too short")})
    assert list(table) == [
        *("trial", "units", "dense", "dropout"),
        *("val_loss", "val_accuracy", "val_macro_f1"),
        *("epochs", "best_epoch", "seconds", "state", "reason"),
    ]
    first = table.iloc[0]
    assert (first["units"], first["dense"]) == ("8x4", "none")
    assert (first["val_accuracy"], first["epochs"], first["seconds"]) == (0.5, 3, 1.5)


def test_the_best_holds_the_hyperparameters_as_they_are():
    table = trials_table({"a": record(0.3)}, trials("a"))
    best = best_trial(table, "lstm", trials("a"), space=SPACE)
    assert best["hyperparameters"] == {"units": [8, 4], "dense": [], "dropout": 0.1}
    assert best["val_loss"] == 0.3
    assert not isinstance(best["val_loss"], np.floating)
