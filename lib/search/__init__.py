"""Hyperparameters: what may be tried, how, and what was best."""

from lib.search.choice import best_trial, trials_table
from lib.search.spaces import grid_trials, random_trials

__all__ = ["best_trial", "grid_trials", "random_trials", "trials_table"]
