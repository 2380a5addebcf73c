"""Bayesian search: Optuna's TPE with Hyperband stopping, by workers that share a journal."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from lib.networks.hyperparameters import complete, digest, trial_id
from lib.progress import doing
from lib.provenance import code_hash
from lib.search.folds import train_folds
from lib.search.journal import open_study
from lib.search.spaces import REDRAWS, from_optuna, seed_of_draw, suggest
from lib.train.callbacks import Stops
from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.runs import train_trial

logger = logging.getLogger(__name__)

# Draws from the model of what is good before chance takes over: it may like only what is taken.
MODEL_DRAWS = 8
Train = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Sweep:
    """A Bayesian search.

    Attributes
    ----------
    space : mapping
        As for `lib.search.spaces.check_space`.
    trials : int
        How many in all, over all workers; pruned and failed ones count.
    seed : int
        Of the sampler and of the networks.
    workers : int
        How many processes share the search, numbered from 0.
    stopping : {"halving", "hyperband", "none"}
        Which trials are stopped early: by successive halving, which looks at all of them after
        min_epochs, min_epochs · factor, … epochs and lets about one in `factor` go on; by
        Hyperband, which has several such brackets, each with a later first look, and so trusts
        early epochs less and costs more (Li et al., 2018, Algorithm 1); or none.
    min_epochs : int
        Epochs that every trial gets before it may be stopped.
    factor : int
        About one trial in so many goes on after each look; at least 2.
    """

    space: Mapping[str, Any]
    trials: int
    seed: int
    workers: int = 1
    stopping: str = "halving"
    min_epochs: int = 1
    factor: int = 3

    @classmethod
    def of(cls, search: Mapping[str, Any], *, seed: int) -> Sweep:
        """Take a search from the configuration of its architecture."""
        names = [field.name for field in fields(cls) if field.name != "seed"]
        return cls(seed=seed, **{name: search[name] for name in names})

    def pruner(self, epochs: int) -> Any:
        """Make the pruner for trainings of so many epochs."""
        from optuna import pruners

        options = {"min_resource": self.min_epochs, "reduction_factor": self.factor}
        if self.stopping == "none":
            return pruners.NopPruner()
        if self.stopping == "halving":
            return pruners.SuccessiveHalvingPruner(**options)
        return pruners.HyperbandPruner(max_resource=max(epochs, self.min_epochs + 1), **options)


def settings_of(data: Data, recipe: Recipe, sweep: Sweep, folds: Sequence[Data] = ()) -> str:
    """Name all that the results of a search depend on, but the number of trials."""
    return digest(
        {
            "space": {name: sweep.space[name] for name in sorted(sweep.space)},
            "stopping": [sweep.stopping, sweep.min_epochs, sweep.factor],
            "training": [recipe.key(one, sweep.seed) for one in folds or [data]],
            # Weights do not depend on these: they say how a trial is scored, and which comes next.
            "scored": data.scored,
            "code": code_hash("lib.search.bayes", "lib.metrics.record"),
        },
        32,
    )


def work(
    folder: Path,
    data: Data,
    recipe: Recipe,
    sweep: Sweep,
    *,
    worker: int,
    identity: Mapping[str, Any],
    store: Path,
    folds: Sequence[Data] = (),
    train: Train | None = None,
) -> dict[str, str]:
    """Run trials of a search until it has as many as it should.

    Any number of workers may do so at the same time, each with its own number. The trial that a
    worker was killed in is finished by the next process with its number, or by any other where the
    search has fewer workers by now.

    Parameters
    ----------
    folder : Path
        The search's folder: the journal, and a folder for each trial.
    data : Data
        Train and validation parts.
    recipe : Recipe
        What is fixed of all trials.
    sweep : Sweep
        What is searched.
    worker : int
        Number of this worker.
    identity : mapping
        As for `lib.train.runs.train_runs`, without `trial`.
    store : Path
        Where `lib.train.store` keeps finished trainings.
    folds : sequence of Data
        Of `lib.search.folds.fold_data`: a trial is then scored by the mean over them, and none is
        stopped early.
    train : callable, optional
        What trains a trial: called as `lib.train.runs.train_trial`, which is the default.

    Returns
    -------
    dict
        `settings` and `name`, as `open_study` takes them.
    """
    journal = {
        "settings": settings_of(data, recipe, sweep, folds),
        "name": f"{identity['study']} {recipe.architecture}",
    }
    study = open_study(folder, **journal)
    study.pruner = sweep.pruner(recipe.training.epochs)

    def run(name: str, values: dict[str, Any], stops: Stops) -> dict[str, Any]:
        of: dict[str, Any] = {
            "identity": {**identity, "trial": name},
            "seed": sweep.seed,
            "store": store,
        }
        tried = replace(recipe, hyperparameters=values)
        if folds:
            return train_folds(folder / name, folds, tried, **of)
        return (train or train_trial)(folder / name, data, tried, **of, stops=stops)

    while True:
        # One worker at a time: two that saw the same journal would take the same trial.
        with FileLock(folder / ".draw.lock"):
            trial = _next(study, recipe, sweep, worker)
        if trial is None:
            return journal
        _run(trial, study, recipe, sweep, run)


def _next(study: Any, recipe: Recipe, sweep: Sweep, worker: int) -> Any:
    """Take up a trial that nobody is at work on, or draw one; None where there are enough."""
    import optuna

    state = optuna.trial.TrialState
    trials = study.get_trials(deepcopy=False)
    for cut in trials:
        owner = cut.user_attrs.get("worker")
        if cut.state == state.RUNNING and (owner == worker or owner >= sweep.workers):
            # The same trial goes on, under its number: Hyperband's brackets go by numbers.
            trial = optuna.trial.Trial(study, cut._trial_id)
            if owner != worker:
                trial.set_user_attr("worker", worker)
            return trial
    number = len(trials)
    if number >= sweep.trials:
        return None
    drawn = _draw(trials, recipe, sweep)
    if drawn is None:
        logger.info("the space has no trial that was not trained: %d are all", number)
        return None
    # One line of the journal says what it is and whose: a worker that is killed before or after it
    # leaves no trial that nobody takes up.
    study.add_trial(
        optuna.trial.create_trial(
            state=state.RUNNING,
            params=drawn.params,
            distributions=drawn.distributions,
            user_attrs={"worker": worker, "trial": drawn.user_attrs["trial"]},
        )
    )
    return optuna.trial.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)


def _draw(earlier: list[Any], recipe: Recipe, sweep: Sweep) -> Any:
    """Draw a trial that no earlier one is, with its id as `trial`; None where there seems none.

    What is drawn depends on the seed and on the trials before, and not on how often the search was
    interrupted. In a small space the sampler comes back to what it likes: trained once more it
    would tell nothing new.
    """
    import optuna
    from optuna import samplers

    state = optuna.trial.TrialState
    number = len(earlier)
    taken = {trial.user_attrs.get("trial") for trial in earlier}
    # A study in memory is where draws that are not taken leave no trace.
    copy = optuna.create_study(direction="minimize")
    copy.add_trials(earlier)
    for redraw in range(REDRAWS):
        kind = samplers.TPESampler if redraw < MODEL_DRAWS else samplers.RandomSampler
        copy.sampler = kind(seed=seed_of_draw(sweep.seed, number, redraw))
        trial = copy.ask()
        name, _ = _trial(recipe, suggest(sweep.space, from_optuna(trial)))
        if name not in taken:
            trial.set_user_attr("trial", name)
            return copy.get_trials()[-1]
        copy.tell(trial, state=state.FAIL)
    return None


def _trial(recipe: Recipe, searched: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name a trial and complete its hyperparameters."""
    values = complete(recipe.architecture, {**recipe.hyperparameters, **searched})
    return trial_id(recipe.architecture, values), values


def _run(trial: Any, study: Any, recipe: Recipe, sweep: Sweep, run: Callable[..., Any]) -> None:
    """Train one trial and tell the study how it went."""
    import optuna

    state = optuna.trial.TrialState
    name, values = _trial(recipe, suggest(sweep.space, from_optuna(trial)))
    trial.set_user_attr("hyperparameters", values)
    number = f"trial {trial.number + 1} of {sweep.trials}"
    logger.info("%s: %s", number, name, extra=doing(number))

    def stops(epoch: int, loss: float) -> bool:
        known = study.get_trials(deepcopy=False)[trial.number]
        if epoch not in known.intermediate_values:
            trial.report(loss, epoch)
        # What was told before an interruption stands, and is not told twice.
        elif epoch < known.last_step:
            return False
        elif loss in known.system_attrs.values():
            return _stopped(study, known)
        return bool(trial.should_prune())

    record = run(name, values, stops)
    trial.set_user_attr("record", record)
    loss = record.get("metrics", {}).get("validation", {}).get("loss")
    if record["state"] == "failed" or loss is None or not math.isfinite(loss):
        study.tell(trial, state=state.FAIL)
    elif record["state"] == "pruned":
        study.tell(trial, state=state.PRUNED)
    else:
        study.tell(trial, loss)


def _stopped(study: Any, trial: Any) -> bool:
    """Look at a trial again whose worker was killed after Optuna had looked at its last epoch.

    Optuna notes in the journal that it looked, and not what it saw. Here it looks again, with that
    note taken away, in a study in memory.
    """
    import optuna

    trials = study.get_trials()
    del trials[trial.number].system_attrs[list(trial.system_attrs)[-1]]
    copy = optuna.create_study(
        study_name=study.study_name, direction="minimize", pruner=study.pruner
    )
    copy.add_trials(trials)
    again = copy.get_trials(deepcopy=False)[trial.number]
    return bool(optuna.trial.Trial(copy, again._trial_id).should_prune())


def sweep_records(study: Any) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Collect the results of a search.

    Parameters
    ----------
    study : optuna.Study
        From `open_study`.

    Returns
    -------
    records, trials : dict
        Trial id to its record as in `run.json`, and to its hyperparameters.
    """
    records: dict[str, dict[str, Any]] = {}
    trials: dict[str, dict[str, Any]] = {}
    for trial in study.get_trials():
        attributes = trial.user_attrs
        if "record" in attributes:
            records[attributes["trial"]] = attributes["record"]
            trials[attributes["trial"]] = attributes["hyperparameters"]
    return records, trials
