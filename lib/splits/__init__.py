"""Dividing examples into train, validation and test parts, by group or, as a warning, at random."""

from lib.splits.parts import PARTS
from lib.splits.registry import KINDS, SplitKind, make_split

__all__ = ["KINDS", "PARTS", "SplitKind", "make_split"]
