"""Datasets: their recordings and how to read one."""

from lib.datasets.dataset import COLUMNS, Dataset
from lib.datasets.registry import DATASETS, get_dataset, read, recordings
from lib.datasets.signal import Signal

__all__ = ["COLUMNS", "DATASETS", "Dataset", "Signal", "get_dataset", "read", "recordings"]
