"""Whether a split can be believed: what appears in two parts of it, and what a part lacks."""

from lib.audit.examples import audit_split, require_honest

__all__ = ["audit_split", "require_honest"]
