"""What every script runs in, and what a scheduler is asked for."""

from lib.jobs.place import RunLock
from lib.jobs.scripts import job, training_job, training_options

__all__ = ["RunLock", "job", "training_job", "training_options"]
