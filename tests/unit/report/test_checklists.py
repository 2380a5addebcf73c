"""Checklists: the published items, each answered with evidence, or left to a person."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from lib.compare import compare
from lib.errors import HeldoutError
from lib.files import read_table, read_yaml
from lib.plots import plot_overall, plot_study
from lib.report import facts as module
from lib.report import links, render, write_checklists
from lib.report.checklists import FORMATS, LISTS, Item, fill, lists_of, markdown
from lib.report.facts import known_of, study_facts
from lib.report.page import TEXT
from tests.support.runs import make_runs, study

# Kapoor et al. 2024, table 1: the modules and how many items each has, lettered from a.
REFORMS = {
    "Study goals": 3,
    "Computational reproducibility": 5,
    "Data quality": 7,
    "Data preprocessing": 3,
    "Modeling": 6,
    "Data leakage": 3,
    "Metrics and uncertainty": 3,
    "Generalizability and limitations": 2,
}
# Collins et al. 2024, table 2: sections, and topics with the numbers of their items.
TRIPOD_AI = {
    "Title": {"Title": "1"},
    "Abstract": {"Abstract": "2"},
    "Introduction": {"Background": "3a 3b 3c", "Objectives": "4"},
    "Methods": {
        "Data": "5a 5b",
        "Participants": "6a 6b 6c",
        "Data preparation": "7",
        "Outcome": "8a 8b 8c",
        "Predictors": "9a 9b 9c",
        "Sample size": "10",
        "Missing data": "11",
        "Analytical methods": "12a 12b 12c 12d 12e 12f 12g",
        "Class imbalance": "13",
        "Fairness": "14",
        "Model output": "15",
        "Training versus evaluation": "16",
        "Ethical approval": "17",
    },
    "Open science": {
        "Funding": "18a",
        "Conflicts of interest": "18b",
        "Protocol": "18c",
        "Registration": "18d",
        "Data sharing": "18e",
        "Code sharing": "18f",
    },
    "Patient and public involvement": {"Patient and public involvement": "19"},
    "Results": {
        "Participants": "20a 20b 20c",
        "Model development": "21",
        "Model specification": "22",
        "Model performance": "23a 23b",
        "Model updating": "24",
    },
    "Discussion": {
        "Interpretation": "25",
        "Limitations": "26",
        "Usability of the model in the context of current care": "27a 27b 27c",
    },
}
# What no run can know, whatever was measured.
ONLY_A_PERSON = {
    "reforms": "1a 1b 1c 3b 3c 3g 5b",
    "tripod_ai": "1 3a 3b 3c 5b 6a 6c 8b 8c 9c 17 18a 18b 18c 18d 19 25 27b 27c",
    "e3c": "",
}
LIBRARY = Path(module.__file__).parent
ODD = "a|b <script>alert(1)</script> *c*"


def items(name):
    return read_yaml(LIBRARY / f"{name}.yaml")["items"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checklists")
    studies = [
        study("beats", classes=list("NSVFQ"), scored=list("NSVF"), architectures=["lstm", "cnn"]),
        study(
            "voices", classes=["a", ODD], scored=["a", ODD], architectures=["cnn"],
            simulated=False, title=ODD, example_kind="spectral",
        ),
    ]  # fmt: skip
    for budget in studies[0]["budgets"].values():
        budget["undersampling"] = 2.0
    made = make_runs(folder, studies=studies, groups=14, per_group=6)
    compare(
        studies, results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=100,
    )  # fmt: skip
    # Without pictures the page has no section on cost.
    for one in studies[:1]:
        plot_study(
            one, tables=made["tables"], results=made["results"],
            folder=made["plots"] / one["study"],
        )  # fmt: skip
    plot_overall(studies, tables=made["tables"], folder=made["plots"])
    names = ("tables", "results", "manifests", "provenance")
    known = {name: made[name] for name in names}
    made["page"] = made["results"] / "report.html"
    render(studies, plots=made["plots"], output=made["page"], checklists=links(studies), **known)
    made["written"] = write_checklists(
        studies, page=made["page"], folder=made["results"] / "checklists", **known
    )
    return made


def table(made, study, name):
    path = made["results"] / "checklists" / study / f"{name}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


WRITTEN = [("beats", name) for name in LISTS] + [("voices", name) for name in LISTS[:2]]


def test_reforms_has_its_32_items_in_8_modules():
    expected = [
        (f"{number}{letter}", section)
        for number, (section, count) in enumerate(REFORMS.items(), start=1)
        for letter in "abcdefg"[:count]
    ]
    assert [(item["number"], item["section"]) for item in items("reforms")] == expected
    assert (len(expected), len(REFORMS)) == (32, 8)


def test_tripod_ai_has_its_27_items_in_52_parts():
    expected = [
        (number, section, topic)
        for section, topics in TRIPOD_AI.items()
        for topic, numbers in topics.items()
        for number in numbers.split()
    ]
    got = [(item["number"], item["section"], item["topic"]) for item in items("tripod_ai")]
    assert got == expected
    assert len(expected) == 52
    assert [int(n) for n in dict.fromkeys(re.sub(r"\D", "", n) for n, *_ in got)] == [*range(1, 28)]


def test_e3c_has_its_three_criteria():
    assert [item["number"] for item in items("e3c")] == ["Embedded", "Clinical", "Comparative"]


@pytest.mark.parametrize("name", LISTS)
def test_each_item_has_a_title_of_its_own_and_says_who_answers_it(name):
    content = read_yaml(LIBRARY / f"{name}.yaml")
    assert content["name"] in content["source"] or name == "e3c"
    assert content["address"].startswith("https://")
    titles = [item["title"] for item in content["items"]]
    assert len(set(titles)) == len(titles)
    assert all(item.get("facts") or item.get("needs") for item in content["items"])
    alone = {item["number"] for item in content["items"] if not item.get("facts")}
    assert alone == set(ONLY_A_PERSON[name].split())


def test_each_fact_is_asked_for_and_each_that_is_asked_for_is_known():
    asked = {fact for name in LISTS for item in items(name) for fact in item.get("facts", [])}
    assert asked == set(read_yaml(LIBRARY / "facts.yaml"))


def test_only_heart_beats_have_the_criteria_for_arrhythmias(made):
    beats, voices = made["studies"]
    assert lists_of(beats) == list(LISTS)
    assert lists_of(voices) == list(LISTS[:2])
    folder = made["results"] / "checklists"
    names = [f"{study}/{name}.{ending}" for study, name in WRITTEN for ending in FORMATS]
    assert sorted(made["written"]) == sorted(folder / name for name in names)
    assert all(path.is_file() for path in made["written"])


@pytest.mark.parametrize(("study", "name"), WRITTEN)
def test_an_item_is_answered_with_evidence_or_left_open_with_what_is_needed(made, study, name):
    rows = table(made, study, name)
    assert rows["item"].tolist() == [item["number"] for item in items(name)]
    for row in rows.itertuples():
        assert bool(row.answer) == bool(row.evidence) == (row.state != "open"), row
        assert bool(row.needed) == (row.state != "answered"), row
        said = f"{row.answer} {row.needed}"
        assert not re.search(r"\bnan\b|\bNone\b|[{}]|  |\( ?\)| [,.;]", said.strip()), said
        assert not row.answer or row.answer[0].isupper() or row.answer[0] in "`0123456789", said
    assert set(rows.loc[rows["state"] == "open", "item"]) == set(ONLY_A_PERSON[name].split())


@pytest.mark.parametrize(("study", "name"), WRITTEN)
def test_evidence_is_there(made, study, name):
    ids = set(re.findall(r'id="([^"]+)"', made["page"].read_text()))
    folder = made["results"] / "checklists" / study
    places = {place for cell in table(made, study, name)["evidence"] for place in cell.split("; ")}
    for place in places - {"", "../../provenance.json"}:  # which the script writes
        file, _, anchor = place.partition("#")
        assert (folder / file).resolve().is_file(), place
        assert not anchor or anchor in ids, place
    page = (folder / f"{name}.html").read_text()
    assert places - {""} <= set(re.findall(r'href="([^"]+)"', page))


def test_nothing_is_lost_of_what_facts_name_where_the_page_shows_all(made):
    """A misspelt anchor would be passed over like one that this page has no picture for."""
    ids = set(re.findall(r'id="([^"]+)"', made["page"].read_text()))
    beats = made["studies"][0]
    named = [module._place(one, beats)[1] for one in module.PLACES]
    assert {place[1:] for place in named} <= ids


def test_evidence_of_an_unknown_name_is_an_error(made, monkeypatch):
    monkeypatch.setattr(
        module, "read_yaml", lambda _: {"x": {"says": "X.", "evidence": ["nowhere"]}}
    )
    with pytest.raises(HeldoutError, match=r"expected one of answers, data, .* a table or"):
        study_facts(made["studies"][0], {}, shown=set())


def test_the_page_links_to_each(made):
    page = made["page"].read_text()
    for path in made["written"]:
        if path.suffix == ".html":
            assert f'href="{path.relative_to(made["results"]).as_posix()}"' in page


@pytest.mark.parametrize(("study", "name"), WRITTEN)
def test_a_page_needs_nothing_from_elsewhere_and_fits_a_phone(made, study, name):
    page = (made["results"] / "checklists" / study / f"{name}.html").read_text()
    assert not re.search(r"<(script|img|iframe)|url\(|@import", page)
    assert re.findall(r"<link[^>]*>", page) == ['<link rel="icon" href="data:,">']
    assert 'content="width=device-width, initial-scale=1"' in page
    assert "prefers-color-scheme: dark" in page
    # Wide tables do not fit one.
    assert "<table" not in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == len(items(name))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_names_from_data_are_no_markup(made):
    folder = made["results"] / "checklists" / "voices"
    page = (folder / "reforms.html").read_text()
    assert "<script" not in page
    assert ODD in unescape(page)
    text = (folder / "reforms.md").read_text()
    assert markdown(ODD) in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    # A head and a row for each item, six cells each, whatever a name smuggles in.
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    assert len(rows) == 1 + 32


def test_all_formats_say_the_same(made):
    rows = table(made, "beats", "tripod_ai")
    folder = made["results"] / "checklists" / "beats"
    text, page = (
        (folder / f"tripod_ai.{ending}").read_text(encoding="utf-8") for ending in ("md", "html")
    )
    for row in rows.itertuples():
        assert f"| {row.item} | " in text
        assert f"| {row.state} | {markdown(row.answer)} |" in text
        article = page.split(f'id="item-{row.item}"')[1].split("</article>")[0]
        assert f">{row.state}</span>" in article
        assert row.needed in unescape(article)
    counts = rows["state"].value_counts()
    said = f"{counts['answered']} answered, {counts['in part']} in part, {counts['open']} open"
    assert said in text
    assert said in page


def test_simulated_recordings_are_told_at_the_top(made):
    folder = made["results"] / "checklists"
    for name, simulated in (("beats", True), ("voices", False)):
        for ending in ("html", "md"):
            text = (folder / name / f"reforms.{ending}").read_text()
            assert ("no claim about people can rest on these answers" in text) == simulated


def test_a_request_to_the_author_may_depend_on_the_run():
    facts = dict.fromkeys(read_yaml(LIBRARY / "facts.yaml"), module.Fact("X.", {}))
    needs = {
        excluded: {
            item.number: item.needs
            for item in fill("reforms", facts, {"excluded": excluded, "left_out": {}})
        }
        for excluded in (("102",), ())
    }
    assert needs["102",]["4a"] == "Say why these recordings are excluded."
    assert needs[()]["4a"] == ""


def said_of_voices(made, fact, *, manifest=None, **changed):
    """Return what a fact says of `voices`, with another manifest or other keys of the study."""
    voices = made["studies"][1] | changed
    names = ("trials", "answers", "per_class", "group_means", "subgroups", "costs", "aami")
    tables = {name: read_table(made["tables"] / f"{name}.csv", text=TEXT) for name in names}
    tables = {name: rows[rows["study"] == "voices"] for name, rows in tables.items()}
    data = made["manifests"][1] | (manifest or {})
    known = known_of(voices, tables, results=made["results"], data=data, provenance={})
    return study_facts(voices, known, shown=set())[fact].says


def test_a_folder_of_ones_own_leaves_out_what_a_published_dataset_stops_at(made):
    assert "a truncated file stops the run" in said_of_voices(made, "damaged")
    own = said_of_voices(made, "damaged", manifest={"source": "folder"})
    assert own.startswith("A recording that is truncated or cannot be read is left out")
    assert "checksum" not in own


def test_a_search_in_folds_is_told_by_the_name_of_its_network(made):
    assert "inside the training set" not in said_of_voices(made, "search")
    said = said_of_voices(made, "search", searched_in_folds={"lstm": 5})
    assert "For the LSTM it was the lowest mean loss over 5 folds of groups inside" in said


def test_what_the_survey_of_a_folder_left_out_counts_as_missing(made):
    said = [
        said_of_voices(made, "missing", manifest={"left_out": left_out})
        for left_out in ([], [{"path": "x.wav", "reason": "it is empty"}])
    ]
    assert said[0].startswith("No recording was left out; each of the 14 has examples.")
    assert said[1].startswith("Left out: 1 of 15 recordings (6.7%), each with its reason")


def test_what_an_epoch_leaves_out_is_told(made):
    said = {
        study: table(made, study, "tripod_ai").set_index("item")["answer"]["13"]
        for study in ("beats", "voices")
    }
    assert said["beats"].startswith(
        "In each epoch of LSTM and CNN the largest class has at most 2 times the examples of all "
        "others together, drawn anew. Models were not"
    )
    assert said["voices"].startswith("No weights by class and no resampling. Models were not")


def test_states():
    fact = module.Fact("X.", {})
    assert Item("1", "A", "T", needs="do").state == "open"
    assert Item("1", "A", "T", facts=[fact]).state == "answered"
    assert Item("1", "A", "T", facts=[fact], needs="do").state == "in part"
