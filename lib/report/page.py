"""Render all results as one HTML file that needs no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from lib.errors import HeldoutError
from lib.files import atomic, read_table
from lib.networks.registry import ARCHITECTURES
from lib.plots.style import decimal
from lib.report.figures import figure
from lib.report.names import listed
from lib.report.overall import (
    claims_table,
    costs_table,
    licences,
    provenance_tables,
    rank_remarks,
    ranks_table,
)
from lib.report.study import study_view
from lib.templates import environment

TEXT = (
    *("study", "dataset", "protocol", "architecture", "kind", "metric", "note", "interval_note"),
    *("label", "predicted", "a", "b", "baseline", "beats_baselines", "networks_that_beat"),
    *("source", "split", "test_size", "our_architecture", "honest_protocol", "unit", "trial"),
    *("backend", "device", "precision", "state", "ending", "unfinished", "below_linear"),
    *("letters", "scope", "hyperparameter", "reason", "optimizer", "our_note"),
    *("metadata_suffices", "metadata_column", "group", "largest_group", "lowest_group"),
    *("influential", "power_note", "rival", "column", "value", "chosen"),
    *("gap_note", "reference_note", "trained", "site"),
)


def render(
    studies: Sequence[Mapping[str, Any]],
    *,
    tables: str | Path,
    plots: str | Path,
    results: str | Path,
    manifests: Sequence[Mapping[str, Any]],
    provenance: Mapping[str, Any],
    output: str | Path,
    checklists: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (),
) -> Path:
    """Write the report.

    Parameters
    ----------
    studies : sequence of dict
        As `lib.compare.compare` takes them, with `title`, `question` and `example_kind`.
    tables, plots, results : path
        The tables of `lib.compare`, the pictures of `lib.plots`, and the folder of the studies,
        which holds the audits.
    manifests : sequence of dict
        The manifests of the datasets: dataset, source, version, licence, citation.
    provenance : dict
        What else the last section shows, in its order: texts and numbers as rows, dictionaries as
        tables, nested ones with dotted names. `durations` maps stages to seconds.
    output : path
        The HTML file.
    checklists : sequence of tuple, optional
        What lies beside it for the author: of each study its title, and name and path of each.

    Returns
    -------
    Path
        `output`.

    Raises
    ------
    HeldoutError
        A table, a picture or an audit is missing or damaged.
    """
    if not studies:
        raise HeldoutError(
            "studies",
            "at least one to report",
            "none",
            "Name one under `studies` in the configuration.",
        )
    names = (
        *("runs", "leaderboard", "per_class", "inflation", "differences", "answers"),
        *("claims", "trials", "costs", "letters", "folds", "aami", "agreement", "importance"),
        *("groups", "group_means", "subgroups", "sites", "validation", "selection"),
        *("shortcuts", "permutations"),
    )
    read = {name: read_table(Path(tables) / f"{name}.csv", text=TEXT) for name in names}
    ranks = read_table(Path(tables) / "ranks.csv", text=TEXT)
    manifest_of = {str(manifest["dataset"]): manifest for manifest in manifests}
    views = [
        study_view(
            study,
            tables={
                name: table[table["study"] == study["study"]].reset_index(drop=True)
                for name, table in read.items()
            },
            results=Path(results),
            manifest=manifest_of.get(str(study["dataset"]), {}),
        )
        for study in studies
    ]
    template = templates().get_template("page.html.j2")
    js = asset("page.js")
    page = template.render(
        studies=views,
        simulated=[view["title"] for view in views if view["simulated"]],
        # Cached, since the contents ask for some pictures too.
        figure=cache(lambda *path: figure(Path(plots).joinpath(*path))),
        ranks=ranks_table(ranks),
        remarks=rank_remarks(ranks),
        runs=len(read["runs"]),
        claims=claims_table(read["claims"], studies),
        costs=costs_table(read["costs"], studies),
        licences=licences(manifests),
        provenance=provenance_tables(provenance),
        checklists=checklists,
        css=asset("style.css") + _tones(),
        js=js,
        # The browser runs this script and no other, whatever a name smuggles in.
        js_hash="sha256-" + b64encode(sha256(js.encode()).digest()).decode(),
    )
    with atomic(output) as part:
        part.write_text(page, encoding="utf-8")
    return Path(output)


def templates() -> Environment:
    """Return the templates of the page, with their filters."""
    pages = environment("lib.report")
    pages.filters |= {"apart": _apart, "decimal": decimal, "listed": listed}
    return pages


def _apart(name: object) -> Markup:
    """Keep the direction of a name from data from turning the sentence around it."""
    return Markup("<bdi>{}</bdi>").format(name)


def _tones() -> Markup:
    """Write the rules that put the colour of an architecture before its name."""
    rules = [
        f".tone-{name}::before {{ background: {one.colour}; }}\n"
        for name, one in ARCHITECTURES.items()
    ]
    return Markup("".join(rules))


def asset(name: str) -> Markup:
    """Return a file of the page, such as its style, as it is."""
    # Ours, and part of the page: the one text that is not escaped.
    return Markup((Path(__file__).parent / name).read_text(encoding="utf-8"))
