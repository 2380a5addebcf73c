"""Printing results for people and for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas as pd


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False, allow_nan=False)
    print()


def print_table(table: pd.DataFrame, *, csv: bool) -> None:
    """Print a table, as CSV or in columns with three decimals."""
    if csv:
        table.to_csv(sys.stdout, index=False, lineterminator="\n")
    else:
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
