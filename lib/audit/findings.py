"""What an audit of files says: findings, each of one kind and of one of three levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LEAK, WARNING, NOTE = "leak", "warning", "note"


def finding(
    kind: str, level: str, text: str, cases: Sequence[Any] = (), *, count: int | None = None
) -> dict[str, Any]:
    """Make one finding: a sentence, the cases themselves, and how many there are, if not these."""
    count = len(cases) if count is None else count
    return {"kind": kind, "level": level, "count": count, "text": text, "cases": [*cases]}
