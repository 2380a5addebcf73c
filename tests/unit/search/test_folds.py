"""Choosing by folds inside the train part: who is in which, and what a trial scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lib.search.folds
from lib.errors import HeldoutError
from lib.files import read_json
from lib.search.bayes import Sweep, settings_of, sweep_records, work
from lib.search.choice import best_trial, trials_table
from lib.search.folds import check_choice, fold_data, train_folds
from lib.search.journal import open_study
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.training import Training

GROUPS = pd.Series([f"p{k // 4}" for k in range(80)])
IDENTITY = {"study": "s", "dataset": "d", "simulated": True, "protocol": "grouped", "fold": 0}
# The backend of all other tests: a process has one.
RECIPE = Recipe("gru", {"units": [2], "dense": []}, Training(epochs=1), backend="tensorflow")


def search_data(*, groups: int = 12) -> Data:
    """Return what a search may see: the test part, the last four groups, is not in it."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    rows = {"train": np.arange(4 * groups), "validation": np.arange(48, 64)}
    x = rng.normal(size=(80, 5, 1)).astype(np.float32)
    return Data(x, labels, rows, ["a", "b"], ["a", "b"], "digest")


@pytest.mark.parametrize("folds", [2, 3, 5, 12])
def test_each_group_of_the_train_part_is_validated_on_once(folds: int) -> None:
    data = search_data()
    dealt = fold_data(data, GROUPS, folds=folds, seed=0)
    assert len(dealt) == folds
    seen = np.concatenate([one.rows["validation"] for one in dealt])
    np.testing.assert_array_equal(np.sort(seen), data.rows["train"])
    for one in dealt:
        train, validation = (set(GROUPS[one.rows[part]]) for part in ("train", "validation"))
        assert not train & validation
        assert set(one.rows) == {"train", "validation"}
        both = np.sort(np.concatenate([*one.rows.values()]))
        np.testing.assert_array_equal(both, data.rows["train"])


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(HeldoutError, match=r"choose: folds, 3 of them.*Use fewer folds"):
        fold_data(search_data(groups=2), GROUPS, folds=3, seed=0)


class Trainings:
    """Scores a fold by its number, and fails where it should."""

    def __init__(self, fails: int | None = None) -> None:
        self.seen: list[str] = []
        self.fails = fails

    def __call__(self, folder: Path, data: Data, recipe: Recipe, **_: Any) -> dict[str, Any]:
        self.seen.append(folder.name)
        number = len(self.seen)
        if number == self.fails:
            return {"state": "failed", "reason": "the loss became nan"}
        loss = number + 1000 * recipe.hyperparameters.get("learning_rate", 0)
        scores = {"loss": loss, "accuracy": 0.5, "mse": 0.1, "mae": 0.1, "examples": 16}
        scores["macro_f1"] = None if number == 2 else 0.1 * number
        record = {"state": "complete", "metrics": {"validation": scores}, "epochs": 3}
        return record | {"best_epoch": number, "train_seconds": 1.5}


def test_a_trial_scores_the_mean_over_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lib.search.folds, "train_trial", trained := Trainings())
    folds = fold_data(search_data(), GROUPS, folds=3, seed=0)
    record = train_folds(tmp_path, folds, RECIPE, identity=IDENTITY, seed=0, store=tmp_path)
    assert trained.seen == ["fold-0", "fold-1", "fold-2"]
    assert record["metrics"]["validation"]["loss"] == pytest.approx(2)
    # The second fold has one class.
    assert record["metrics"]["validation"]["macro_f1"] == pytest.approx(0.2)
    assert (record["epochs"], record["best_epoch"], record["train_seconds"]) == (9, 2, 4.5)
    assert read_json(tmp_path / "run.json") == record
    table = trials_table({"one": record}, {"one": {"units": [2]}})
    assert table.loc[0, "val_loss"] == pytest.approx(2)


def test_a_fold_that_cannot_be_trained_fails_the_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lib.search.folds, "train_trial", Trainings(fails=2))
    folds = fold_data(search_data(), GROUPS, folds=3, seed=0)
    record = train_folds(tmp_path, folds, RECIPE, identity=IDENTITY, seed=0, store=tmp_path)
    assert record["state"] == read_json(tmp_path / "run.json")["state"] == "failed"
    assert record["reason"] == "fold 2: the loss became nan"


def test_a_bayesian_search_chooses_by_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(folder: Path, data: Data, recipe: Recipe, **options: Any) -> dict[str, Any]:
        number = int(folder.name.removeprefix("fold-"))
        return Trainings()(folder, data, recipe, **options) | {"best_epoch": number}

    monkeypatch.setattr(lib.search.folds, "train_trial", train)
    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
    sweep, data = Sweep(space, 4, seed=0, stopping="none"), search_data()
    folds = fold_data(data, GROUPS, folds=2, seed=0)
    journal = work(
        tmp_path, data, RECIPE, sweep, worker=0, identity=IDENTITY, store=tmp_path, folds=folds
    )
    records, trials = sweep_records(open_study(tmp_path, **journal))
    best = best_trial(trials_table(records, trials), "gru", trials, space=space)
    rates = {name: values["learning_rate"] for name, values in trials.items()}
    assert best["trial"] == min(rates, key=lambda name: rates[name])
    assert all(len(record["folds"]) == 2 for record in records.values())
    # Other folds are another search.
    others = fold_data(data, GROUPS, folds=2, seed=1)
    assert settings_of(data, RECIPE, sweep, others) != journal["settings"]
    assert settings_of(data, RECIPE, sweep) != journal["settings"]


def test_trials_that_are_stopped_early_cannot_be_chosen_by_folds() -> None:
    search = {"choose": "folds", "method": "bayes", "stopping": "hyperband"}
    with pytest.raises(HeldoutError, match=r"got stopping: hyperband\. Add `stopping: none`"):
        check_choice("gru", search)
    for fine in ({"stopping": "none"}, {"method": "grid"}, {"choose": "validation"}):
        check_choice("gru", search | fine)


def test_a_fold_whose_class_was_not_trained_on_has_a_score(tmp_path: Path) -> None:
    data = search_data(groups=4)
    labels = np.where(np.arange(80) < 4, 1, 0)  # of class b the train part has one group
    data = Data(data.x, labels, data.rows, data.classes, data.scored, "digest")
    folds = fold_data(data, GROUPS, folds=2, seed=0)
    record = train_folds(
        tmp_path / "trial", folds, RECIPE,
        identity=IDENTITY | {"trial": "t", "honest": True}, seed=0, store=tmp_path / "fits",
    )  # fmt: skip
    assert record["state"] == "complete"
    assert np.isfinite(record["metrics"]["validation"]["loss"])
    assert record["metrics"]["validation"]["examples"] == 16
