"""Checklists that journals ask for, filled from what a run knows; what it cannot know is open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from lib.files import atomic, read_table, read_yaml, write_table
from lib.report.facts import Fact, known_of, language, study_facts
from lib.report.page import TEXT, asset, templates

LISTS = ("reforms", "tripod_ai", "e3c")
FORMATS = ("html", "md", "csv")


@dataclass(frozen=True)
class Item:
    """One item of a checklist, filled: what the run answers, and what a person still has to."""

    number: str
    section: str
    title: str
    topic: str = ""
    facts: Sequence[Fact] = field(default=())
    needs: str = ""

    @property
    def state(self) -> str:
        """Whether it is answered, in part, or open."""
        if not self.facts:
            return "open"
        return "in part" if self.needs else "answered"

    @property
    def answer(self) -> str:
        """What the run answers."""
        return " ".join(fact.says for fact in self.facts)

    @property
    def evidence(self) -> dict[str, str]:
        """Where the evidence of all facts is: label to address, each once."""
        return {label: place for fact in self.facts for label, place in fact.evidence.items()}


def lists_of(study: Mapping[str, Any]) -> list[str]:
    """List the checklists of a study: E3C is about heart beats alone."""
    return [name for name in LISTS if name != "e3c" or study["input"]["aligned"]]


def links(studies: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """List, for each study, its title, and name and path from the page of each checklist."""
    titles = {name: str(_list(name)["name"]) for name in LISTS}
    return [
        (
            str(study["title"]),
            [
                (titles[name], f"checklists/{study['study']}/{name}.html")
                for name in lists_of(study)
            ],
        )
        for study in studies
    ]


def write_checklists(
    studies: Sequence[Mapping[str, Any]],
    *,
    tables: str | Path,
    results: str | Path,
    manifests: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    page: str | Path,
    folder: str | Path,
) -> list[Path]:
    """Write the checklists of every study, each as HTML, Markdown and CSV.

    Parameters
    ----------
    studies, tables, results, manifests, provenance
        As `lib.report.render` takes them.
    page : path
        The page. Evidence that it does not show, such as costs where nothing was drawn, is left
        out.
    folder : path
        Gets a folder for each study.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    HeldoutError
        A table, an audit or an exploration is missing or damaged.
    """
    names = ("answers", "per_class", "group_means", "subgroups", "trials", "costs", "aami")
    read = {name: read_table(Path(tables) / f"{name}.csv", text=TEXT) for name in names}
    shown = set(re.findall(r'\sid="([^"]+)"', Path(page).read_text(encoding="utf-8")))
    data = {str(manifest["dataset"]): manifest for manifest in manifests}
    written = []
    for study in studies:
        known = known_of(
            study,
            {name: table[table["study"] == study["study"]] for name, table in read.items()},
            results=Path(results),
            data=data[str(study["dataset"])],
            provenance=provenance,
        )
        facts = study_facts(study, known, shown=shown)
        for name in lists_of(study):
            items = fill(name, facts, known)
            path = Path(folder) / str(study["study"]) / name
            written += _write(path, _list(name), items, study=study, known=known)
    return written


def fill(name: str, facts: Mapping[str, Fact], known: Mapping[str, Any]) -> list[Item]:
    """Fill the items of a checklist.

    Parameters
    ----------
    name : str
        Of `LISTS`.
    facts : mapping
        Of `study_facts`.
    known : mapping
        What the requests to the author are filled with.
    """
    words = language()
    return [
        Item(
            str(item["number"]),
            item["section"],
            item["title"],
            item.get("topic", ""),
            [facts[one] for one in item.get("facts", [])],
            words.from_string(item.get("needs", "")).render(known).strip(),
        )
        for item in _list(name)["items"]
    ]


def _list(name: str) -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(Path(__file__).with_name(f"{name}.yaml"))
    return content


def _write(
    path: Path,
    content: Mapping[str, Any],
    items: Sequence[Item],
    *,
    study: Mapping[str, Any],
    known: Mapping[str, Any],
) -> list[Path]:
    """Write a filled checklist in each of `FORMATS`."""
    shown = {
        **content,
        "items": items,
        "sections": [(name, list(some)) for name, some in groupby(items, lambda i: i.section)],
        "study": study,
        "simulated": known["simulated"],
        "states": {
            state: [item.number for item in items if item.state == state]
            for state in ("answered", "in part", "open")
        },
    }
    page = templates().get_template("checklist.html.j2").render(shown, css=asset("style.css"))
    plain = language()
    plain.filters["md"] = markdown
    text = plain.get_template("checklist.md.j2").render(shown)
    for ending, words in (("html", page), ("md", text)):
        with atomic(path.with_suffix(f".{ending}")) as part:
            part.write_text(words, encoding="utf-8")
    rows = [
        {
            "item": item.number,
            "section": item.section,
            "topic": item.topic,
            "title": item.title,
            "state": item.state,
            "answer": item.answer,
            "evidence": "; ".join(item.evidence.values()),
            "needed": item.needs,
        }
        for item in items
    ]
    write_table(path.with_suffix(".csv"), pd.DataFrame(rows))
    return [path.with_suffix(f".{ending}") for ending in FORMATS]


def markdown(text: object) -> str:
    """Escape what would be markup in a cell of a Markdown table; `code` stays."""
    return re.sub(r"([\\|<>*_\[\]])", r"\\\1", " ".join(str(text).split()))
