"""Features: from one recording to examples, network inputs of one shape."""

from lib.features.extraction import write_shard
from lib.features.kinds import Features, Kind
from lib.features.registry import KINDS, extract, make, shape

__all__ = ["KINDS", "Features", "Kind", "extract", "make", "shape", "write_shard"]
