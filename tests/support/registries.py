"""A registry of a dataset that only tests know."""

from __future__ import annotations

import hashlib
from typing import Any


def tiny_registry(files: dict[str, bytes | None], url: str, **changes: Any) -> dict[str, Any]:
    """Describe `files`; None stands for a file of which neither size nor checksum is published."""
    rows = [
        {
            "path": path,
            "bytes": None if body is None else len(body),
            "sha256": None if body is None else hashlib.sha256(body).hexdigest(),
        }
        for path, body in files.items()
    ]
    return {
        "dataset": "tiny",
        "title": "Tiny",
        "version": "1",
        "licence": "CC0-1.0",
        "landing_page": "https://example.org/tiny",
        "citation": ["Nobody"],
        "consent": None,
        "base_url": url,
        "checksum_source": "this test",
        "files": rows,
        **changes,
    }
