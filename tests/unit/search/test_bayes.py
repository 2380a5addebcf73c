"""The Bayesian search, with training replaced by a formula: what is tested is the search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lib.search.bayes
from lib.errors import HeldoutError
from lib.files import write_json
from lib.search.bayes import Sweep, settings_of, sweep_records, work
from lib.search.choice import best_trial, trials_table
from lib.search.journal import journal_of, open_study
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.training import Training

SPACE: dict[str, Any] = {
    "units": [[8], [16]],
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
}
EPOCHS = 27
IDENTITY = {"study": "s", "dataset": "d", "simulated": True, "protocol": "grouped", "fold": 0}
ROWS = {"train": np.arange(4), "validation": np.arange(4, 6)}
DATA = Data(np.zeros((6, 3, 1), np.float32), np.array([0, 1] * 3), ROWS, ["a", "b"], ["a", "b"])
RECIPE = Recipe("lstm", {}, Training(epochs=EPOCHS))


class Killed(BaseException):
    """Stands for the end of a process."""


class Trainings:
    """Counts epochs, and dies after some number of them."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.epochs = 0
        self.done: dict[str, int] = {}
        self.dies_after = dies_after

    def __call__(self, folder: Path, data: Data, recipe: Recipe, **options: Any) -> dict[str, Any]:
        rate = recipe.hyperparameters["learning_rate"]
        name = options["identity"]["trial"]
        state, loss = "complete", 0.0
        for epoch in range(1, EPOCHS + 1):
            loss = abs(np.log10(rate) + 2) + 1 / epoch
            if epoch > self.done.get(name, 0):
                self.epochs += 1
                if self.dies_after is not None and self.epochs > self.dies_after:
                    raise Killed
                self.done[name] = epoch
            if options["stops"](epoch, loss) and epoch < EPOCHS:
                state = "pruned"
                break
        if rate > 0.09:
            return {"state": "failed", "reason": "the loss became nan"}
        metrics = {"validation": {"loss": loss, "accuracy": 0.5, "macro_f1": 0.5}}
        return {"state": state, "metrics": metrics, "epochs": epoch, "best_epoch": epoch}


def run(
    folder: Path, trials: int, *, worker: int = 0, workers: int = 1, sweep: Sweep | None = None
) -> Any:
    sweep = sweep or Sweep(SPACE, trials, seed=1, workers=workers)
    journal = work(
        folder, DATA, RECIPE, sweep, worker=worker, identity=IDENTITY, store=folder / "fits"
    )
    return open_study(folder, **journal)


def outcome(study: Any) -> list[tuple[Any, ...]]:
    return [(t.number, t.state.name, t.params, t.value) for t in study.get_trials()]


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    counted = Trainings()
    monkeypatch.setattr(lib.search.bayes, "train_trial", counted)
    return counted


def test_one_worker_is_deterministic(tmp_path: Path, trainings: Trainings) -> None:
    first, second = run(tmp_path / "a", 12), run(tmp_path / "b", 12)
    assert outcome(first) == outcome(second)
    assert len(outcome(first)) == 12


def test_a_seed_may_be_large(tmp_path: Path, trainings: Trainings) -> None:
    assert len(outcome(run(tmp_path, 3, sweep=Sweep(SPACE, 3, seed=2**40)))) == 3


def test_halving_saves_epochs_and_finds_the_best(tmp_path: Path, trainings: Trainings) -> None:
    study = run(tmp_path, 30)
    # More than a quarter: here each trial is better than the ones before, and so goes on.
    assert trainings.epochs < 30 * EPOCHS / 3
    table = trials_table(*sweep_records(study))
    assert {"complete", "pruned"} <= set(table["state"])
    best = best_trial(table, "lstm", sweep_records(study)[1], space={})
    assert best["val_loss"] == table.loc[table["state"] == "complete", "val_loss"].min()
    assert abs(np.log10(best["hyperparameters"]["learning_rate"]) + 2) < 0.5


@pytest.mark.parametrize("dies_after", [1, 4, 12, 25])
def test_a_killed_worker_goes_on_as_if_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    undisturbed = Trainings()
    monkeypatch.setattr(lib.search.bayes, "train_trial", undisturbed)
    expected = outcome(run(tmp_path / "a", 10))
    killed = Trainings(dies_after)
    monkeypatch.setattr(lib.search.bayes, "train_trial", killed)
    with pytest.raises(Killed):
        run(tmp_path / "b", 10)
    killed.dies_after, killed.epochs = None, 0
    assert outcome(run(tmp_path / "b", 10)) == expected
    # What was trained before is not trained again.
    assert killed.epochs + dies_after == undisturbed.epochs


def test_more_trials_go_on_where_it_stopped(tmp_path: Path, trainings: Trainings) -> None:
    before = outcome(run(tmp_path, 6))
    after = outcome(run(tmp_path, 9))
    assert after[:6] == before
    assert len(after) == 9


def test_two_workers_share_a_journal(tmp_path: Path, trainings: Trainings) -> None:
    run(tmp_path, 5, worker=0, workers=2)
    study = run(tmp_path, 9, worker=1, workers=2)
    assert [t.user_attrs["worker"] for t in study.get_trials()] == [0] * 5 + [1] * 4


def test_a_running_trial_of_another_worker_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lib.search.bayes, "train_trial", Trainings(2))
    with pytest.raises(Killed):
        run(tmp_path, 4, worker=0, workers=2)
    monkeypatch.setattr(lib.search.bayes, "train_trial", Trainings())
    study = run(tmp_path, 4, worker=1, workers=2)
    assert [t.state.name == "RUNNING" for t in study.get_trials()] == [True, False, False, False]


def test_a_trial_of_a_worker_that_is_gone_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight workers one is left: what the last one was at work on counts, and is finished."""
    killed = Trainings(2)
    monkeypatch.setattr(lib.search.bayes, "train_trial", killed)
    with pytest.raises(Killed):
        run(tmp_path, 4, worker=7, workers=8)
    killed.dies_after = None
    study = run(tmp_path, 4, worker=0)
    assert "RUNNING" not in [t.state.name for t in study.get_trials()]
    assert [t.user_attrs["worker"] for t in study.get_trials()] == [0] * 4
    assert len(sweep_records(study)[0]) == 4
    # As if one worker had done it all.
    monkeypatch.setattr(lib.search.bayes, "train_trial", Trainings())
    assert outcome(study) == outcome(run(tmp_path / "alone", 4))


@pytest.mark.parametrize("choices", [1, 3])
def test_a_small_space_gives_each_trial_once(
    tmp_path: Path, trainings: Trainings, choices: int
) -> None:
    space = {"units": [[8], [16], [32]][:choices]}
    study = run(tmp_path, 5, sweep=Sweep(space, 5, seed=0, stopping="none"))
    assert len(study.get_trials()) == len(sweep_records(study)[0]) == choices


def test_results_of_a_search_depend_on_what_is_scored_and_on_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = Sweep(SPACE, 3, seed=1)
    one = settings_of(DATA, RECIPE, sweep)
    assert settings_of(DATA, RECIPE, replace(sweep, trials=9, workers=2)) == one
    assert settings_of(replace(DATA, scored=["a"]), RECIPE, sweep) != one
    monkeypatch.setattr(lib.search.bayes, "code_hash", lambda *modules: "of another version")
    assert settings_of(DATA, RECIPE, sweep) != one


def test_other_settings_begin_another_journal(tmp_path: Path, trainings: Trainings) -> None:
    run(tmp_path, 3)
    run(tmp_path, 3, sweep=Sweep({"units": [[8], [32]]}, 3, seed=1))
    assert len(list(tmp_path.glob("journal-*.log"))) == 2


def test_workers_that_split_into_two_journals_are_refused(
    tmp_path: Path, trainings: Trainings
) -> None:
    sweep = Sweep(SPACE, 2, seed=1)
    files = [tmp_path / f"worker-{number}.json" for number in range(3)]
    for file, recipe in zip(files, (RECIPE, RECIPE, replace(RECIPE, threads=2)), strict=True):
        given = {"identity": IDENTITY, "store": tmp_path / "fits"}
        write_json(file, work(tmp_path, DATA, recipe, sweep, worker=0, **given))
    assert len(open_study(tmp_path, **journal_of(files[:2])).get_trials()) == 2
    with pytest.raises(HeldoutError, match=r"worker-0 and worker-1 at journal-.*; worker-2 at"):
        journal_of(files)


def test_failed_trials_are_marked(tmp_path: Path, trainings: Trainings) -> None:
    sweep = Sweep({"learning_rate": [0.095, 0.01]}, 6, seed=0)
    table = trials_table(*sweep_records(run(tmp_path, 6, sweep=sweep)))
    assert list(table["state"]) == ["complete", "failed"]
    assert "nan" in table["reason"].iloc[1]


def test_the_journal_opens_as_the_dashboard_opens_it(tmp_path: Path, trainings: Trainings) -> None:
    """optuna-dashboard lists the studies of the storage that a file name stands for."""
    from optuna.storages import JournalStorage, journal

    run(tmp_path, 6)
    (file,) = tmp_path.glob("journal-*.log")
    storage = JournalStorage(journal.JournalFileBackend(str(file)))
    (study,) = storage.get_all_studies()
    assert study.study_name == "s lstm"
    trials = storage.get_all_trials(study._study_id)
    assert len(trials) == 6
    assert all(trial.state.is_finished() for trial in trials)
    assert {"units", "learning_rate"} == set(trials[0].params)
    assert any(trial.intermediate_values for trial in trials)


@pytest.mark.parametrize(
    ("stopping", "kind"),
    [
        ("halving", "SuccessiveHalvingPruner"),
        ("hyperband", "HyperbandPruner"),
        ("none", "NopPruner"),
    ],
)
def test_which_pruner_is_used(stopping: str, kind: str) -> None:
    assert type(Sweep(SPACE, 3, seed=0, stopping=stopping).pruner(10)).__name__ == kind


def test_without_stopping_every_trial_is_complete(tmp_path: Path, trainings: Trainings) -> None:
    table = trials_table(
        *sweep_records(run(tmp_path, 5, sweep=Sweep(SPACE, 5, 1, stopping="none")))
    )
    assert set(table["state"]) <= {"complete", "failed"}
    assert trainings.epochs == EPOCHS * len(table)
