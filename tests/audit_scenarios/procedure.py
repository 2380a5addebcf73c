"""Leaks of procedure: what a configuration asks for, and is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.scenarios import Verdict, configured, scenario


def asked(
    folder: Path,
    seed: int,
    leaky: bool,
    *,
    leak: Mapping[str, Any],
    clean: Mapping[str, Any],
    studies: tuple[str, ...] = ("heart_sounds", "arrhythmia", "voices"),
) -> Verdict:
    """Ask for one or the other in one of the studies."""
    return configured(studies[seed % len(studies)], leak if leaky else clean)


ASKED: dict[str, tuple[str, str, str, dict[str, Any], dict[str, Any]]] = {
    "a random split that is called honest": (
        "Saeb et al. 2017",
        "called what it is",
        "a random split by example cannot be honest",
        {"protocols": {"random": {"honest": True}}},
        {"protocols": {"random": {"honest": False}}},
    ),
    "hyperparameters chosen on the random split": (
        "Kapoor and Narayanan 2023, L1.1",
        "on an honest one",
        "hyperparameters are chosen on it, so it must be an honest protocol",
        {"primary": "random"},
        {"primary": "grouped"},
    ),
    "published lists with one name in train and in test": (
        "Kapoor and Narayanan 2023, L1.4",
        "each name in one",
        "each value in one part",
        {
            "protocols": {
                "listed": {
                    "kind": "published",
                    "honest": True,
                    "title": "lists",
                    "parts": {"train": ["a", "b"], "test": ["b"]},
                }
            }
        },
        {
            "protocols": {
                "listed": {
                    "kind": "published",
                    "honest": True,
                    "title": "lists",
                    "parts": {"train": ["a", "b"], "test": ["c"]},
                }
            }
        },
    ),
    "weights of the epoch that is best on the test part": (
        "Roth 2026, class II (selection)",
        "of the epoch that is best on validation",
        "keep",
        {"training": {"keep": "best_test"}},
        {"training": {"keep": "best"}},
    ),
    "inputs normalised over all parts": (
        "Kapoor and Narayanan 2023, L1.2",
        "over the train part",
        "normalization",
        {"architectures": {"lstm": {"fixed": {"normalization": "all"}}}},
        {"architectures": {"lstm": {"fixed": {"normalization": "channel"}}}},
    ),
}
for what, (source, instead, says, leak, clean) in ASKED.items():
    scenario(
        "procedure",
        source=source,
        leak=f"a configuration that asks for {what}",
        clean=instead,
        finds=says,
        level="refused",
    )(partial(asked, leak=leak, clean=clean))
