"""One training: data, recipe, network, checkpoints, runs and baselines."""

from lib.train.data import Data
from lib.train.recipe import Recipe, Training
from lib.train.trainer import Trainer

__all__ = ["Data", "Recipe", "Trainer", "Training"]
