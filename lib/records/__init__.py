"""Records of a run for other programs: its RO-Crate, and Croissant of each dataset."""

from lib.records.crate import write_crate
from lib.records.croissant import addresses, write_croissant

__all__ = ["addresses", "write_crate", "write_croissant"]
