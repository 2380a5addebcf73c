"""What a split divides files into: parts to train on and to test on, or folds that take turns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lib.files import is_file
from lib.splits.parts import PARTS


def ordered(sides: Iterable[str]) -> list[str]:
    """List parts or folds once each, fold 2 before fold 10."""
    return sorted(set(sides), key=lambda side: (len(side) if side.startswith("fold ") else 0, side))


def noun(table: pd.DataFrame) -> str:
    """Say whether a table of files has parts or folds."""
    return "part" if set(table["part"]) <= set(PARTS) else "fold"


def sides_of(table: pd.DataFrame) -> list[str]:
    """List the folds of a table, or else all three parts, those without a file too."""
    return ordered(table["part"]) if noun(table) == "fold" else list(PARTS)


def rounds(table: pd.DataFrame) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """List what is trained on and what is tested on: each fold once, with all others to train."""
    if noun(table) == "fold":
        chosen = [table["part"] == side for side in sides_of(table)]
        return [(table[~here], table[here]) for here in chosen]
    return [(table[table["part"] == "train"], table[table["part"] == "test"])]


def called(side: str) -> str:
    """Say a part or a fold in a sentence."""
    return f"the {side} part" if side in PARTS else side


def tested(table: pd.DataFrame) -> str:
    """Say what all of `rounds` together are tested on."""
    return "all folds" if noun(table) == "fold" else called("test")


def in_folders(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Put `fold1/` before a path where the file lies there: some tables name files alone."""
    lying = [
        path
        if not side.startswith("fold ") or is_file(root / path) or not is_file(root / below)
        else below
        for path, side in zip(table["path"], table["part"], strict=True)
        for below in [f"{side.replace(' ', '')}/{path}"]
    ]
    return table.assign(path=lying)
