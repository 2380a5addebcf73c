"""Datasets: their recordings and how to read one."""

from lib.datasets.registry import COLUMNS, DATASETS, dataset_module, read, recordings
from lib.datasets.signal import Signal

__all__ = ["COLUMNS", "DATASETS", "Signal", "dataset_module", "read", "recordings"]
