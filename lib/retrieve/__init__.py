"""Retrieve: bring a dataset into its folder in the published layout, verified, from any source."""

from lib.retrieve.download import Network
from lib.retrieve.registry import read_registry
from lib.retrieve.retrieval import retrieve
from lib.retrieve.state import SOURCES

__all__ = ["SOURCES", "Network", "read_registry", "retrieve"]
