"""What the features tell beside the class, and what a model reaches with permuted labels."""

from lib.shortcuts.columns import shortcuts_of
from lib.shortcuts.permuted import deal_data

__all__ = ["deal_data", "shortcuts_of"]
