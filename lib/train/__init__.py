"""One training: data, recipe, network, checkpoints, runs and baselines."""

from lib.train.data import Data
from lib.train.recipe import Recipe
from lib.train.trainer import Trainer
from lib.train.training import Training

__all__ = ["Data", "Recipe", "Trainer", "Training"]
