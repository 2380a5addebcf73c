"""Grouped: every group in one part, the classes balanced."""

from __future__ import annotations

from functools import partial

from lib.splits.dealing import deal_folds

divide = partial(deal_folds, "group")
