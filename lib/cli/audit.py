"""Say whether the split of any project can be believed; status 1 when it leaks."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

# Findings whose cases say no more than their text.
_TOLD_IN_TEXT = ("metadata", "file_names", "missing_classes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add(
        "table",
        metavar="TABLE",
        type=Path,
        help="table with the columns path, part or fold, and perhaps label, group, start, end; or "
        "a folder of lists (train.txt, …) or of folders (train, validation, test), or of folds",
    )
    add("--audio-root", type=Path, metavar="DIR", help="where the files lie (else beside TABLE)")
    add("--group-pattern", metavar="REGEX", help="what in a path names the group: '(p[0-9]+)_'")
    add("--label-pattern", metavar="REGEX", help="what in a path names the label")
    add("--strict", action="store_true", help="status 1 for a warning, too")
    add("--json", action="store_true", help="print JSON")
    add("--html", type=Path, metavar="FILE", help="write a page")
    add("--threads", type=int, default=os.cpu_count() or 1, help="files read at once")


def run(arguments: argparse.Namespace) -> int:
    """Audit and print; 1 where the split leaks."""
    from lib.audit.files import audit_files
    from lib.audit.page import write_page
    from lib.audit.tables import read_split
    from lib.cli.output import print_json
    from lib.errors import HeldoutError

    source: Path = arguments.table
    table = read_split(
        source, group_pattern=arguments.group_pattern, label_pattern=arguments.label_pattern
    )
    beside = source if source.is_dir() else source.parent
    audit = audit_files(table, root=arguments.audio_root or beside, threads=arguments.threads)
    if arguments.audio_root and not audit["heard"]:
        raise HeldoutError(
            arguments.audio_root,
            f"the files of {source}",
            f"not one of its {audit['files']:,} that can be read",
            "Name the folder that the paths of the table start from.",
        )
    if arguments.html:
        write_page(arguments.html, audit, source=str(source))
    if arguments.json:
        print_json({"source": str(source), **audit})
    else:
        _print(audit, source)
    warned = any(finding["level"] == "warning" for finding in audit["findings"])
    return int(audit["leaks"] or (arguments.strict and warned))


def _print(audit: dict[str, Any], source: Path) -> None:
    from lib.audit.page import shown

    findings = audit["findings"]
    verdict = "this split LEAKS" if audit["leaks"] else "no leak found"
    warned = sum(finding["level"] == "warning" for finding in findings)
    if warned and not audit["leaks"]:
        verdict += f", but mind the {warned} warning{'s' if warned > 1 else ''}"
    print(f"{source}: {verdict}")
    for name, part in audit["parts"].items():
        groups = f"groups: {part['groups']}" if part["groups"] else "groups not known"
        leaks = f"  leaks: {part['leaks']}" if part.get("leaks") else ""
        print(f"  {name:10} files: {part['files']:<6} {groups}{leaks}")
    for finding in findings:
        print(f"{finding['level']:8}{finding['text']}")
        # A note is read once; of what has to be fixed, the first cases help to find it.
        to_fix = finding["level"] != "note"
        listed = to_fix and finding["kind"] not in _TOLD_IN_TEXT
        for case in finding["cases"][:5] if listed else []:
            line = "; ".join(f"{key}: {shown(value)}" for key, value in case.items())
            print(f"          {line}")
