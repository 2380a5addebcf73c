"""A person's own folder of recordings: what is in it, and the study made from it."""

from lib.own.study import study_text
from lib.own.table import list_folder

__all__ = ["list_folder", "study_text"]
