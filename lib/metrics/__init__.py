"""Scores of a classifier, each written once."""

from lib.metrics.aami import jk_index
from lib.metrics.registry import Metric, evaluate

__all__ = ["Metric", "evaluate", "jk_index"]
