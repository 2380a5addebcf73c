"""The page: self-contained, escaped, and honest about simulation, leaks and missing intervals."""

from __future__ import annotations

import math
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pandas as pd
import pytest
from markupsafe import Markup

from lib.compare import compare
from lib.errors import HeldoutError
from lib.files import read_json, read_table, write_json, write_table
from lib.metrics.losses import log_loss
from lib.metrics.registry import METRICS, Metric, of_examples
from lib.plots import plot_overall, plot_study
from lib.report.boards import differences, main_board
from lib.report.choices import worst_choice
from lib.report.figures import figure
from lib.report.groups import MOST_GROUPS, groups_view, subgroups_view
from lib.report.hyperparameters import chosen, trials
from lib.report.names import listed
from lib.report.overall import _digest_of_files, claims_table, costs_table
from lib.report.page import TEXT, render, templates
from lib.report.shortcuts import shortcuts_view
from lib.report.study import answered
from lib.report.table import TableView, interval, number, seconds, text
from tests.support.runs import compare_runs, make_runs, small_runs, study

MARKUP = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Collects what a browser would load, the ids, and the headings."""

    def __init__(self, source):
        super().__init__()
        self.addresses, self.ids, self.headings, self.links = [], [], [], []
        self.images = []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.addresses += [values[name] for name in ("src", "href") if name in values]
        if "id" in values:
            self.ids.append(values["id"])
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    studies = [
        study("beats", classes=["N", MARKUP], scored=["N", MARKUP], architectures=["lstm", "cnn"]),
        study("voices", classes=["a", "b"], scored=["a", "b"], simulated=False),
    ]
    made = make_runs(tmp_path_factory.mktemp("report"), studies=studies, groups=14, per_group=6)
    compare(
        studies, results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=100,
    )  # fmt: skip
    # One study without pictures: the page stands without them.
    for one in studies[:1]:
        plot_study(
            one, tables=made["tables"], results=made["results"],
            folder=made["plots"] / one["study"],
        )  # fmt: skip
    plot_overall(studies, tables=made["tables"], folder=made["plots"])
    return made


def _render(made, output, **changes):
    options = {
        name: made[name]
        for name in ("studies", "tables", "plots", "results", "manifests", "provenance")
    } | changes
    return render(options.pop("studies"), output=output, **options).read_text()


@pytest.fixture(scope="module")
def source(made, tmp_path_factory):
    return _render(made, tmp_path_factory.mktemp("page") / "report.html")


def test_nothing_is_loaded_from_elsewhere(source):
    page = Page(source)
    assert page.addresses
    for address in page.addresses:
        assert address.startswith(("data:", "#")), address
    style = re.search(r"<style>(.*?)</style>", source, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert len(source) < 5_000_000


def test_links_lead_somewhere_and_ids_are_unique(source):
    page = Page(source)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_headings_do_not_skip_a_level(source):
    levels = Page(source).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_every_picture_has_words(source):
    images = Page(source).images
    kinds = ("confusion", "learning_curves", "calibration", "class_counts")
    expected = {"inflation", "critical-difference"}
    own = ("inflation", "groups", "validation", "examples", "mean", "pareto")
    own += ("shortcuts", "permutations")
    expected |= {f"beats-{name}" for name in own}
    expected |= {f"beats-{kind}-{split}" for kind in kinds for split in ("grouped", "random")}
    assert {image["data-name"] for image in images} - {"beats-importance"} == expected
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", source, re.S)
    assert len(captions) == len(images)
    for image, caption in zip(images, captions, strict=True):
        # A screen reader reads both.
        assert len(image["alt"]) > 20
        assert unescape(caption) not in image["alt"]
    assert len({image["alt"] for image in images}) == len(images)


def test_markup_in_class_names_is_escaped(source):
    assert MARKUP not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in source
    # Ours, and only ours.
    assert source.count("<script>") == 1


def test_simulated_studies_and_no_others_wear_the_badge(source):
    beats, voices = source.split('<section id="voices"')
    assert beats.split('<section id="beats"')[1].count('class="badge"') >= 4
    assert 'class="badge"' not in voices.split('<section id="ranks"')[0]


def test_the_leak_and_the_answer_are_said(source):
    assert "This split leaks." in source
    assert "The audit found no leak." in source
    assert "chosen on the validation set, reaches a macro-F1 of" in source


def test_sources_are_named(source):
    for words in ("0123abc", "ODC-By 1.0", "Moody and Mark 2001", "5 min 40 s", "voices.epochs"):
        assert words in source


def test_the_same_inputs_give_the_same_page(made, source, tmp_path):
    assert _render(made, tmp_path / "again.html") == source


def test_what_the_audit_misses_is_listed(made, tmp_path):
    path = made["results"] / "voices" / "grouped" / "audit.json"
    audit = read_json(path)
    gone = [{"fold": 0, "part": "test", "class": "<i>b"}]
    write_json(path, audit | {"missing_classes": gone})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, audit)
    assert "No examples of <bdi>&lt;i&gt;b</bdi> in the test set of fold 0." in page


def test_a_class_that_no_network_could_learn_is_said_beside_the_verdict(made, tmp_path):
    path = made["results"] / "voices" / "grouped" / "audit.json"
    audit = read_json(path)
    (label, *_) = next(one for one in made["studies"] if one["study"] == "voices")["scored"]
    write_json(path, audit | {"missing_classes": [{"fold": 1, "part": "train", "class": label}]})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, audit)
    assert f"Nothing could be learned of the class {label}, which is tested on" in page
    assert "Nothing could be learned" not in _render(made, tmp_path / "again.html")


def test_a_missing_table_or_audit_is_named(made, tmp_path):
    with pytest.raises(HeldoutError, match=r"runs.csv: expected a csv table"):
        _render(made, tmp_path / "report.html", tables=tmp_path)
    with pytest.raises(HeldoutError, match=r"exploration.json: expected a JSON file"):
        _render(made, tmp_path / "report.html", results=tmp_path)
    for one in made["studies"]:
        file = f"{one['study']}/exploration.json"
        write_json(tmp_path / file, read_json(made["results"] / file))
    with pytest.raises(HeldoutError, match=r"audit.json: expected a JSON file"):
        _render(made, tmp_path / "report.html", results=tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_half_a_picture_is_named(made, tmp_path):
    (tmp_path / "inflation.svg").write_text("<svg></svg>")
    with pytest.raises(HeldoutError, match=r"inflation: expected a picture as .svg and .png"):
        _render(made, tmp_path / "report.html", plots=tmp_path)


def test_no_study_is_refused(made, tmp_path):
    with pytest.raises(HeldoutError, match="expected at least one to report"):
        _render(made, tmp_path / "report.html", studies=[])


def test_cells():
    nan = float("nan")
    assert number(nan, note="one class").note == "one class"
    assert number(nan).text == "–"
    assert number(0.5, sign=True).text == "+0.500"
    assert text(None).value == ""
    row = {"estimate": 0.5, "low": 0.25, "high": 0.75}
    assert interval(row, bar=True).bar == (0.25, 0.5, 0.75)
    assert interval(row).range == "0.25 to 0.75"
    assert interval(row | {"low": nan}, note="3 groups").range == ""
    assert [seconds(s) for s in (0.0123, 12.34, 340, 7300)] == [
        "12.3 ms", "12.3 s", "5 min 40 s", "2 h 1 min",
    ]  # fmt: skip


def test_a_search_that_is_not_deterministic_is_said_to_be_so(made, source, tmp_path):
    assert "not deterministic" not in source
    first, *others = made["studies"]
    studies = [{**first, "shared_searches": {"cnn": 4}}, *others]
    page = _render(made, tmp_path / "report.html", studies=studies)
    assert "The search of the CNN was shared by 4 workers, so it is not deterministic" in page


def test_a_search_with_a_choice_among_folds_is_said_to_flatter(made, source, tmp_path):
    flattered = "scores over all folds are slightly optimistic"
    assert flattered not in source
    first, *others = made["studies"]
    several = {name: rule | {"folds": 5} for name, rule in first["protocols"].items()}
    several = {**first, "protocols": several}
    page = _render(made, tmp_path / "report.html", studies=[several, *others])
    assert page.count(flattered) == 1
    assert page.count("sets of the first fold of the honest split") == 1
    table = pd.DataFrame({"architecture": ["cnn", "lstm"], "trial": ["a", "b"], "chosen": True})
    assert flattered not in trials(several, table).caption


def _answered(changes=None, selected=None, **of_row):
    row = {
        "architecture": "cnn", "macro_f1": 0.5, "low": 0.4, "high": 0.6, "interval_note": "",
        "random_macro_f1": 0.9, "groups": 20, "baseline": "", "baseline_macro_f1": math.nan,
        "beats_baselines": "", "networks_that_beat": "", "difference": math.nan,
        "difference_low": math.nan, "difference_high": math.nan, "note": "",
        "unfinished": "", "below_linear": "", "linear_macro_f1": 0.55,
        "metadata_macro_f1": 0.45, "metadata_suffices": "no", "metadata_column": "rate",
        "metadata_column_macro_f1": 0.4,
    }  # fmt: skip
    gap = {"architecture": "cnn", "difference": 0.4, "low": 0.3, "high": 0.5, "note": ""}
    return answered(row | of_row, [gap | (changes or {})], selected=selected)


def _said(answer):
    """Write the sentences without markup."""
    macros = templates().get_template("macros.html.j2").module
    page = macros.answer({"answer": answer}) + macros.asked({"answer": answer})
    return " ".join(re.sub(r"</?(strong|ul|li)[^>]*>", "", page).split())


FEW = "4 groups: too few for an interval"
BASELINE = {"baseline": "metadata", "baseline_macro_f1": 0.45}
POWER = {"difference": 0.05, "detectable": 0.12, "groups_needed": 1234.0}
RIVAL = {
    "rival": "lstm", "rival_macro_f1": 0.47, "rival_difference": 0.03, "rival_low": -0.05,
    "rival_high": 0.11, "rival_p_holm": 0.4, "rival_detectable": 0.15, "rival_groups_needed": 500.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("gap", "row", "words"),
    [
        ({}, {}, "The CNN, chosen on the validation set, reaches a macro-F1 of 0.50 (95% CI 0.40 "
            "to 0.60) on 20 groups that it has never seen. A random split overestimates it: the "
            "same network appears to reach 0.90, a difference of +0.40 (+0.30 to +0.50)."),
        ({"note": "7 groups: narrow"}, {}, "+0.40 (+0.30 to +0.50; 7 groups: narrow)."),
        ({"difference": -0.4, "low": -0.5, "high": -0.3}, {}, "With a random split it reaches "
            "0.90, which is lower, a difference of −0.40 (−0.50 to −0.30)."),
        ({"low": -0.1, "note": "7 groups: narrow"}, {}, "With a random split it reaches 0.90; the "
            "data do not show an overestimate, a difference of +0.40 (−0.10 to +0.50; 7 groups: "
            "narrow)."),
        ({"low": math.nan, "high": math.nan, "note": FEW}, {}, "With a random split it reaches "
            f"0.90, a difference of +0.40 ({FEW})."),
        ({}, {"macro_f1": math.nan, "interval_note": "fewer than two classes"},
            "There is no macro-F1 for the CNN: fewer than two classes."),
        ({}, {"low": math.nan, "high": math.nan, "interval_note": FEW}, f"of 0.50 ({FEW}) on 20"),
        ({}, BASELINE | {"beats_baselines": "yes", "difference": 0.05, "difference_low": 0.01,
            "difference_high": 0.09}, "It beats the best baseline (metadata only, 0.45) by 0.05 "
            "(0.01 to 0.09)."),
        ({}, BASELINE | {"beats_baselines": "unknown", "note": FEW}, "Whether it beats the best "
            f"baseline (metadata only, 0.45) could not be tested. Note: {FEW}."),
        ({}, BASELINE | {"beats_baselines": "no", "networks_that_beat": "lstm gru"}, "It does not "
            "significantly beat the best baseline (metadata only, 0.45); LSTM and GRU did."),
        ({}, BASELINE | {"beats_baselines": "no", "networks_that_beat": "lstm gru simple_rnn"},
            "; LSTM, GRU and SimpleRNN did."),
        ({}, {"below_linear": "cnn lstm"}, "on 20 groups that it has never seen, below a linear "
            "model (0.55). A random split"),
        ({}, {"below_linear": "lstm gru"}, "Below a linear model (0.55): LSTM and GRU."),
        ({}, {"unfinished": "lstm: still improving; gru: diverged; cnn: nothing learned"}, "it has "
            "never seen. This is not a comparison of architectures: the LSTM was still improving, "
            "the GRU diverged and the CNN has learned nothing. A random split"),
        ({}, {"unfinished": "cnn: nothing learned in 1 of 2 trainings; gru: diverged in 3 of 5 "
            "trainings"}, "of architectures: the CNN has learned nothing in 1 of 2 trainings and "
            "the GRU diverged in 3 of 5 trainings. A random split"),
        ({}, {"unfinished": "lstm: still improving; gru: has its best learning rate, 0.01, at the "
            "edge of its range (0.001 to 0.01)"}, "This is not a comparison of architectures: the "
            "LSTM was still improving and the GRU has its best learning rate, 0.01, at the edge of "
            "its range (0.001 to 0.01). A random split"),
        ({}, {"metadata_suffices": "yes"}, "What is known without the signal reaches 0.45, not "
            "significantly less. The sampling rate alone reaches 0.40: the classes may differ in "
            "how they were recorded, and a network may have learned just that. Compare recordings "
            "of one rate,"),
        ({}, {"metadata_suffices": "unknown"}, "What is known without the signal reaches 0.45, and "
            "whether that is less could not be tested. The sampling rate alone reaches 0.40:"),
        ({}, {"metadata_suffices": "yes", "metadata_column": "age"}, "Age alone reaches 0.40: the "
            "classes may differ in how they were recorded, and a network may have learned just "
            "that. Where age says how, where or when a recording was made,"),
        ({}, {"groups": 1}, "on 1 group that it has never seen."),
        ({}, {"groups": 1234}, "on 1,234 groups that it has never seen."),
        ({}, BASELINE | {"beats_baselines": "no"},
            "No network significantly beats the best baseline (metadata only, 0.45)."),
        ({}, BASELINE | {"beats_baselines": "no", "below_linear": "lstm"},
            "best baseline (metadata only, 0.45). Below a linear model (0.55): LSTM."),
        ({}, BASELINE | POWER | {"beats_baselines": "no"}, "(metadata only, 0.45). On 20 groups a "
            "true difference of 0.12 or more is found with a power of 80%; 0.050, the difference "
            "seen, would need about 1,234 groups."),
        ({}, BASELINE | POWER | {"beats_baselines": "no", "groups_needed": math.nan},
            "a true difference of 0.12 or more is found with a power of 80%."),
        ({}, BASELINE | POWER | {"beats_baselines": "no", "detectable": 1.2, "difference": 0.2},
            "No difference is large enough to be found on 20 groups with a power of 80%; 0.20, the "
            "difference seen, would need about 1,234 groups."),
        ({}, RIVAL, "The data do not show whether it is better than the LSTM (0.47): the "
            "difference is +0.03 (−0.05 to +0.11). On 20 groups a true difference of 0.15 or more "
            "is found with a power of 80%; 0.030, the difference seen, would need about 500 "
            "groups."),
    ],
)  # fmt: skip
def test_the_sentences_that_answer_a_study(gap, row, words):
    assert words in _said(_answered(gap, **row))


@pytest.mark.parametrize(
    "row",
    [
        *({"rival": ""}, {"rival_p_holm": 0.01}, {"rival_p_holm": math.nan}),
        {"unfinished": "lstm: still improving"},
    ],
)
def test_networks_that_differ_or_were_not_compared_are_not_said_to_be_alike(row):
    assert "do not show whether" not in _said(_answered(**RIVAL | row))


@pytest.mark.parametrize("gap", [{"difference": math.nan}, {"architecture": "lstm"}])
def test_without_a_difference_nothing_is_said_of_a_random_split(gap):
    assert _said(_answered(gap)).endswith("on 20 groups that it has never seen.")


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.05, "LSTM is better"),
        (0.051, "no significant difference"),
        (math.nan, "could not be tested"),
    ],
)
def test_what_a_reader_may_conclude_of_a_difference(made, p, words):
    table = read_table(made["tables"] / "differences.csv", text=TEXT)
    table = table[table["study"] == "beats"].assign(p_holm=p, difference=0.2, note=FEW)
    row = differences(made["studies"][0], table).rows[0]
    assert row[0].text == "LSTM"
    assert row[4].text == words
    # Here stands why nothing could be tested.
    assert row[2].note == FEW


def test_networks_that_have_not_converged_are_not_compared(made):
    table = read_table(made["tables"] / "differences.csv", text=TEXT)
    table = table[table["study"] == "beats"].assign(p_holm=0.01, difference=0.2)
    table["unfinished"] = "lstm: still improving"
    row = differences(made["studies"][0], table).rows[0]
    assert row[4].text == "not a comparison of architectures: the LSTM was still improving"


def test_the_leaderboard_says_how_trainings_ended(made):
    study = made["studies"][0]
    tables = {
        name: read_table(made["tables"] / f"{name}.csv", text=TEXT)
        for name in ("leaderboard", "inflation", "letters", "answers")
    }
    tables = {name: table[table["study"] == study["study"]] for name, table in tables.items()}
    board = tables["leaderboard"]
    lstm = board["architecture"] == "lstm"
    board.loc[lstm, "ending"] = "3 converged, 1 diverged"
    answers = tables["answers"].assign(linear_macro_f1=board[lstm]["estimate"].max() + 1)
    view = main_board(study, tables | {"answers": answers})
    column = view.columns.index("Training")
    cells = {row[0].text: (row[0].note, row[column].text, row[column].tone) for row in view.rows}
    assert cells["LSTM"] == ("below a linear model", "3 converged, 1 diverged", "bad")
    assert cells["CNN"][1:] == ("converged", "")
    assert cells["majority class"] == ("baseline", "–", "")


@pytest.mark.parametrize(
    ("counts", "epochs", "undersampling", "words"),
    [
        ([4, 4], [20, 20], None, "Each network had 4 trials and 20 epochs at most."),
        ([1, 1], [1, 1], 0, "Each network had one trial and one epoch."),
        ([6, 1], [20, 20], 0, "not as many trials: the LSTM 6 trials and the GRU one trial. One"),
        ([4, 4], [20, 20], 2.5, "20 epochs at most, each with at most 2.5 times as many examples"),
        ([4, 4], [20, 9], 0, "budgets: the LSTM 4 trials and 20 epochs at most and the GRU"),
    ],
)
def test_what_each_network_was_given_is_said(made, counts, epochs, undersampling, words):
    rows = [
        {"study": "beats", "architecture": name, "trial": f"{name}-{n}", "chosen": n == 0}
        | {"units": "32", "dropout": 0.1 * n, "weight_decay": 0.0}
        for name, count in zip(("lstm", "gru"), counts, strict=True)
        for n in range(count)
    ]
    limits = zip(("lstm", "gru"), epochs, strict=True)
    same = {"seconds": None, "undersampling": undersampling, "refit": False}
    budgets = {n: same | {"epochs": limit} for n, limit in limits}
    view = chosen(made["studies"][0] | {"budgets": budgets}, pd.DataFrame(rows))
    assert words in view.caption
    # Dropout and weight decay have their default in the two trials that were chosen.
    assert view.columns == ["Model", "Trials", "units"]


def test_names_are_listed_as_in_a_sentence():
    assert [listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    one, two = Markup("<bdi>1</bdi>"), Markup("<bdi>2</bdi>")
    assert listed([one, two, two]) == Markup("<bdi>1</bdi>, <bdi>2</bdi> and <bdi>2</bdi>")
    assert isinstance(listed([one, two]), Markup)


def test_a_claim_that_is_not_valid_stands_with_its_reason(made):
    claims = read_table(made["tables"] / "claims.csv", text=TEXT)
    claims = pd.concat([claims.head(1)] * 2).assign(study="beats", our_note="")
    claims["valid"] = [True, False]
    claims["group_disjoint"] = [False, ""]
    claims["note"] = ["", "the order gives the label away"]
    view = claims_table(claims, made["studies"])
    at = {name: k for k, name in enumerate(view.columns)}
    good, bad = view.rows
    assert [row[at["Valid"]].text for row in view.rows] == ["yes", "no"]
    assert bad[at["Valid"]].tone == "bad"
    assert bad[at["Claimed"]].note == "not valid"
    assert bad[at["Remark"]].text == "the order gives the label away"
    assert good[at["Claimed"]].note == ""
    assert [row[at["Disjoint groups"]].text for row in view.rows] == ["no", "not stated"]


def test_one_checksum_stands_for_all_files_whatever_their_order():
    files = [{"path": "a", "sha256": "1" * 64, "bytes": 5}, {"path": "b", "sha256": "2" * 64}]
    assert _digest_of_files(files) == _digest_of_files(files[::-1])
    assert _digest_of_files(files) != _digest_of_files([files[0], files[1] | {"path": "c"}])
    assert _digest_of_files([]) == ""


def test_a_drawing_survives_its_attribute(tmp_path):
    drawing = '<svg width="72.0pt" height="36.0pt"><text>50 % &quot;é\'# &amp;</text></svg>'
    (tmp_path / "one.svg").write_text(drawing, encoding="utf-8")
    (tmp_path / "one.png").write_bytes(b"x" * 4000)
    view = figure(tmp_path / "one")
    assert (view.vector, view.width, view.height) == (True, 96, 48)
    assert not set(view.uri) & set('"<>&#')
    decoded = unquote(view.uri.removeprefix("data:image/svg+xml,"))
    assert "50 % &quot;é'# &amp;</text></svg>" in decoded
    (tmp_path / "one.png").write_bytes(b"x")
    assert figure(tmp_path / "one").uri.startswith("data:image/png;base64,")


def test_a_long_remark_of_several_cells_is_a_footnote(source):
    note = "7 groups: the interval is likely too narrow"
    board = source.partition('data-name="beats-leaderboard"')[2].partition("</div>\n</div>")[0]
    assert board.count(f'data-note="{note}">[1]</sup>') > 3
    assert f'<small class="note">{note}</small>' not in board
    assert board.count(f'<p class="footnote">[1] {note}.</p>') == 1
    few = [[text("a", note=note)]] * 2
    assert TableView("t", "", ["A"], few).footnotes() == []
    assert TableView("t", "", ["A"], [*few, *few]).footnotes() == [note]
    assert TableView("t", "", ["A"], [[text("a", note="baseline")]] * 9).footnotes() == []


def test_the_context_of_each_class_is_shown_where_there_is_one(made, tmp_path):
    path = made["results"] / "voices" / "exploration.json"
    kept = read_json(path)
    classes = made["studies"][1]["classes"]
    quartiles = {name: [0.25, 1.5, 2.75] for name in classes}
    assert "quartiles" not in _render(made, tmp_path / "report.html")
    write_json(path, kept | {"context": {"rr_before": quartiles}})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, kept)
    assert page.count("below it the quartiles") == 1
    assert page.count("0.25 to 2.75") == len(classes)


@pytest.mark.parametrize(("count", "title"), [(1, "1 recording"), (27, "27 recordings")])
def test_recordings_worth_a_look_are_a_folded_table(made, tmp_path, count, title):
    path = made["results"] / "voices" / "exploration.json"
    kept = read_json(path)
    assert "worth a look" not in _render(made, tmp_path / "report.html")
    suspects = [{"recording": f"r{k}", "reason": "silent"} for k in range(count)]
    write_json(path, kept | {"suspects": suspects})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, kept)
    (table,) = re.findall(f"<summary>{title} worth a look</summary>(.*?)</details>", page, re.S)
    assert table.count("<td>silent") == count


@pytest.mark.parametrize(("count", "folded"), [(1, False), (3, False), (27, True)])
def test_many_remarks_on_the_recordings_are_folded(made, tmp_path, count, folded):
    path = made["results"] / "voices" / "exploration.json"
    kept = read_json(path)
    left_out = {f"r{k}": "got an empty file" for k in range(count)}
    nothing = {"count": 0, "recordings": []}
    write_json(path, kept | {"left_out": left_out, "duplicates": nothing})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, kept)
    assert page.count(": got an empty file.</li>") == count
    assert (f"<summary>{count} remarks on the recordings</summary>" in page) is folded


def test_a_study_without_a_random_split_has_no_inflation(made):
    one = made["studies"][0]
    tables = {
        name: read_table(made["tables"] / f"{name}.csv", text=TEXT)
        for name in ("leaderboard", "inflation", "letters", "answers")
    }
    tables = {name: table[table["study"] == one["study"]] for name, table in tables.items()}
    assert "Inflation" in main_board(one, tables).columns
    tables["inflation"] = tables["inflation"].head(0)
    view = main_board(one, tables)
    assert "Inflation" not in view.columns
    assert {len(row) for row in view.rows} == {len(view.columns)}


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (["beats", "voices"], "Beats: .* honest .*; .* Voices: .*"),
        (["voices"], "Voices: LSTM honest .*, random [^.]*.*"),
        ([], "No study has both an honest and a random split."),
    ],
)
def test_the_words_of_the_inflation_are_of_studies_that_have_one(made, tmp_path, kept, words):
    for path in made["tables"].glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    table = read_table(tmp_path / "inflation.csv", text=TEXT)
    write_table(tmp_path / "inflation.csv", table[table["study"].isin(kept)])
    page = Page(_render(made, tmp_path / "report.html", tables=tmp_path))
    (alt,) = [image["alt"] for image in page.images if image["data-name"] == "inflation"]
    assert re.fullmatch(words, alt, re.DOTALL), alt
    assert ": ." not in alt


def test_every_row_has_a_cell_for_every_head(source):
    for table in re.findall(r"<table.*?</table>", source, re.S):
        heads = table.count("<th ")
        for row in re.findall(r"<tr>(?:(?!</tr>).)*</td></tr>", table, re.S):
            assert row.count("<td") == heads


def test_a_table_that_is_missing_is_named(made, tmp_path):
    for path in made["tables"].glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "ranks.csv").unlink()
    with pytest.raises(HeldoutError, match=r"ranks.csv: expected a csv table"):
        _render(made, tmp_path / "report.html", tables=tmp_path)


def test_what_is_to_be_known_of_the_recordings_stands_with_the_data(made, source, tmp_path):
    note = "Left out: hum/<copy>.flac: under two labels."
    assert "Left out" not in source
    manifests = [
        {**manifest, "notes": [note]} if manifest["dataset"] == "voices_data" else manifest
        for manifest in made["manifests"]
    ]
    page = _render(made, tmp_path / "noted.html", manifests=manifests)
    assert page.count("Left out: hum/&lt;copy&gt;.flac: under two labels.") == 1
    assert (
        page.index('id="voices-data"') < page.index("Left out") < page.index('id="voices-results"')
    )


def test_cautions_stand_with_the_verdict(made, source, tmp_path):
    caution = "No groups are <known>: mind that. State the groups."
    more = "3 of 20 recordings were left out."
    own = {"source": "folder", "title": "mine", "version": "17 of 20 recordings"}
    manifests = [
        {**manifest, "cautions": [caution, more], **own}
        if manifest["dataset"] == "voices_data"
        else manifest
        for manifest in made["manifests"]
    ]
    page = _render(made, tmp_path / "cautious.html", manifests=manifests)
    # The first sentence with the answers, all of it with the study, before its data.
    assert page.count("No groups are &lt;known&gt;: mind that.") == 2
    assert "mind that.</strong> <strong" in page
    assert page.index("No groups are") < page.index('id="voices"')
    assert page.index('id="voices"') < page.index("State the groups.")
    assert page.index("State the groups.") < page.index('id="voices-data"')
    assert "Dataset <bdi>folder mine</bdi>, <bdi>17 of 20 recordings</bdi>; examples are" in page
    assert "version 17 of 20" not in page
    assert "caution" not in source.partition("</style>")[2]


def test_what_was_left_out_of_published_data_stands_with_the_verdict(made, tmp_path):
    path = made["results"] / "voices" / "exploration.json"
    kept = read_json(path)
    write_json(path, kept | {"left_out": {"<a>": "got an empty file"}, "recordings": 40})
    try:
        page = _render(made, tmp_path / "report.html")
    finally:
        write_json(path, kept)
    assert page.count("1 of 40 recordings were left out; the report says which and why") == 2
    assert page.index("1 of 40 recordings") < page.index('id="voices"')
    assert "<li>Left out: &lt;a&gt;: got an empty file.</li>" in page


def test_costs_name_the_devices_and_what_mixed_precision_changed():
    common = {"study": "s", "parameters": 1, "model_kb": 1.0, "epochs": 2, "train_seconds": 1.0}
    common |= {"predict_seconds": 0.1, "precision_macro_f1": None}
    rows = [
        {"architecture": "cnn", "device": "A GPU", "devices": 4.0, "precision": "mixed_float16"}
        | {"precision_macro_f1": effect}
        for effect in (0.001, -0.004)
    ]
    rows += [{"architecture": "lstm", "device": "CPU", "devices": 1.0, "precision": "float32"}]
    # A baseline, which is no network.
    rows += [{"architecture": "majority", "device": "", "devices": None, "precision": ""}]
    costs = pd.DataFrame([common | row for row in rows])
    view = costs_table(costs, [{"study": "s", "title": "S"}])
    assert [row[-1].text for row in view.rows] == [
        "4 × A GPU, mixed_float16 (macro-F1 changed by up to 0.004)",
        "CPU",
        "–",
    ]


def test_a_metric_of_ones_own_is_on_the_page(tmp_path, monkeypatch):
    metric = Metric("surprise", "mean <surprise>", of_examples(log_loss), higher_is_better=False)
    monkeypatch.setitem(METRICS, "surprise", metric)
    made = small_runs(tmp_path)
    compare_runs(made, resamples=100)
    page = _render(made, tmp_path / "report.html")
    (table,) = re.findall(r'data-name="arrhythmia-metrics".*?</table>', page, re.S)
    assert "mean &lt;surprise&gt;" in table
    assert re.search(r"Lower is better for [^.]*mean &lt;surprise&gt;", page)


def test_a_class_that_one_group_has_most_of_is_named_beside_the_score(made, tmp_path):
    folder = _changed(made, tmp_path, "per_class")
    source = _render(made, tmp_path / "page.html", tables=folder)
    words = " ".join(unescape(re.sub(r"<[^>]+>", "", source)).split())
    said = "One group has most of the test examples of a (75% from p001): the score depends on it."
    assert words.count(said) == 2
    assert "75% from group p001" in words
    assert "most of the test examples of b" not in words


def _changed(made, tmp_path, name):
    folder = tmp_path / "tables"
    shutil.copytree(made["tables"], folder)
    rows = read_table(folder / f"{name}.csv", text=TEXT)
    held = (rows["study"] == "voices") & (rows["label"] == "a")
    rows["largest_group"] = "p002"
    rows["largest_share"] = 0.5
    rows.loc[held, ["largest_group", "largest_share"]] = ["p001", 0.75]
    write_table(folder / f"{name}.csv", rows)
    return folder


def test_the_groups_of_the_chosen_network_are_summed_up(made, source):
    answer = read_table(made["tables"] / "answers.csv", text=TEXT).set_index("study").loc["voices"]
    means = read_table(made["tables"] / "group_means.csv", text=TEXT)
    (row,) = means[
        (means["study"] == "voices") & (means["protocol"] == "grouped")
        & (means["architecture"] == answer["architecture"]) & (means["metric"] == "macro_f1")
    ].to_dict("records")  # fmt: skip
    part = source.split('id="voices-groups"')[1].split("<section")[0]
    words = " ".join(unescape(re.sub(r"<[^>]+>", "", part)).split())
    assert f"over {row['groups']} groups, each counting once, the macro-F1" in words
    assert f"over all examples together it is {row['estimate']:.2f}" in words
    without = f"without it the macro-F1 would be {row['without']:.2f}"
    assert f"depends most on group {row['influential']}: {without}" in words


def test_many_groups_are_listed_by_their_influence_and_few_of_them(tmp_path):
    one = study("many", classes=["a", "b"], scored=["a", "b"], architectures=["lstm", "cnn"])
    made = make_runs(tmp_path, studies=[one], groups=400, per_group=4)
    compare_runs(made, resamples=50)
    tables = {
        name: read_table(made["tables"] / f"{name}.csv", text=TEXT)
        for name in ("groups", "group_means")
    }
    view = groups_view(one, means=tables["group_means"], groups=tables["groups"], best="cnn")
    change = [abs(float(row[-1].value)) for row in view["table"].rows]
    assert len(change) == MOST_GROUPS
    assert change == sorted(change, reverse=True)
    assert f"The {MOST_GROUPS} of 200 groups" in view["table"].caption


def test_few_groups_have_a_sentence_in_place_of_subgroups(source):
    part = source.split('id="voices-groups"')[1].split("<section")[0]
    words = " ".join(unescape(re.sub(r"<[^>]+>", "", part)).split())
    assert "Fewer than two subgroups by age and sex have a macro-F1: the table says why." in words
    assert "3 groups: no score of fewer than 5" in words


def test_the_lowest_and_the_highest_subgroup_are_named_with_their_intervals():
    of = {"protocol": "grouped", "architecture": "cnn", "metric": "macro_f1", "column": "age"}
    rows = [
        of | {"value": value, "estimate": score, "low": score - 0.1, "high": score + 0.1,
              "interval_note": note, "groups": 9.0, "examples": 90.0}
        for value, score, note in [
            ("18 to 39", math.nan, "3 groups: no score of fewer than 5"), ("40 to 64", 0.7, ""),
            (MARKUP, 0.4, "no test examples of b"), ("not stated", 0.2, ""),
        ]
    ]  # fmt: skip
    one = study("voices", classes=["a", "b"], scored=["a", "b"])
    view = subgroups_view(one, pd.DataFrame(rows), "cnn")
    page = str(templates().get_template("macros.html.j2").module.subgroups(view))
    assert MARKUP not in page
    words = " ".join(unescape(re.sub(r"</?bdi>", "", page)).split())
    assert words == (
        f"The macro-F1 of the CNN is lowest for age {MARKUP} (0.40; 95% CI 0.30 to 0.50; 9 groups; "
        "no test examples of b) and highest for age 40 to 64 (0.70; 95% CI 0.60 to 0.80; 9 "
        "groups). Of several subgroups, some score less than others by chance alone."
    )
    assert len(view["table"].rows) == 4


def test_where_nothing_is_known_of_recordings_a_sentence_stands_for_subgroups(made, tmp_path):
    folder = tmp_path / "tables"
    shutil.copytree(made["tables"], folder)
    rows = read_table(folder / "subgroups.csv", text=TEXT)
    write_table(folder / "subgroups.csv", rows[rows["study"] != "voices"])
    source = _render(made, tmp_path / "page.html", tables=folder)
    assert source.count("Nothing is known of the recordings (age, sex,") == 1


SELECTED = {
    "chosen": "network and seed", "architecture": "lstm", "seed": 1, "choices": 6,
    "honest_estimate": 0.5, "reported": 0.58, "difference": 0.08, "low": -0.02, "high": 0.17,
    "note": "", "corrected": 0.51, "corrected_low": 0.4, "corrected_high": 0.6,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Had the test set chosen network and seed, as is often done, 0.58 would have been "
            "reported, a difference of +0.08 (−0.02 to +0.17); corrected for the choice it is 0.51 "
            "(0.40 to 0.60)."),
        ({"chosen": "seed", "corrected": math.nan}, "Had the test set chosen the seed, as is often "
            "done, 0.58 would have been reported, a difference of +0.08 (−0.02 to +0.17)."),
        ({"low": math.nan, "high": math.nan, "note": FEW, "corrected_low": math.nan},
            f"+0.08 ({FEW}); corrected for the choice it is 0.51."),
    ],
)  # fmt: skip
def test_a_choice_by_the_test_set_stands_beside_the_inflation(changes, words):
    assert words in _said(_answered(selected=SELECTED | changes))


def test_the_choice_that_raises_the_score_most_is_named_if_any_does():
    rows = [
        SELECTED | {"chosen": "seed", "reported": 0.53}, SELECTED,
        SELECTED | {"architecture": "", "reported": math.nan},
    ]  # fmt: skip
    assert worst_choice(pd.DataFrame(rows))["chosen"] == "network and seed"
    assert worst_choice(pd.DataFrame([SELECTED | {"reported": 0.504}])) is None


VALIDATION = {
    "runs": 6, "rank_correlation": 0.3, "low": -0.6, "high": 0.87, "interval_note": "",
    "network": "LSTM", "validation": 0.9, "test": 0.7, "gap": 0.2, "gap_low": 0.05, "gap_high": 0.3,
    "gap_note": "", "note": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Over 6 runs the rank correlation of validation and test is +0.30 (95% CI −0.60 to "
            "+0.87): these runs do not show that validation predicts test. The best validation "
            "score, 0.90 of the LSTM, lies 0.20 above its test score (difference +0.05 to +0.30)."),
        ({"low": 0.1}, "(95% CI +0.10 to +0.87). The best"),
        ({"rank_correlation": math.nan, "low": math.nan, "interval_note": "2 runs: too few"},
            "There is no rank correlation of validation and test: 2 runs: too few. The best"),
        ({"gap": -0.1, "gap_low": math.nan, "gap_note": FEW}, "lies 0.10 below its test "
            f"score ({FEW})."),
        ({"gap": -0.004}, "0.90 of the LSTM, is as high as its test score (difference"),
        ({"note": "validation has 2 groups"}, "Validation has 2 groups."),
    ],
)  # fmt: skip
def test_whether_validation_predicts_test_is_said(changes, words):
    page = templates().get_template("macros.html.j2").module.validation(VALIDATION | changes)
    assert words in " ".join(re.sub(r"</?strong[^>]*>", "", page).split())


TOLD = {
    "column": "group", "values": 24, "groups": 24, "examples": 480, "score": 0.8, "low": 0.7,
    "high": 0.9, "interval_note": "", "chance": 0.04, "association": math.nan, "note": "",
}  # fmt: skip
DEALT = {
    "architecture": "ridge", "kind": "baseline", "score": 0.6, "permutations": 99, "permuted": 0.25,
    "permuted_low": 0.2, "permuted_high": 0.31, "p": 0.01, "p_holm": 0.01, "note": "",
}  # fmt: skip
COSTS = {"protocol": "grouped", "kind": "network", "architecture": "lstm", "train_seconds": 6.0}


def _shortcuts(*rows, dealt=(DEALT,), permutations=0):
    """Write the two paragraphs without markup, and give the view."""
    view = shortcuts_view(
        study("s", classes=["a", "b"], scored=["a", "b"], permutations=permutations),
        shortcuts=pd.DataFrame(rows),
        permutations=pd.DataFrame(dealt),
        costs=pd.DataFrame([COSTS | {"fold": fold, "seed": s} for fold in (0, 1) for s in (0, 1)]),
    )
    macros = templates().get_template("macros.html.j2").module
    pages = (str(page(view)) for page in (macros.shortcuts, macros.permuted))
    clean = (re.sub(r"</?(strong|bdi|code)[^>]*>", "", page) for page in pages)
    return *(" ".join(unescape(page).split()) for page in clean), view


def test_what_features_tell_is_named_with_chance_and_whether_it_goes_with_the_class():
    rate = TOLD | {"column": "rate", "score": 0.7, "low": 0.6, "high": 0.8, "chance": 0.5}
    said, _, view = _shortcuts(rate | {"association": 0.42}, TOLD)
    assert said == (
        "From the features of an example a linear model can predict the group (0.80, 95% CI 0.70 "
        "to 0.90; chance 0.04) and the sampling rate (0.70, 95% CI 0.60 to 0.80; chance 0.50), "
        "better than chance. Where examples of one group are in train and in test, as in a random "
        "split, a network can score by recognising the group. The sampling rate also goes with "
        "the class (Cramér's V 0.42): a network may have learned it in place of the class."
    )
    assert [row[0].text for row in view["columns"].rows] == ["sampling rate", "group"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": 0.03}, "do not show that a linear model can predict anything but the class"),
        ({"low": math.nan, "high": math.nan, "interval_note": FEW},
            "Without an interval: the group (0.80; chance 0.04)."),
        ({"score": math.nan, "low": math.nan, "high": math.nan, "chance": math.nan},
            "Nothing but the class could be predicted from the features: the table says why."),
    ],
)  # fmt: skip
def test_where_features_tell_nothing_a_sentence_says_so(changes, words):
    assert words in _shortcuts(TOLD | changes)[0]


def test_a_score_stands_beside_those_of_permuted_labels_and_the_cost_of_more():
    _, said, _ = _shortcuts(TOLD)
    assert said == (
        "The ridge regression reaches a macro-F1 of 0.60; trained on permuted labels, 99 times, "
        "it reaches 0.25 on average (0.20 to 0.31): better than chance (p = 0.010). The networks "
        "were not trained on permuted labels. With permutations: 79 in the study they are: 79 "
        "more trainings of each network, about 15 min 48 s on the hardware of this run."
    )


def test_networks_have_their_own_p_with_its_correction():
    network = DEALT | {"architecture": "lstm", "kind": "network", "p": 0.05, "p_holm": 0.1}
    none = DEALT | {"architecture": "gru", "score": math.nan, "p": math.nan, "p_holm": math.nan}
    none |= {"note": "the test part has no macro-F1"}
    _, said, view = _shortcuts(TOLD, dealt=[DEALT, network, none], permutations=19)
    assert "The LSTM reaches a macro-F1 of 0.60;" in said
    assert "not shown to be better than chance (p = 0.100, adjusted for 3 models)." in said
    assert said.endswith("There is no p value for the GRU. The test part has no macro-F1.")
    assert view["cost"] is None


def test_permutations_that_are_too_few_for_any_p_are_said():
    few = DEALT | {"p": 0.05, "p_holm": math.nan, "note": "too few permutations (19) for 4 tests"}
    _, said, _ = _shortcuts(TOLD, dealt=[few], permutations=19)
    assert said == (
        "There is no p value for the ridge regression. Too few permutations (19) for 4 tests."
    )


def test_a_search_by_folds_says_what_it_cost():
    one = study("s", classes=["a", "b"], scored=["a", "b"]) | {"searched_in_folds": {"lstm": 5}}
    table = pd.DataFrame({"architecture": ["lstm"], "trial": ["a"], "chosen": True})
    assert (
        "A trial of the LSTM is scored by the mean over 5 folds of groups inside the training set, "
        "which took 5 trainings" in trials(one, table).caption
    )
