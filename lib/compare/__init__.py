"""Compare: from the runs of all studies to tables."""

from lib.compare.comparison import compare
from lib.compare.tables import TABLES, TIMED

__all__ = ["TABLES", "TIMED", "compare"]
