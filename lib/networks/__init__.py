"""The architectures, and what computes them."""

from lib.networks.hyperparameters import ARCHITECTURES, complete, trial_id
from lib.networks.models import build

__all__ = ["ARCHITECTURES", "build", "complete", "trial_id"]
