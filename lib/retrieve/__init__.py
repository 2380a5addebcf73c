"""Retrieve: bring a dataset into its folder in the published layout, verified, from any source."""

from lib.retrieve.copies import addresses, in_store, provider
from lib.retrieve.download import Network
from lib.retrieve.registry import read_registry
from lib.retrieve.retrieval import retrieve
from lib.retrieve.state import SOURCES

__all__ = ["SOURCES", "Network", "addresses", "in_store", "provider", "read_registry", "retrieve"]
