"""What an audit of files says: findings, each of one kind and of one of three levels."""

from __future__ import annotations

from typing import Any

LEAK, WARNING, NOTE = "leak", "warning", "note"


def finding(
    kind: str, level: str, count: int, text: str, cases: list[Any] | None = None
) -> dict[str, Any]:
    """Make one finding: a sentence, how many there are, and the cases themselves."""
    return {
        "kind": kind,
        "level": level,
        "count": int(count),
        "text": text,
        "cases": cases or [],
    }


def counted(count: int, thing: str) -> str:
    """Write a number of things."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
