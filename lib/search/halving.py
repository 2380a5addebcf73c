"""Successive halving for trials that come one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def halving(*, first: int, spacing: int, factors: Sequence[int]) -> Any:
    """Make an Optuna pruner that stops trials by successive halving.

    A trial is looked at after `first`, `first` · `spacing`, `first` · `spacing`², … epochs, and
    goes on if it is among the best 1 / factor of all trials that came so far, or the best
    (asynchronous successive halving: Li et al., 2020, without promotion of trials that stopped).
    Optuna's own has one number for spacing and all factors; looking early, leniently at first and
    strictly later, finds more for the same epochs (docs/benchmarks.md).

    Parameters
    ----------
    first : int
        Epochs that every trial has.
    spacing : int
        Each look comes after so many times the epochs of the one before; at least 2.
    factors : sequence of int
        About one in so many goes on after the first look, the second, …; the last number is that
        of all later ones.
    """
    import optuna

    class Halving(optuna.pruners.BasePruner):
        def prune(self, study: Any, trial: Any) -> bool:
            epoch = trial.last_step
            look, later = first, 0
            while epoch is not None and look < epoch:
                look, later = look * spacing, later + 1
            if look != epoch:
                return False
            reached = [
                other.intermediate_values[epoch]
                for other in study.get_trials(deepcopy=False)
                if epoch in other.intermediate_values and other.number != trial.number
            ]
            kept = max(1, (len(reached) + 1) // factors[min(later, len(factors) - 1)])
            better = sum(loss < trial.intermediate_values[epoch] for loss in reached)
            return better >= kept

    return Halving()
