"""Features: from one recording to examples, network inputs of one shape."""

from lib.features.extraction import level, write_shard
from lib.features.kinds import Features
from lib.features.registry import KINDS, Kind, extract, seconds, shape

__all__ = ["KINDS", "Features", "Kind", "extract", "level", "seconds", "shape", "write_shard"]
