"""Sites on the page: the sentences of each protocol, the matrix, and names from data."""

from __future__ import annotations

import math
import re
from html import unescape

import pandas as pd
import pytest

from lib.plots import plot_overall, plot_study
from lib.plots.sites import site_matrices
from lib.report import render
from lib.report.page import templates
from lib.report.sites import sites_view
from tests.support.runs import BY_HOSPITAL, SITES, compare_runs, make_runs, study

MARKUP = '<img src=x onerror="alert(1)">'
NAN = math.nan
NUMBERS = {
    "metric": "macro_f1", "architecture": "lstm", "home": False, "trained": "", "site": "",
    "estimate": 0.4, "low": 0.3, "high": 0.5, "interval_note": "", "groups": 20.0,
    "examples": 90.0, "reference": 0.8, "reference_low": 0.7, "reference_high": 0.9,
    "reference_note": "", "difference": -0.4, "difference_low": -0.5, "difference_high": -0.3,
    "note": "",
}  # fmt: skip
EXTERNAL = {"kind": "external", "honest": True, "title": "elsewhere", "folds": 1}


def said(protocol, *cells, **of_whole):
    """Write the sentence of a protocol without markup; the row of all sites comes first."""
    rules = {**BY_HOSPITAL, "external": EXTERNAL}
    one = study("s", classes=["a", "b"], scored=["a", "b"]) | {"protocols": rules}
    rows = [NUMBERS | {"protocol": protocol} | row for row in ({**of_whole}, *cells)]
    (view,) = sites_view(one, pd.DataFrame(rows), "lstm")
    page = str(templates().get_template("macros.html.j2").module.sites(view))
    assert MARKUP not in page
    return " ".join(unescape(re.sub(r"</?(bdi|strong)>", "", page)).split())


def test_a_matrix_is_summed_up_by_home_and_elsewhere():
    cells = [
        {"trained": "x", "site": "x", "home": True, "estimate": 0.9},
        {"trained": "x", "site": MARKUP, "estimate": 0.3, "low": 0.2, "high": 0.4},
        {"trained": "y", "site": "x", "low": NAN, "high": NAN, "interval_note": "3 groups"},
    ]
    assert said("pairs", *cells) == (
        "Trained on one site, the LSTM reaches a macro-F1 of 0.40 (95% CI 0.30 to 0.50) on the "
        "others, and 0.80 (0.70 to 0.90) on groups of its own site that it has never seen, a "
        "difference of −0.40 (−0.50 to −0.30). What it has learned does not hold elsewhere to the "
        f"same extent. It is lowest from x to {MARKUP}, 0.30 (95% CI 0.20 to 0.40), and highest "
        "from y to x, 0.40 (3 groups)."
    )


@pytest.mark.parametrize(
    ("protocol", "whole", "words"),
    [
        (
            "external",
            {},
            "Trained on a, b, the LSTM reaches a macro-F1 of 0.40 (95% CI 0.30 to",
        ),
        ("external", {}, "0.80 (0.70 to 0.90) with other groups of the site in the training set"),
        ("external", {"interval_note": "no test examples of b"}, "to 0.50; no test examples of b)"),
        ("sites", {"difference_high": 0.1}, "(−0.50 to +0.10). The data do not show a loss."),
        ("sites", {}, "Trained on a, b, the LSTM reaches"),
        (
            "sites",
            {"difference_low": NAN, "difference_high": NAN, "note": "4 groups: too few"},
            "a difference of −0.40 (4 groups: too few).",
        ),
        (
            "sites",
            {"reference": NAN, "difference": NAN, "note": "the primary protocol tests none"},
            "(95% CI 0.30 to 0.50) on c; the primary protocol tests none.",
        ),
        (
            "external",
            {"estimate": NAN, "interval_note": "fewer than two classes"},
            "elsewhere: there is no macro-F1 of the LSTM on other sites: fewer than two classes.",
        ),
    ],
)
def test_a_sentence_says_what_there_is_and_why_there_is_no_more(protocol, whole, words):
    assert words in said(protocol, {"trained": "a, b", "site": "c"}, **whole)


def test_without_such_a_protocol_nothing_is_said():
    one = study("s", classes=["a", "b"], scored=["a", "b"])
    assert sites_view(one, pd.DataFrame([NUMBERS | {"protocol": "x"}]), "lstm") == []


def test_the_page_has_a_matrix_of_the_sites_and_no_confusion_of_it(tmp_path):
    one = study("s", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"], seeds=[0])
    one["protocols"] |= BY_HOSPITAL
    made = make_runs(tmp_path, studies=[one], groups=30, per_group=6)
    compare_runs(made, resamples=100)
    drawn = plot_study(
        one, tables=made["tables"], results=made["results"], folder=made["plots"] / "s"
    )
    names = {path.stem for path in drawn}
    assert {"sites_pairs", "learning_curves_pairs", "confusion_sites"} <= names
    assert not {"confusion_pairs", "calibration_pairs", "sites_sites"} & names
    plot_overall(made["studies"], tables=made["tables"], folder=made["plots"])
    given = {name: made[name] for name in ("tables", "plots", "results", "manifests", "provenance")}
    page = render(made["studies"], output=tmp_path / "page.html", **given).read_text()
    assert 'href="#s-sites"' in page and 'id="s-sites"' in page
    assert page.count("Trained on one site, the LSTM") == 1
    drawing = (made["plots"] / "s" / "sites_pairs.svg").read_text()
    assert all(f">{site}</text>" in drawing for site in SITES)


def test_a_matrix_without_a_score_is_not_drawn():
    one = study("s", classes=["a", "b"], scored=["a", "b"])
    rows = pd.DataFrame([NUMBERS | {"trained": "x", "site": "y", "estimate": NAN}])
    assert site_matrices(one, rows) is None
