"""The figures of docs/faults.md, counted from the tests themselves.

python -m pages faults         # write the tables into docs/faults.md
python -m pages.faults LOG …   # and take in what long runs of tests.support.fuzzing printed
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pages.markdown import DOCS, ROOT, filled, table
from tests.faults import test_faults_archives as archives
from tests.faults import test_faults_config as config
from tests.faults import test_faults_fuzz as fuzz
from tests.faults import test_faults_payloads as payloads
from tests.faults import test_faults_recordings as recordings
from tests.faults import test_faults_retrieval as retrieval
from tests.support.wild import CASES

PAGE = DOCS / "faults.md"
LONG_RUN = Path(__file__).with_name("long_run.json")


def cases(test: Callable[..., Any]) -> int:
    """Count what a test is run with: once, if nothing is said of it."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return math.prod(len(list(mark.args[1])) for mark in marks)


def retrieved() -> str:
    """Count the faults of servers, mirrors and archives."""
    rows = [
        ("temporary faults of a server", len(retrieval.MENDED), "the right bytes", 0),
        ("permanent faults of a server", len(retrieval.REFUSED), "an error, then the bytes", 0),
        (
            "a download cut at a tenth, resumed later",
            cases(retrieval.test_a_resumed_download_fetches_nothing_twice),
            "each byte served once",
            0,
        ),
        (
            "the file changed upstream",
            cases(retrieval.test_a_file_that_changed_upstream_is_refused_not_mixed)
            + cases(retrieval.test_a_file_without_checksum_is_never_of_two_versions),
            "never a mixture of versions",
            0,
        ),
        ("random sequences of these", retrieval.SEQUENCES, "the bytes or an error", 0),
        (
            "mirrors with wrong files",
            cases(retrieval.test_a_mirror_that_lies_is_refused)
            + cases(retrieval.test_a_mirror_that_changes_while_it_is_read),
            "an error, then the bytes",
            0,
        ),
        ("harmful archives", len(archives.HARMFUL), "rejected by name", 0),
    ]
    return table(("fault", "cases", "outcome", "wrong or lost files"), rows, numbers=True)


def read() -> str:
    """Count the damaged and hostile recordings and models."""
    kinds = {
        "sounds": recordings.SOUNDS,
        "WFDB records": recordings.RECORDS,
        "MATLAB files": recordings.MATLAB,
        "tables of datasets": recordings.TABLES,
        "metadata of a user's folder": recordings.OWN,
        "signals turned into features": recordings.SIGNALS,
    }
    rows = []
    for name, some in kinds.items():
        good = sum(case[-1] == recordings.READ for case in some.values())
        rows.append((name, len(some), good, len(some) - good, 0))
    refused = {
        "files that contain code": cases(payloads.test_nothing_that_a_file_contains_is_run),
        "models that contain code or are not models": (
            cases(payloads.test_a_model_that_holds_code_is_not_loaded)
            + cases(payloads.test_code_in_the_older_format_is_not_loaded)
            + cases(payloads.test_weights_that_lie_in_another_file_are_not_loaded)
            + cases(payloads.test_a_file_that_is_no_model_is_refused)
        ),
    }
    rows += [(name, count, 0, count, 0) for name, count in refused.items()]
    rows.append(("inputs that failed before", len(fuzz.corpus()), "or read", "rejected", 0))
    return table(("input", "cases", "read", "rejected", "other"), rows, numbers=True)


def fuzzed() -> str:
    """List what the long runs of random inputs came to, for each reader."""
    rows = [
        (
            f"`{name}`",
            row["inputs"],
            row["readings"],
            row["refused"],
            0,
            f"{row['slowest']:.2f}",
            row["peak_mb"],
        )
        for name, row in json.loads(LONG_RUN.read_text()).items()
    ]
    head = ("reader", "inputs", "read", "rejected", "other", "slowest, s", "peak, MB")
    return table(head, rows, numbers=True)


def configured() -> str:
    """Count the settings that must be refused."""
    keys = {param.values[:2] for param in config.TYPES}
    rows = [
        (f"wrong types and values of {len(keys)} keys", len(config.TYPES)),
        ("unknown keys, one at each level; the error suggests the nearest", len(config.LEVELS)),
        ("unknown names, contradictions, names that are paths or commands", len(config.OTHER)),
        ("study files that cannot be read, or that contain code", len(config.FILES)),
        ("mixtures of random values", config.MIXED),
        ("through Snakemake", len(config.COMMANDS)),
    ]
    counted = [(*row, 0) for row in rows]
    return table(("fault", "settings", "ran anyway"), counted, numbers=True)


def folders() -> str:
    """List the folders of tests/wild, each with its source and what comes out."""
    for file in sorted((ROOT / "tests" / "wild").glob("test_*.py")):
        importlib.import_module(f"tests.wild.{file.stem}")
    rows = [(case.kind, case.holds, case.right, case.like) for case in sorted(set(CASES))]
    return table(("kind", "folder", "right, and tested", "in the manner of"), rows)


TABLES = {
    "retrieval": retrieved,
    "recordings": read,
    "wild": folders,
    "fuzz": fuzzed,
    "configuration": configured,
}


def render() -> str:
    """Return the whole page, its tables made anew."""
    page = PAGE.read_text(encoding="utf-8")
    return filled(page, {name: make() for name, make in TABLES.items()})


def write() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")


def take_in(logs: Sequence[str]) -> None:
    """Sum the results of long runs, in which nothing may have failed."""
    sums: dict[str, dict[str, Any]] = {}
    for line in (line for log in logs for line in Path(log).read_text().splitlines()):
        result = json.loads(line)
        if "inputs" not in result:
            continue
        if result["failures"]:
            raise SystemExit(f"{result['reader']}: {result['failures']}")
        row = sums.setdefault(result["reader"], {"inputs": 0, "readings": 0, "refused": 0})
        for key in ("inputs", "readings", "refused"):
            row[key] += result[key]
        for key in ("slowest", "peak_mb"):
            row[key] = max(row.get(key, 0), result[key])
    text = json.dumps({name: sums[name] for name in fuzz.READERS if name in sums}, indent=1)
    LONG_RUN.write_text(text + "\n")


if __name__ == "__main__":
    take_in(sys.argv[1:])
    write()
