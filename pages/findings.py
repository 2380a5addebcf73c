"""Write docs/findings.md and the first figures of the README from docs/findings.

python -m pages.findings results    # take in a run on real recordings, and write both pages
python -m pages findings            # write them again
"""

from __future__ import annotations

import html
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lib.config.settings import merge, resolve
from lib.errors import HeldoutError
from lib.files import read_json, read_table, read_yaml, write_json, write_table
from lib.plots.scores import primary_rows
from lib.plots.style import decimal, display
from lib.report.boards import main_board
from lib.report.names import listed
from lib.report.overall import claims_table
from lib.report.page import TEXT, templates
from lib.report.study import answered
from lib.report.table import LONG_REMARK, Cell, TableView, records, seconds
from pages.markdown import DOCS, ROOT, at_commit, filled, table

PAGE = DOCS / "findings.md"
README = ROOT / "README.md"
CONFIG = ROOT / "config" / "findings.yaml"
# All that the page is made of, so that it can be made again without the results.
FOLDER = DOCS / "findings"

WHOLE = ("answers", "claims")
OF_THE_HONEST_SPLIT = ("leaderboard", "inflation", "letters")
# Where recordings come from changes no result: each file is checked against its registry.
SOURCES = ("source", "sources", "mirror")
# Columns of the report that this page does without.
DROPPED = ("Study", "Disjoint groups", "Valid", "Balanced accuracy", "Log loss (nats)")

HEAD = """\
# Findings

Made by `python -m pages.findings results`; do not edit.

Each network was tested on groups (patients, subjects or recordings) that it was not trained on, and
again under a random split, as is common practice. All figures are from real recordings;
[report.md](report.md) explains the terms.

## What was run

```sh
# A folder that holds mitdb/, heartbeat_sounds/, … as published; without it they are downloaded.
snakemake --cores 2 --configfile config/findings.yaml --config mirror=/data/recordings
python -m pages.findings results
```
"""

PICTURE = "![Macro-F1 of each network under the honest and under the random split]({})\n"

INFLATION = """\
Filled dots are the honest split, hollow ones the random split, bars 95% confidence intervals over
groups. The number on the right is the inflation: how much the random split overestimates.
"""

CURVES = """\
![Loss and accuracy during training, for each network](findings/{}.png)

Loss and accuracy of every training under the honest split. The dot marks the epoch that was kept.
"""


def take_in(results: Path) -> None:
    """Keep what the page shows of a run: rows of its tables, its provenance, its pictures.

    Parameters
    ----------
    results : Path
        The folder `results` of the run.

    Raises
    ------
    HeldoutError
        The recordings were simulated, or the run has not come to its end.
    """
    run = read_json(results / "provenance.json")
    studies, config = run["studies"], run["config"]
    if simulated := [one["study"] for one in studies if one["simulated"]]:
        raise HeldoutError(
            results,
            "real recordings",
            f"simulated ones in {listed(simulated)}",
            "Run config/findings.yaml.",
        )
    primary = {one["study"]: one["primary"] for one in studies}
    for name in (*WHOLE, *OF_THE_HONEST_SPLIT):
        rows = read_table(results / "tables" / f"{name}.csv", text=TEXT)
        if name in OF_THE_HONEST_SPLIT:
            rows = rows[rows["protocol"] == rows["study"].map(primary)]
        write_table(FOLDER / f"{name}.csv", rows)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    plots = results / "plots"
    _keep_picture(plots / "inflation.png", "inflation")
    for study, protocol in primary.items():
        _keep_picture(plots / study / f"learning_curves_{protocol}.png", study)
    kept = {
        **{key: run[key] for key in ("date", "commit", "versions")},
        **{key: config[key] for key in ("effort", "seeds")},
        # Of trainings that an earlier run made and this one took, too.
        "seconds": float(read_table(results / "tables" / "costs.csv")["train_seconds"].sum()),
        "differs": differing(config),
        "missing": [name for name in read_yaml(CONFIG)["studies"] if name not in primary],
        "studies": [_about(one, run["datasets"], results) for one in studies],
    }
    write_json(FOLDER / "run.json", kept)


def _keep_picture(source: Path, name: str) -> None:
    # Lines and letters need no more than a palette, at a third of the bytes.
    picture = Image.open(source).convert("RGB").quantize(256)
    picture.save(FOLDER / f"{name}.png", optimize=True)


def differing(config: Mapping[str, Any]) -> list[str]:
    """List the keys in which a run differs from config/findings.yaml, as `--config` takes them.

    Parameters
    ----------
    config : mapping
        As `lib.config.settings.resolve` returns it.
    """
    stated = resolve(merge(read_yaml(ROOT / "config" / "config.yaml"), read_yaml(CONFIG)))
    words = []
    for key, value in config.items():
        if key == "studies":
            if list(value) != list(stated[key]):
                words.append(f"studies={','.join(value)}")
        elif key not in SOURCES and value != stated[key]:
            words.append(f"{key}={json.dumps(value)}")
    return words


def _about(study: Mapping[str, Any], versions: Mapping[str, str], results: Path) -> dict[str, Any]:
    """Describe a study, with the size of its data under the honest split."""
    keys = ("study", "title", "question", "primary", "dataset")
    name, primary = study["study"], study["primary"]
    # The parts of any fold hold all examples, and each group once.
    parts = read_json(results / name / primary / "audit.json")["parts"]
    first = [part for part in parts if part["fold"] == 0]
    return {
        **{key: study[key] for key in keys},
        "protocols": {primary: study["protocols"][primary]},
        "version": versions[study["dataset"]],
        "recordings": read_json(results / name / "exploration.json")["recordings"],
        "refit": all(budget["refit"] for budget in study["budgets"].values()),
        **{key: sum(part[key] for part in first) for key in ("groups", "examples")},
    }


def render() -> str:
    """Return the whole page as Markdown."""
    run = read_json(FOLDER / "run.json")
    sections = [
        "\n".join(_section(study, tables, answer)) for study, tables, answer in _studies(run)
    ]
    picture = PICTURE.format("findings/inflation.png")
    return "\n".join([HEAD, _provenance(run), _data(run), picture, INFLATION, *sections])


def readme() -> str:
    """Return the README, its first figures made anew."""
    run = read_json(FOLDER / "run.json")
    seeds = f", means over {len(run['seeds'])} seeds" if len(run["seeds"]) > 1 else ""
    lines = [
        f"Measured on real recordings on {run['date']} ([findings](docs/findings.md)): macro-F1 on",
        f"groups that the network was not trained on{seeds}.\n",
        *(_first_figure(study, answer) for study, _, answer in _studies(run)),
        "",
        PICTURE.format("docs/findings/inflation.png"),
    ]
    text = "\n".join(lines)
    return filled(README.read_text(encoding="utf-8"), {"findings": text})


def _studies(run: Mapping[str, Any]) -> Iterator[tuple[Any, dict[str, pd.DataFrame], Any]]:
    """Yield each study with its rows of the tables, and what the report says of it."""
    names = (*WHOLE, *OF_THE_HONEST_SPLIT)
    tables = {name: read_table(FOLDER / f"{name}.csv", text=TEXT) for name in names}
    for study in run["studies"]:
        own = {name: rows[rows["study"] == study["study"]] for name, rows in tables.items()}
        gaps = records(primary_rows(study, own["inflation"]))
        yield study, own, answered(records(own["answers"])[0], gaps)


def _first_figure(study: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Say in a line what a study has found."""
    score, random = decimal(answer["macro_f1"]), decimal(answer["random_macro_f1"])
    words = f"- **{study['title']}**: the {answer['network']} reaches **{score or 'no score'}**"
    if answer["is_below"]:
        words += f", below a linear model ({decimal(answer['linear_macro_f1'])})"
    if answer["unfinished"]:
        words += f" (no comparison of architectures: {answer['unfinished']})"
    if answer["inflation"] == "up":
        words += f"; a random split would have reported **{random}**"
    elif answer["inflation"]:
        words += f"; a random split reports {random}, which is not shown to be an overestimate"
    first = f"{answer['baseline']} ({decimal(answer['baseline_macro_f1'])})"
    if answer["beats_baselines"] == "yes":
        words += f". It significantly beats {first}"
    elif answer["beats_baselines"] == "no" and not answer["winners"]:
        words += f". No network significantly beats {first}"
    elif answer["beats_baselines"] == "unknown" and answer["baseline"]:
        words += f". Whether it beats {first} could not be tested"
    return f"{words}."


def _provenance(run: Mapping[str, Any]) -> str:
    """Say when, with what and how long."""
    seeds = "seeds " if len(run["seeds"]) > 1 else "seed "
    seeds += listed([str(seed) for seed in run["seeds"]])
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    words = (
        f"Run on {run['date']} at commit {at_commit(run['commit'])}, "
        f"with effort `{run['effort']}` and {seeds}. "
        f"Its trainings took {seconds(run['seconds'])} in all. Made with {versions}.\n"
    )
    refits = [study["title"] for study in run["studies"] if study["refit"]]
    if refits:
        words += (
            f"\nFor {listed(refits)}, each network and baseline was trained anew on the train and "
            "validation parts together before it was tested.\n"
        )
    if run["differs"]:
        given = listed([f"`{word}`" for word in run["differs"]])
        words += f"\nThis run differs from that command: it was given {given}.\n"
    if run["missing"]:
        words += f"\nNot in this run: {listed(run['missing'])}.\n"
    return words


def _data(run: Mapping[str, Any]) -> str:
    """List the data, as many as the honest split has."""
    head = ("study", "dataset", "version", "recordings", "groups", "examples", "honest split")
    keys = head[:-1]
    rows = [
        (*(one[key] for key in keys), one["protocols"][one["primary"]]["title"])
        for one in run["studies"]
    ]
    return table(head, rows)


def _section(
    study: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], answer: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what the page says of a study; each sentence is computed from the tables."""
    name, board = study["study"], main_board(study, tables)
    yield f"## {study['title']}\n\n{study['question']}\n"
    yield _verdict(answer) + "\n"
    if sentences := _of_all_networks(study, tables):
        yield sentences + "\n"
    yield f"{board.caption}\n\n{_markdown(board)}"
    yield CURVES.format(name)
    if claims := claims_table(tables["claims"], [study]):
        yield f"{claims.caption}\n\n{_markdown(claims)}"


def _verdict(answer: Mapping[str, Any]) -> str:
    """Repeat what the report says of a study."""
    macros: Any = templates().get_template("macros.html.j2").module
    words = re.sub(r"</?strong[^>]*>", "**", macros.answer({"answer": answer}))
    return html.unescape(" ".join(words.split()))


def _of_all_networks(study: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> str:
    """Say which network scores highest, and for which the random split overestimates."""
    networks = [
        row
        for row in records(primary_rows(study, tables["leaderboard"]))
        if row["kind"] == "network" and row["unit"] == "example" and math.isfinite(row["estimate"])
    ]
    words = []
    if networks:
        most = max(row["estimate"] for row in networks)
        first = [row["architecture"] for row in networks if row["estimate"] == most]
        best = [f"the {display(name)}" for name in first]
        verb = "scores" if len(best) == 1 else "score"
        words.append(f"Of all networks, {listed(best)} {verb} highest ({decimal(most)}).")
    of: dict[str, list[str]] = {}
    for row in records(primary_rows(study, tables["inflation"])):
        if row["kind"] == "network":
            name, low, high = f"the {display(row['architecture'])}", row["low"], row["high"]
            if math.isnan(low):
                of.setdefault("cannot be given for", []).append(name)
            elif low > 0:
                of.setdefault("is above 0 for", []).append(name)
            elif high < 0:
                of.setdefault("is below 0 for", []).append(name)
            else:
                of.setdefault("includes 0 for", []).append(name)
    if of:
        parts = [f"{where} {listed(names)}" for where, names in of.items()]
        words.append(f"The interval of the inflation {'; it '.join(parts)}.")
    return " ".join(words)


def _markdown(view: TableView) -> str:
    """Write a table of the report in Markdown, its long remarks below it."""
    columns = [n for n, name in enumerate(view.columns) if name not in DROPPED]
    remarks: list[str] = []

    def shown(cell: Cell) -> str:
        words = [cell.text, f"({cell.range})" if cell.range else ""]
        if cell.note and (cell.range or len(cell.note) > LONG_REMARK):
            if cell.note not in remarks:
                remarks.append(cell.note)
            words.append(f"[{remarks.index(cell.note) + 1}]")
        elif cell.note:
            words.append(f"({cell.note})")
        return " ".join(filter(None, words)).replace("|", "\\|")

    rows = [[shown(row[n]) for n in columns] for row in view.rows]
    below = "".join(f"\n[{n}] {remark}.\n" for n, remark in enumerate(remarks, 1))
    return table([view.columns[n] for n in columns], rows) + below


def write() -> None:
    """Write the page, and the first figures of the README."""
    PAGE.write_text(render(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Take in a run, and write both pages."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m pages.findings RESULTS")
    try:
        take_in(Path(arguments[0]))
    except HeldoutError as error:
        raise SystemExit(str(error)) from error
    write()


if __name__ == "__main__":
    main(sys.argv[1:])
