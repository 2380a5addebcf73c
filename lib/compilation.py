"""Which backend and which compile mode an architecture is fastest with, as it was measured."""

from __future__ import annotations

from lib.errors import HeldoutError

MODES = ("plain", "xla")


def compile_mode(asked: str, architecture: str, backend: str, device: str) -> str:
    """Give the compile mode of a training."""
    if asked not in ("auto", *MODES):
        raise HeldoutError(f"compile: expected one of auto, {', '.join(MODES)}, got {asked!r}.")
    if asked != "auto":
        return asked
    return "xla" if backend == "jax" else "plain"
