"""The tables of docs/audit.md, from the pairs that tests/audit_scenarios runs.

python -m pages audit
"""

from __future__ import annotations

import importlib

from pages.markdown import DOCS, ROOT, filled, table
from tests.support.scenarios import SCENARIOS, SEEDS, Scenario

PAGE = DOCS / "audit.md"
KINDS = {
    "groups": "persons in two parts",
    "copies": "recordings that are there twice",
    "alike": "signals that are alike by nature",
    "windows": "windows and clips of one recording",
    "labels": "labels that can be had without the signal",
    "parts": "a part that is missing, or used twice",
    "procedure": "what a configuration asks for",
}
"""What each kind of `tests.support.scenarios` is called on the page, in its order."""


def pairs() -> list[Scenario]:
    """List all pairs, by kind."""
    for file in sorted((ROOT / "tests" / "audit_scenarios").glob("[!_]*.py")):
        if not file.stem.startswith("test_"):
            importlib.import_module(f"tests.audit_scenarios.{file.stem}")
    return sorted(SCENARIOS, key=lambda pair: (list(KINDS).index(pair.kind), pair.leak))


def _counts(name: str, some: list[Scenario]) -> tuple[str, int, int, int, str, int]:
    made = len(some) * len(SEEDS)
    missed = sum(len(pair.missed) for pair in some)
    return name, len(some), made, made - missed, f"{(made - missed) / made:.3f}", 0


def recall() -> str:
    """Count what is found of each kind; a test holds every clean split without a warning."""
    listed = pairs()
    rows = [
        _counts(name, [pair for pair in listed if pair.kind == kind])
        for kind, name in KINDS.items()
    ]
    rows.append(_counts("without what is refused", [p for p in listed if p.level != "refused"]))
    rows.append(_counts("all", listed))
    head = ("leaks", "pairs", "leaky splits", "found", "recall", "false alarms")
    return table(head, rows, numbers=True)


def missed() -> str:
    """List what is missed."""
    rows = [
        (pair.leak, f"{len(pair.missed)} of {len(SEEDS)}", pair.source)
        for pair in pairs()
        if pair.missed
    ]
    return table(("leak", "missed", "source of the kind"), rows)


def listed() -> str:
    """List every pair."""
    rows = [
        (
            KINDS[pair.kind],
            pair.leak,
            pair.clean,
            "refused" if pair.level == "refused" else f"{pair.level}: `{pair.finds}`",
            f"{len(SEEDS) - len(pair.missed)} of {len(SEEDS)}",
            pair.source,
        )
        for pair in pairs()
    ]
    return table(("kind", "leaky", "clean", "finding", "found", "source of the kind"), rows)


def render() -> str:
    """Return the whole page, its tables made anew."""
    page = PAGE.read_text(encoding="utf-8")
    return filled(page, {"recall": recall(), "missed": missed(), "pairs": listed()})


def write() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
