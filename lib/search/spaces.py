"""Search spaces: choices, ranges and conditions, as the config writes them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from lib.errors import HeldoutError, suggestion
from lib.networks.hyperparameters import complete, trial_id
from lib.networks.registry import lookup

_KEYS = ("choices", "low", "high", "log", "step", "when")

# No scheduler holds more jobs than this, and no person means more trials.
MOST_TRIALS = 100_000

# Draws of a random search that give a trial already drawn are repeated, so often at most: in a
# small space there may be no other trial.
REDRAWS = 100


class Draw(Protocol):
    """What chooses values: an Optuna trial (`from_optuna`)."""

    def choice(self, name: str, choices: list[Any]) -> Any:
        """Choose one of some values."""

    def number(self, name: str, low: float, high: float, *, log: bool, step: float | None) -> float:
        """Choose a number of a range."""


def check_space(
    architecture: str, fixed: Mapping[str, Any], space: Mapping[str, Any], *, method: str
) -> None:
    """Check a search space against the hyperparameters of its architecture.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    fixed : mapping
        Hyperparameters that every trial has.
    space : mapping
        Hyperparameter to a list of choices, or to a mapping with `choices`, or with `low` and
        `high` and perhaps `log` and `step`; a mapping may have `when`, a mapping from another
        searched hyperparameter to the values with which this one is searched.
    method : {"grid", "random", "bayes"}
        A grid takes choices only.

    Raises
    ------
    HeldoutError
        An unknown hyperparameter, an empty choice, an impossible range or condition, a value that
        the hyperparameter cannot have, or a trial with a warm-up and a constant schedule.
    """
    known = lookup(architecture).defaults
    pairs = lookup(architecture).pairs
    for name, given in space.items():
        where = f"{architecture}: search space of {name}"
        if name not in known:
            raise HeldoutError(f"{where}: unknown", advice=suggestion(name, list(known)))
        rule = rule_of(given)
        strange = set(rule) - set(_KEYS)
        if strange or ("choices" in rule) == ("low" in rule and "high" in rule):
            raise HeldoutError(
                where,
                "a list of choices, or choices, or low and high (with log, step) and perhaps when",
                repr(given),
                "".join(suggestion(str(key), list(_KEYS)) for key in sorted(strange)[:1]),
            )
        if "choices" in rule:
            if not isinstance(rule["choices"], list) or not rule["choices"]:
                raise HeldoutError(where, "one or more choices", repr(given))
            values = rule["choices"]
        else:
            values = _range(where, rule, method)
        for value in values:
            complete(architecture, _alone(fixed, name, value, pairs))
        if not isinstance(rule.get("when", {}), Mapping):
            raise HeldoutError(
                f"{where}: when",
                "a mapping from another hyperparameter to a list of its values",
                repr(rule["when"]),
            )
        for other, allowed in rule.get("when", {}).items():
            if other == name or other not in space or "when" in rule_of(space[other]):
                raise HeldoutError(
                    f"{where}: when",
                    "another searched hyperparameter that has no condition of its own",
                    repr(other),
                )
            if not isinstance(allowed, list) or not allowed:
                raise HeldoutError(f"{where}: when {other}", "a list", repr(allowed))
    _check_pairs(architecture, fixed, space)
    _check_warmup(architecture, fixed, space)


def _alone(
    fixed: Mapping[str, Any], name: str, value: Any, pairs: tuple[str, ...]
) -> dict[str, Any]:
    """Join one searched value with the fixed ones, such that it can be checked by itself."""
    if name in pairs and isinstance(value, list):
        return {other: [1] * len(value) for other in pairs} | {name: value}
    return {key: given for key, given in fixed.items() if key not in pairs} | {name: value}


def _check_pairs(architecture: str, fixed: Mapping[str, Any], space: Mapping[str, Any]) -> None:
    """Raise where a combination of the space has more kernels than filters, or fewer."""
    known, pairs = lookup(architecture).defaults, lookup(architecture).pairs
    options = [
        rule_of(space[name])["choices"] if name in space else [fixed.get(name, known[name])]
        for name in pairs
    ]
    for values in itertools.product(*options):
        if len({len(value) for value in values}) > 1:
            first, *others = pairs
            held = " with ".join(
                f"{name} {value}" for name, value in zip(pairs, values, strict=True)
            )
            raise HeldoutError(
                architecture,
                f"as many {' and '.join(others)} as {first} in every combination of the search",
                held,
            )


def _check_warmup(architecture: str, fixed: Mapping[str, Any], space: Mapping[str, Any]) -> None:
    """Raise where a trial that may be drawn has a warm-up that its schedule would ignore."""
    rules = {name: rule_of(given) for name, given in space.items()}
    searched = [name for name in ("schedule", "warmup") if name in rules]
    names = {*searched, *(other for name in searched for other in rules[name].get("when", {}))}
    for held in _cells({name: rules[name] for name in sorted(names)}):
        trial = {**lookup(architecture).defaults, **fixed, **held}
        if trial["warmup"] and trial["schedule"] == "constant":
            raise HeldoutError(
                f"{architecture}: warmup",
                "0 with schedule: constant, which would ignore it",
                f"{trial['warmup']}",
                "Set schedule: cosine, or remove warmup. A search over both has it in its space "
                "alone, as `warmup: {choices: [0.1], when: {schedule: [cosine]}}`.",
            )


def _cells(rules: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Combine the choices, or the ends of ranges, without those whose condition does not hold."""
    for cell in itertools.product(*map(_ends, rules.values())):
        values = dict(zip(rules, cell, strict=True))
        yield {name: value for name, value in values.items() if holds(rules[name], values)}


def _ends(rule: Mapping[str, Any]) -> list[Any]:
    """List the choices of a hyperparameter, or the ends of its range."""
    return rule["choices"] if "choices" in rule else [rule["low"], rule["high"]]


def _range(where: str, rule: Mapping[str, Any], method: str) -> list[float]:
    low, high = rule["low"], rule["high"]
    step, log = rule.get("step", 1), rule.get("log", False)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high, step))
    whole = isinstance(low, int) and isinstance(high, int)
    if method == "grid":
        raise HeldoutError(
            where,
            "a list, since a grid takes choices only",
            repr(dict(rule)),
            "Use method random or bayes for ranges.",
        )
    if (
        not numbers
        or not low < high
        or not step > 0
        or (whole and not isinstance(step, int))
        or not isinstance(log, bool)
        or (log and (low <= 0 or "step" in rule))
    ):
        raise HeldoutError(
            where,
            "numbers with low < high, a step above 0 that is whole where both ends are, log true "
            "or false, and above 0 and without step for a log range",
            repr(dict(rule)),
        )
    return [low, high]


def rule_of(given: Any) -> dict[str, Any]:
    """Write a list of choices as the mapping that it stands for."""
    return dict(given) if isinstance(given, Mapping) else {"choices": given}


def suggest(space: Mapping[str, Any], draw: Draw) -> dict[str, Any]:
    """Draw one value for every hyperparameter of a space whose condition holds.

    Parameters
    ----------
    space : mapping
        As for `check_space`.
    draw : Draw
        What chooses.

    Returns
    -------
    dict
        Hyperparameters; those whose condition does not hold keep their default.
    """
    rules = {name: rule_of(given) for name, given in space.items()}
    values: dict[str, Any] = {}
    # Those without a condition first: the conditions look at them.
    for name in sorted(rules, key=lambda name: "when" in rules[name]):
        rule = rules[name]
        if not holds(rule, values):
            continue
        if "choices" in rule:
            values[name] = draw.choice(name, rule["choices"])
        else:
            value = draw.number(
                name,
                rule["low"],
                rule["high"],
                log=bool(rule.get("log", False)),
                step=rule.get("step"),
            )
            whole = isinstance(rule["low"], int) and isinstance(rule["high"], int)
            # Four digits are more than a search can tell apart, and make readable names.
            values[name] = int(value) if whole else float(f"{value:.4g}")
    return values


def holds(rule: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Tell whether a hyperparameter is searched beside some values of others."""
    return all(values.get(other) in allowed for other, allowed in rule.get("when", {}).items())


def grid_trials(
    architecture: str, fixed: Mapping[str, Any], space: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """List every trial of a grid: trial id to complete hyperparameters.

    Cells with equal content, such as those of a hyperparameter whose condition does not hold, are
    one trial.
    """
    rules = {name: rule_of(given) for name, given in space.items()}
    count = math.prod(len(rule["choices"]) for rule in rules.values())
    if count > MOST_TRIALS:
        raise HeldoutError(
            architecture,
            f"a grid of at most {MOST_TRIALS:,} trials",
            f"{count:,}",
            "Use method random or bayes, or fewer choices.",
        )
    trials = {}
    for held in _cells(rules):
        trial = complete(architecture, {**fixed, **held})
        trials[trial_id(architecture, trial)] = trial
    return trials


def random_trials(
    architecture: str, fixed: Mapping[str, Any], space: Mapping[str, Any], *, trials: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Draw trials at random: trial id to complete hyperparameters.

    Each is drawn with its own seed, so that more trials leave the earlier ones as they are.
    A trial that was drawn before is drawn again; a space with fewer trials gives fewer.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn: dict[str, dict[str, Any]] = {}
    for number in range(trials):
        for redraw in range(REDRAWS):
            sampler = optuna.samplers.RandomSampler(seed_of_draw(seed, number, redraw))
            draw = from_optuna(optuna.create_study(sampler=sampler).ask())
            trial = complete(architecture, {**fixed, **suggest(space, draw)})
            name = trial_id(architecture, trial)
            if name not in drawn:
                drawn[name] = trial
                break
    return drawn


def extremes(architecture: str, search: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the largest trials that a search may draw: with its least batch, and its greatest.

    Parameters
    ----------
    architecture : str
        One of `lib.networks.registry.ARCHITECTURES`.
    search : mapping
        `fixed` and `space` of it, as for `check_space`.
    """
    known = lookup(architecture)
    ends: dict[str, list[Any]] = {}
    for key, given in search["space"].items():
        values = _ends(rule_of(given))
        order = sorted(values, key=lambda value: sum(value) if isinstance(value, list) else value)
        ends[key] = [order[0], order[-1]]
    largest = {key: end[1] for key, end in ends.items() if known.hyperparameters[key].grows}
    trial = {**search["fixed"], **largest}
    # All of a pair may be searched, and the largest of each need not belong together.
    first, *others = known.pairs or ("",)
    for key in others:
        if key in trial and first in trial:
            trial[key] = [max(trial[key])] * len(trial[first])
    batches = ends.get("batch_size", [])
    return [{**trial, "batch_size": batch} for batch in batches] or [trial]


def seed_of_draw(seed: int, number: int, redraw: int) -> int:
    """Compute the seed of a sampler for a draw of a trial; samplers take 32 bits."""
    return ((seed * 100_003 + number) * REDRAWS + redraw) % 2**32


def from_optuna(trial: Any) -> Draw:
    """Let an Optuna trial choose. Lists are shown to it as JSON: it takes plain values only."""

    class _Optuna:
        def choice(self, name: str, choices: list[Any]) -> Any:
            shown = [json.dumps(value) for value in choices]
            return json.loads(trial.suggest_categorical(name, shown))

        def number(
            self, name: str, low: float, high: float, *, log: bool, step: float | None
        ) -> float:
            whole = isinstance(low, int) and isinstance(high, int)
            kind: Callable[..., float] = trial.suggest_int if whole else trial.suggest_float
            return kind(name, low, high, log=log, **({"step": step} if step else {}))

    return _Optuna()
