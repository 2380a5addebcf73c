"""Bayesian search: Optuna's TPE with Hyperband stopping, by workers that share a journal."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from lib.errors import HeldoutError
from lib.networks.hyperparameters import complete, digest, trial_id
from lib.progress import doing
from lib.search.halving import halving
from lib.search.spaces import REDRAWS, from_optuna, suggest
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
    stopping : {"halving", "hyperband", "none"}
        Which trials are stopped early: by successive halving, which looks at all of them after
        min_epochs, min_epochs · spacing, … epochs and lets about one in `factor` go on; by
        Hyperband, which has several such brackets, each with a later first look, and so trusts
        early epochs less and costs more (Li et al., 2018, Algorithm 1); or none.
    min_epochs : int
        Epochs that every trial gets before it may be stopped.
    spacing : int
        Each look of successive halving comes after so many times the epochs of the one before.
    factor : sequence of int
        About one trial in so many goes on after the first look, the second, …; the last number is
        that of all later ones. Hyperband has one, the first.
    """

    space: Mapping[str, Any]
    trials: int
    seed: int
    stopping: str = "halving"
    min_epochs: int = 1
    spacing: int = 3
    factor: Sequence[int] = (3, 5)

    def pruner(self, epochs: int) -> Any:
        """Make the pruner for trainings of so many epochs."""
        from optuna import pruners

        if self.stopping == "none":
            return pruners.NopPruner()
        if self.stopping == "halving":
            return halving(first=self.min_epochs, spacing=self.spacing, factors=self.factor)
        return pruners.HyperbandPruner(
            min_resource=self.min_epochs,
            max_resource=max(epochs, self.min_epochs + 1),
            reduction_factor=self.factor[0],
        )


def settings_of(data: Data, recipe: Recipe, sweep: Sweep) -> str:
    """Name all that the results of a search depend on, but the number of trials."""
    return digest(
        {
            "space": {name: sweep.space[name] for name in sorted(sweep.space)},
            "stopping": [sweep.stopping, sweep.min_epochs, sweep.spacing, list(sweep.factor)],
            "training": recipe.key(data, sweep.seed),
        }
    )


def open_study(folder: Path, *, settings: str, name: str) -> Any:
    """Open the Optuna study of a search, or begin it.

    Parameters
    ----------
    folder : Path
        The search's folder. The journal in it is named after the settings, so that a search with
        other settings begins anew and one with more trials goes on.
    settings : str
        From `settings_of`.
    name : str
        Of the study, as optuna-dashboard shows it.

    Returns
    -------
    optuna.Study

    Raises
    ------
    HeldoutError
        The journal was written by other settings.
    """
    import optuna
    from optuna.storages import journal

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    file = str(journal_file(folder, settings))
    # A lock by creating a file works on network file systems too.
    lock = journal.JournalFileOpenLock(file)

    class Backend(journal.JournalFileBackend):
        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            try:
                super().append_logs(logs)
            except OSError:
                # The disk is full. What another worker writes later must not follow half a line.
                _drop_torn_line(Path(file), lock)
                raise

    _drop_torn_line(Path(file), lock)
    backend = Backend(file, lock_obj=lock)
    study = optuna.create_study(
        study_name=name,
        storage=optuna.storages.JournalStorage(backend),
        direction="minimize",
        load_if_exists=True,
    )
    written = study.user_attrs.get("settings")
    if written is None:
        study.set_user_attr("settings", settings)
    elif written != settings:
        raise HeldoutError(
            f"{file}: expected the journal of this search, got one that was written with other "
            "settings. Move it away: a new one is begun."
        )
    return study


def _drop_torn_line(file: Path, lock: Any) -> None:
    """Take away the last line of a journal where it is not whole: Optuna would read no further."""
    if not file.exists():
        return
    lock.acquire()
    try:
        with file.open("rb+") as stream:
            text = stream.read()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                logger.warning("%s: dropped its last line, which was cut off", file)
                stream.truncate(whole)
    finally:
        lock.release()


def journal_file(folder: Path, settings: str) -> Path:
    """Give the path of the journal of a search with some settings."""
    return folder / f"journal-{settings[:12]}.log"


def work(
    folder: Path,
    data: Data,
    recipe: Recipe,
    sweep: Sweep,
    *,
    worker: int,
    identity: Mapping[str, Any],
    store: Path,
    train: Train | None = None,
) -> dict[str, str]:
    """Run trials of a search until it has as many as it should.

    Any number of workers may do so at the same time, each with its own number. What a worker left
    unfinished when it was killed is taken up by the next process with its number.

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
    train : callable, optional
        What trains a trial: called as `lib.train.runs.train_trial`, which is the default.

    Returns
    -------
    dict
        `settings` and `name`, as `open_study` takes them.

    Raises
    ------
    HeldoutError
        The journal was written by other settings.
    """
    import optuna

    state = optuna.trial.TrialState
    journal = {
        "settings": settings_of(data, recipe, sweep),
        "name": f"{identity['study']} {recipe.architecture}",
    }
    study = open_study(folder, **journal)
    study.pruner = sweep.pruner(recipe.training.epochs)
    options: dict[str, Any] = {"identity": identity, "store": store, "train": train or train_trial}
    for cut in study.get_trials(states=(state.RUNNING,)):
        if cut.user_attrs.get("worker") == worker:
            # The same trial goes on, under its number: Hyperband's brackets go by numbers.
            trial = optuna.trial.Trial(study, cut._trial_id)
            _run(trial, study, folder, data, recipe, sweep, **options)
    while True:
        # One worker draws at a time: two that saw the same journal would draw the same trial.
        with FileLock(folder / ".draw.lock"):
            number = len(study.get_trials())
            drawn = _draw(study, recipe, sweep, number) if number < sweep.trials else None
            if drawn is None:
                break
            # One line of the journal says what it is and whose: a worker that is killed before or
            # after it leaves no trial that nobody takes up.
            study.add_trial(
                optuna.trial.create_trial(
                    state=state.RUNNING,
                    params=drawn.params,
                    distributions=drawn.distributions,
                    user_attrs={"worker": worker, "trial": drawn.user_attrs["trial"]},
                )
            )
            added = study.get_trials(deepcopy=False)[number]
        trial = optuna.trial.Trial(study, added._trial_id)
        _run(trial, study, folder, data, recipe, sweep, **options)
    if number < sweep.trials:
        logger.info("the space has no trial that was not trained: %d are all", number)
    return journal


def _draw(study: Any, recipe: Recipe, sweep: Sweep, number: int) -> Any:
    """Draw a trial that no earlier one is, with its id as `trial`; None where there seems none.

    What is drawn depends on the seed and on the trials before, and not on how often the search was
    interrupted. In a small space the sampler comes back to what it likes: trained once more it
    would tell nothing new.
    """
    import optuna
    from optuna import samplers

    state = optuna.trial.TrialState
    earlier = [trial for trial in study.get_trials(deepcopy=False) if trial.number < number]
    taken = {trial.user_attrs.get("trial") for trial in earlier}
    # A study in memory is where draws that are not taken leave no trace.
    copy = optuna.create_study(direction="minimize")
    copy.add_trials(earlier)
    for redraw in range(REDRAWS):
        kind = samplers.TPESampler if redraw < MODEL_DRAWS else samplers.RandomSampler
        copy.sampler = kind(seed=(sweep.seed * 100_003 + number) * REDRAWS + redraw)
        trial = copy.ask()
        name, _ = _trial(recipe, suggest(sweep.space, from_optuna(trial)))
        if name not in taken:
            trial.set_user_attr("trial", name)
            return copy.get_trials()[-1]
        copy.tell(trial, state=state.FAIL)
    return None


def _trial(recipe: Recipe, searched: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the id and the complete hyperparameters of a trial."""
    values = complete(recipe.architecture, {**recipe.hyperparameters, **searched})
    return trial_id(recipe.architecture, values), values


def _run(
    trial: Any,
    study: Any,
    folder: Path,
    data: Data,
    recipe: Recipe,
    sweep: Sweep,
    *,
    identity: Mapping[str, Any],
    store: Path,
    train: Train,
) -> None:
    """Train one trial and tell the study how it went."""
    import optuna

    state = optuna.trial.TrialState
    name, values = _trial(recipe, suggest(sweep.space, from_optuna(trial)))
    trial.set_user_attr("hyperparameters", values)
    number = f"trial {trial.number + 1} of {sweep.trials}"
    logger.info("%s: %s", number, name, extra=doing(number))

    def stops(epoch: int, loss: float) -> bool:
        # What was reported before an interruption stands, and is not reported twice.
        if epoch not in study.get_trials(deepcopy=False)[trial.number].intermediate_values:
            trial.report(loss, epoch)
        return bool(trial.should_prune())

    began = time.perf_counter()
    record = train(
        folder / name,
        data,
        replace(recipe, hyperparameters=values),
        identity={**identity, "trial": name},
        seed=sweep.seed,
        store=store,
        stops=stops,
    )
    trial.set_user_attr("record", record)
    trial.set_user_attr("seconds", round(time.perf_counter() - began, 3))
    loss = record.get("metrics", {}).get("validation", {}).get("loss")
    if record["state"] == "failed" or loss is None or not math.isfinite(loss):
        study.tell(trial, state=state.FAIL)
    elif record["state"] == "pruned":
        study.tell(trial, state=state.PRUNED)
    else:
        study.tell(trial, loss)


def sweep_records(study: Any) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Collect what a search found.

    Parameters
    ----------
    study : optuna.Study
        From `open_study`.

    Returns
    -------
    records, trials : dict
        Trial id to its record as in `run.json`, with `seconds`, and to its hyperparameters.
    """
    records: dict[str, dict[str, Any]] = {}
    trials: dict[str, dict[str, Any]] = {}
    for trial in study.get_trials():
        attributes = trial.user_attrs
        if "record" in attributes:
            name = attributes["trial"]
            # A trial sampled again after it was pruned has its longer training.
            if records.get(name, {}).get("state") != "complete":
                records[name] = {**attributes["record"], "seconds": attributes.get("seconds")}
                trials[name] = attributes["hyperparameters"]
    return records, trials
