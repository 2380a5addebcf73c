"""Successive halving: when it looks, and how many go on."""

from __future__ import annotations

import pytest

from lib.search.halving import halving

optuna = pytest.importorskip("optuna")


def _sweep(losses: list[list[float]], **options: object) -> list[int]:
    """Run trials with these losses one after the other; give the epochs of each."""
    study = optuna.create_study(pruner=halving(**options))  # type: ignore[arg-type]
    epochs = []
    for curve in losses:
        trial = study.ask()
        for epoch, loss in enumerate(curve, start=1):
            trial.report(loss, epoch)
            if trial.should_prune():
                break
        epochs.append(epoch)
        study.tell(trial, curve[epoch - 1])
    return epochs


def test_looks_are_spaced_and_the_best_goes_on() -> None:
    better = [[1.0 / (n + 1)] * 10 for n in range(4)]
    assert _sweep(better, first=1, spacing=3, factors=[2]) == [10] * 4
    worse = [[float(n)] * 10 for n in range(4)]
    assert _sweep(worse, first=2, spacing=3, factors=[2])[1] == 2


def test_each_look_has_its_factor_and_the_last_is_that_of_all_later_ones() -> None:
    # After a first one, each is second best: one in two lets it pass, one in five does not.
    curves = [[0.0] * 30, *([1.0 + n] * 30 for n in range(4))]
    assert _sweep(curves, first=1, spacing=3, factors=[2, 5]) == [30, 1, 1, 1, 1]
    second = [[0.0] * 30, [3.0] * 30, [2.0] * 30, [1.0] * 30]
    assert _sweep(second, first=1, spacing=3, factors=[2, 5])[3] == 3
    assert _sweep(second, first=1, spacing=3, factors=[2, 2])[3] == 3
    assert _sweep(second, first=1, spacing=3, factors=[1])[1:] == [30, 30, 30]
    assert _sweep(second, first=1, spacing=3, factors=[1, 1, 5])[1:] == [9, 9, 9]
