"""One training: data, network, checkpoints, runs and baselines."""

from lib.train.callbacks import Training
from lib.train.trainer import Trainer

__all__ = ["Trainer", "Training"]
