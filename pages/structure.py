"""Draw the rules and the packages of `lib` into docs/design.md."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from graphlib import TopologicalSorter

import grimp

from pages.markdown import DOCS, ROOT, filled

PAGE = DOCS / "design.md"
GROUND = {"errors", "files", "progress", "project", "provenance", "templates", "typed"}
"""What any part of `lib` may import: arrows to these would hide the others."""

Edges = set[tuple[str, str]]


def rules() -> Edges:
    """Ask Snakemake for the rules of the default run.

    Returns
    -------
    set of tuple
        Pairs (rule, rule that takes its files), `all` left out.
    """
    # With a stated number of shards the jobs of features are known before the checkpoint has run.
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--rulegraph",
        "mermaid-js",
        "--config",
        "shards=1",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", done.stdout, re.MULTILINE))
    arrows = re.findall(r"^\s*(id\d+) --> (id\d+)$", done.stdout, re.MULTILINE)
    return {(names[a], names[b]) for a, b in arrows if names[b] != "all"}


def packages() -> Edges:
    """Find which packages and modules at the top of `lib` import which.

    Returns
    -------
    set of tuple
        Pairs (importing, imported), `GROUND` and `lib/__main__.py` left out.
    """
    graph = grimp.build_graph("lib", cache_dir=None)
    parts = {child.removeprefix("lib.") for child in graph.find_children("lib")}
    return {
        (a, b)
        for a in parts - GROUND - {"__main__"}
        for b in parts - GROUND - {a}
        if graph.direct_import_exists(importer=f"lib.{a}", imported=f"lib.{b}", as_packages=True)
    }


def reduced(edges: Edges) -> Edges:
    """Leave out each arrow that other arrows imply.

    Parameters
    ----------
    edges : set of tuple
        The arrows of a graph without circles.

    Returns
    -------
    set of tuple
        Its transitive reduction: as many nodes can be reached from each, by the fewest arrows.
    """

    def reach(node: str) -> set[str]:
        nodes = {b for a, b in edges if a == node}
        return nodes.union(*map(reach, nodes))

    return {
        (a, b) for a, b in edges if not any(b in reach(c) for x, c in edges if x == a and c != b)
    }


def drawn(edges: Iterable[tuple[str, str]]) -> str:
    """Write a graph as a Mermaid flowchart from top to bottom, the same for the same graph."""
    arrows = sorted(reduced(set(edges)))
    before: dict[str, list[str]] = {}
    for a, b in arrows:
        before.setdefault(b, []).append(a)
    place = {name: n for n, name in enumerate(TopologicalSorter(before).static_order())}
    arrows.sort(key=lambda arrow: (place[arrow[0]], place[arrow[1]]))
    lines = "".join(f"    {a} --> {b}\n" for a, b in arrows)
    return f"```mermaid\nflowchart TB\n{lines}```\n"


def render() -> str:
    """Return the whole page, its pictures made anew."""
    page = PAGE.read_text(encoding="utf-8")
    return filled(page, {"rules": drawn(rules()), "packages": drawn(packages())})


def write() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
