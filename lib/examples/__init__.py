"""All examples of a study in one array on disk, and a table of what each is."""

from lib.examples.arrays import open_examples

__all__ = ["open_examples"]
