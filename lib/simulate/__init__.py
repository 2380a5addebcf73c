"""Simulated datasets, in exactly the published layout."""

from lib.simulate.simulator import DATASETS, NOTE, simulate

__all__ = ["DATASETS", "NOTE", "simulate"]
