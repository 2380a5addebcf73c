"""The recordings of a study, and how they are dealt to shards."""

from lib.recordings.shards import deal
from lib.recordings.table import read_recordings, recordings_table

__all__ = ["deal", "read_recordings", "recordings_table"]
