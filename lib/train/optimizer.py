"""What changes the weights of a network, and how fast."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def optimizer(keras: Any, values: Mapping[str, Any], rate: float, *, steps: int) -> Any:
    """Make the optimizer of a training; it takes each gradient as it is.

    Parameters
    ----------
    keras : module
        From `lib.networks.backend.load`.
    values : mapping
        Hyperparameters, all of them.
    rate : float
        The learning rate, or the highest one of its schedule.
    steps : int
        Of the whole training.

    Returns
    -------
    keras.optimizers.Optimizer

    Notes
    -----
    `weight_decay` is decoupled from the gradient (Loshchilov and Hutter 2019): with it, Adam is
    AdamW. `cosine` is what `scheduled_rate` computes.

    The sum over one replica is the gradient itself. TensorFlow writes that sum as a function with a
    gradient of its own, which it registers for as long as the process lives, with the graph of the
    training step: several MB a network. Neither library has a public way around it or a way to take
    it back (`clear_session` does not), and another name in a later Keras costs memory and nothing
    else; `tests/faults/test_growth.py` tells.
    """
    kinds = {"adam": "Adam", "adamax": "Adamax", "rmsprop": "RMSprop", "sgd": "SGD"}
    schedule = None
    if values["schedule"] == "cosine":
        risen = warmup_steps(values, steps)
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0 if risen else rate,
            max(1, steps - risen),
            warmup_target=rate if risen else None,
            warmup_steps=risen,
        )
    made = getattr(keras.optimizers, kinds[values["optimizer"]])(
        rate if schedule is None else schedule,
        weight_decay=values["weight_decay"] or None,
        global_clipnorm=values["global_clipnorm"] or None,
    )
    if schedule is not None:
        # As variables they are no part of the program that JAX compiles, which then serves any
        # number of steps and any rate.
        highest = "warmup_target" if risen else "initial_learning_rate"
        for name in (highest, "decay_steps", "warmup_steps"):
            variable = made.add_variable((), name=name)
            variable.assign(getattr(schedule, name))
            setattr(schedule, name, variable)
    if hasattr(made, "_all_reduce_sum_gradients"):
        made._all_reduce_sum_gradients = list
    return made


def warmup_steps(values: Mapping[str, Any], steps: int) -> int:
    """Count the steps, of so many, during which the learning rate rises."""
    return round(values["warmup"] * steps)


def scheduled_rate(step: int, *, rate: float, steps: int, warmup: int) -> float:
    """Compute the learning rate of a step under the schedule `cosine`, as Keras' CosineDecay does.

    It rises from 0 during the first `warmup` steps, and then falls to 0 along half a cosine
    (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983).

    Parameters
    ----------
    step : int
        Steps done, from 0.
    rate : float
        The highest one.
    steps, warmup : int
        Of the whole training, and those of them in which the rate rises.

    Examples
    --------
    >>> [round(scheduled_rate(n, rate=0.1, steps=5, warmup=1), 3) for n in range(6)]
    [0.0, 0.1, 0.085, 0.05, 0.015, 0.0]
    """
    if step < warmup:
        return rate * step / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return rate * 0.5 * (1 + math.cos(math.pi * done))
