"""Records of a run for other programs: its RO-Crate, and Croissant of each dataset."""

from lib.records.crate import write_crate
from lib.records.croissant import published_at, write_croissant

__all__ = ["published_at", "write_crate", "write_croissant"]
