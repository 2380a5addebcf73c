"""Say what this machine has for a run, and what is wrong; status 1 where no run can succeed."""

from __future__ import annotations

import argparse
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("--json", action="store_true", help="print JSON")
    add("--timeout", type=float, default=180.0, metavar="S", help="seconds for each backend")


def run(arguments: argparse.Namespace) -> int:
    """Look, and print; 1 where something essential is wrong."""
    import json

    from lib.doctor import examine

    found = examine(timeout=arguments.timeout)
    # Not by lib.cli.output, which imports pandas: that may be what is broken.
    print(json.dumps(found, indent=1) if arguments.json else _text(found))
    return int(any(problem["essential"] for problem in found["problems"]))


def _text(found: dict[str, Any]) -> str:
    """Write what was found as lines."""
    rows = [(name, version or "not installed") for name, version in found["versions"].items()]
    rows += [("system", "{system}, {machine}".format(**found["system"]))]
    rows += [("cores", "{allowed:g} of {machine}".format(**found["cores"]))]
    rows += [("memory", "{allowed} of {machine} GB".format(**found["memory_gb"]))]
    for name, one in found["backends"].items():
        works = f"works on {one['device']} ({one['kind']})" if one["works"] else "does not work"
        rows.append((f"backend {name}", works))
    for name, one in found["folders"].items():
        state = "writable" if one["writable"] else "NOT writable"
        made = "" if one["exists"] else ", not there yet"
        room = "" if one["free_gb"] is None else f", {one['free_gb']:g} GB free"
        rows.append((f"folder {name}", state + made + room))
    rows.append(("Slurm", found["slurm"] or "none"))
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:{width}}{text}" for name, text in rows]
    for problem in found["problems"]:
        kind = "WRONG" if problem["essential"] else "mind"
        lines.append(f"{kind}: {problem['what']}. {problem['advice']}")
    return "\n".join(lines if found["problems"] else [*lines, "nothing is wrong"])
