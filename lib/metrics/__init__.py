"""Scores of a classifier, each written once: `registry.METRICS`."""

from lib.metrics.registry import METRICS, Metric, evaluate

__all__ = ["METRICS", "Metric", "evaluate"]
