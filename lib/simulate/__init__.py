"""Simulated datasets, in exactly the published layout."""

from lib.simulate.simulator import DATASETS, NOTE, VERSION, simulate

__all__ = ["DATASETS", "NOTE", "VERSION", "simulate"]
