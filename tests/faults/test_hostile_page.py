"""Names that would run, overflow or turn the page around: they are shown, and that is all."""

from __future__ import annotations

import csv
import io
import warnings
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.audit.files import audit_files
from lib.audit.page import write_page
from lib.audit.tables import read_split
from lib.compare import compare
from lib.plots import plot_overall, plot_study
from lib.report import render
from tests.browser.conftest import Browser
from tests.browser.test_page import copied
from tests.support.runs import make_runs, study

SCRIPT = "<script>window.ran = 1</script>"
IMAGE = '"><img src=x onerror="window.ran = 2">'
BREAK = "</script></style></title><script>window.ran = 3</script>"
LONG = "hypertrophisch" * 20
RIGHT = "نفخة قلبية"
TURNED = "\u202eturned around"
EMOJI = "❤️‍🔥 murmur 🫀"
FORMULA = '=HYPERLINK("http://example.org/"&A1,"open")'
TEX = r"\input{/etc/passwd} $x^2$ 50 % #1 & ~^_"
TEMPLATE = "{{ 7 * 7 }}{% raw %}"
LINES = "two\nlines"
NAMES = (SCRIPT, IMAGE, BREAK, LONG, RIGHT, TURNED, EMOJI, FORMULA, TEX, TEMPLATE, LINES)
SHOWN = "return document.body.textContent"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of one study whose every text is one of the names."""
    folder = tmp_path_factory.mktemp("hostile")
    one = study(
        "odd", classes=["N", *NAMES], scored=["N", *NAMES], architectures=["cnn"], title=IMAGE,
        example_kind=SCRIPT, seeds=[0],
    )  # fmt: skip
    one |= {"question": f"{BREAK} {LONG} {TURNED}", "dataset": IMAGE}
    one["protocols"]["grouped"]["title"] = f"{SCRIPT} {RIGHT}"
    one["protocols"]["random"]["title"] = IMAGE
    runs = make_runs(folder, studies=[one], groups=40, per_group=4)
    manifest = runs["manifests"][0]
    manifest |= {"version": SCRIPT, "licence": IMAGE, "citation": [BREAK, LONG]}
    manifest |= {"notes": [f"left out {SCRIPT}", f"{IMAGE}.wav is empty", LONG + ".wav"]}
    runs["provenance"] |= {"commit": SCRIPT, "config": {"folder": {"path": f"/data/{BREAK}"}}}
    compare(
        [one], results=runs["results"], tables=runs["tables"], claims=runs["claims"], resamples=50
    )
    with warnings.catch_warnings():
        # Names that leave no room for what is drawn.
        warnings.filterwarnings("error", message="constrained_layout not applied")
        plot_study(
            one, tables=runs["tables"], results=runs["results"], folder=runs["plots"] / one["study"]
        )
        plot_overall([one], tables=runs["tables"], folder=runs["plots"])
    names = ("tables", "plots", "results", "manifests", "provenance")
    return render([one], output=folder / "report.html", **{name: runs[name] for name in names})


def assert_nothing_ran(browser: Browser, page: Path) -> None:
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.js("for (const one of document.images) one.loading = 'eager'")
    assert browser.js("return window.ran ?? null") is None
    assert [one for one in browser.requests() if not one.startswith(("data:", "blob:"))] == [
        page.as_uri()
    ]
    assert browser.console() == []


@pytest.mark.slow
def test_names_are_shown_and_never_run(browser: Browser, made: Path) -> None:
    browser.open(made)
    assert_nothing_ran(browser, made)
    text = " ".join(browser.js(SHOWN).split())
    for name in NAMES:
        assert " ".join(name.split()) in text, name
    # What the page itself writes still stands after all of them.
    assert browser.js("return document.querySelectorAll('script').length") == 1
    assert browser.js("return document.querySelectorAll('#provenance table').length") >= 1


@pytest.mark.slow
@pytest.mark.parametrize("width", [380, 1400])
def test_no_word_is_too_long(browser: Browser, made: Path, width: int) -> None:
    browser.open(made, width=width)
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.js(wide) == 0
    over = browser.js(
        "return [...document.querySelectorAll('body *')].filter((one) =>"
        " !one.closest('.scroll, .skip, svg') && one.getBoundingClientRect().right"
        " > document.documentElement.clientWidth + 1).map((one) => one.outerHTML.slice(0, 120))"
    )
    assert over == []


@pytest.mark.slow
def test_a_word_turns_nothing_but_itself_around(browser: Browser, made: Path) -> None:
    browser.open(made)
    loose = browser.js(
        "const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);"
        "const found = [];"
        "while (walk.nextNode()) {"
        "  const node = walk.currentNode, at = node.data.indexOf('\\u202e');"
        "  if (at < 0 || node.parentElement.closest('script')) continue;"
        "  const around = node.parentElement.closest('bdi, td, th, li, option');"
        "  if (!around) found.push(node.parentElement.outerHTML.slice(0, 200));"
        "}"
        "return found"
    )
    assert loose == []


@pytest.mark.slow
def test_copies_hold_the_names_and_no_formula(browser: Browser, made: Path) -> None:
    browser.open(made)
    rows = list(csv.DictReader(io.StringIO(copied(browser, "odd-per-class", "Copy CSV"))))
    classes = {" ".join(row["Class"].split()) for row in rows}
    assert {SCRIPT, IMAGE, LONG, RIGHT, EMOJI, TEX, TEMPLATE} <= classes
    # A spreadsheet takes what begins so for a formula; the apostrophe says that it is text.
    assert "'" + FORMULA in classes
    starts = [value for row in rows for value in row.values() if value[:1] in tuple("=+@\t\r")]
    assert starts == []
    tex = copied(browser, "odd-per-class", "Copy LaTeX")
    assert r"\textbackslash{}input\{/etc/passwd\} \$x\textasciicircum{}2\$ 50 \% \#1 \& " in tex
    assert r"\input{" not in tex


@pytest.mark.slow
def test_drawings_are_well_formed_and_hold_nothing_that_runs(made: Path) -> None:
    drawings = list((made.parent / "results" / "plots").rglob("*.svg"))
    assert len(drawings) >= 5
    words = ""
    for drawing in drawings:
        tree = ElementTree.parse(drawing)
        for node in tree.iter():
            tag = str(node.tag).rpartition("}")[2]
            assert tag not in ("script", "foreignObject", "a")
            assert not [name for name in node.attrib if name.lower().startswith("on")]
            words += node.text or ""
    assert "window.ran = 1" in words


def test_the_page_of_an_audit_shows_and_never_runs(browser: Browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [["path", "part", "label", "group"]]
    for number, label in enumerate(NAMES):
        for part in ("train", "test"):
            # A slash cannot be in the name of a file, and a name has 255 bytes.
            path = f"{part} {number} {label[:60].replace('/', '')}.wav"
            soundfile.write(tmp_path / path, rng.standard_normal(400) / 9, 2000)
            lines.append([path, part, label, label])
    split = tmp_path / "split.csv"
    with split.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    audit = audit_files(read_split(split), root=tmp_path)
    assert audit["leaks"]
    page = tmp_path / "audit.html"
    write_page(page, audit, source=f"{IMAGE} {LONG}")
    browser.open(page, width=380)
    assert_nothing_ran(browser, page)
    text = " ".join(browser.js(SHOWN).split())
    for name in NAMES:
        assert " ".join(name.split()) in text, name
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.js(wide) == 0


@pytest.mark.slow
def test_a_script_that_gets_in_is_not_run(browser: Browser, made: Path, tmp_path: Path) -> None:
    page = tmp_path / "smuggled.html"
    text = made.read_text(encoding="utf-8")
    page.write_text(text.replace("<main>", f"<main>{SCRIPT}{IMAGE}", 1), encoding="utf-8")
    browser.open(page)
    assert browser.js("return document.querySelectorAll('main script').length") == 1
    assert browser.js("return window.ran ?? null") is None
    # The page's own script did its work.
    assert browser.js("return document.querySelectorAll('p.tools button').length") > 4
