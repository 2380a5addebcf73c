"""Measure, and write `benchmarks/measured.json` and docs/benchmarks.md, which is made from it.

python -m benchmarks                      # everything: about two hours on two cores
python -m benchmarks speed voices         # some sections
python -m benchmarks speed --only lstm    # some rows of one; the others stay as they were
python -m benchmarks endurance --runs 200
python -m benchmarks devices              # needs no more than Keras, a backend and NumPy
python -m benchmarks --quick --output /tmp/try
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe
from benchmarks.page import render
from lib.files import read_json, write_json
from lib.provenance import commit

MEASURED = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
# Each is a module with a function `measure`, imported when it runs: not all of them need the same.
SECTIONS = (
    *("speed", "peers", "seeds", "voices", "grid", "memory", "sweep", "planning", "features"),
    *("endurance", "devices"),
)

# Sections of which some rows may be measured.
ONLY = ("speed", "peers", "seeds", "devices")


def main(arguments: list[str] | None = None) -> None:
    """Run the sections that were asked for, and write what they found beside what was known."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all by default")
    parser.add_argument(
        "--only",
        default="",
        help=f"rows of {', '.join(ONLY)} whose name holds this word",
    )
    parser.add_argument("--runs", type=int, default=2000, help="of `endurance`")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: do they run at all?")
    parser.add_argument("--output", type=Path, help="folder of both files, in place of those kept")
    parser.add_argument("--folder", type=Path, help="for what is written on the way; 6 GB free")
    parser.add_argument("--note", default="", help="what whoever reads the figures should know")
    given = parser.parse_args(arguments)
    for name in given.sections:
        if name not in SECTIONS:
            parser.error(f"unknown section {name!r}; known: {', '.join(SECTIONS)}")
    file = given.output / MEASURED.name if given.output else MEASURED
    page = given.output / PAGE.name if given.output else PAGE
    known: dict[str, Any] = read_json(file) if file.exists() else {"sections": {}}
    for name in given.sections or SECTIONS:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            options: dict[str, Any] = {"only": given.only} if name in ONLY else {}
            if name == "endurance":
                options = {"runs": given.runs}
            measure = import_module(f"benchmarks.{name}").measure
            found = measure(Path(folder), quick=given.quick, **options)
        if found.get("rows") == []:
            parser.error(f"no row of {name} has {given.only!r} in its name")
        found |= {
            "note": given.note,
            "machine": describe(),
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "commit": commit(ROOT),
            "seconds": round(time.perf_counter() - began),
        }
        if given.only and name in known["sections"]:
            before = known["sections"][name]
            of = {key: before[key] for key in ("date", "commit")}
            old = {row["name"]: of | row for row in before["rows"]}
            found["rows"] = list((old | {row["name"]: row for row in found["rows"]}).values())
            found["seconds"] += before["seconds"]
        known["sections"][name] = found
        # After each section: what was measured is not lost when a later one fails.
        write_json(file, known)
        page.write_text(render(known), encoding="utf-8")
        print(f"{name}: {found['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
