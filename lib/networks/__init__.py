"""The architectures, one file each, and what computes them."""

from lib.networks.architecture import Architecture
from lib.networks.hyperparameters import complete, trial_id
from lib.networks.models import build
from lib.networks.registry import ARCHITECTURES

__all__ = ["ARCHITECTURES", "Architecture", "build", "complete", "trial_id"]
