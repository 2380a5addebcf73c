"""The page in a browser: silent, alone, sortable, filterable, readable at any width and light."""

from __future__ import annotations

import csv
import io
import struct
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.conftest import ODD, Browser

WIDTHS = (380, 800, 1400)

TABLE = "const table = document.querySelector(`table[data-name='${arguments[0]}']`);"
COLUMN = TABLE + (
    "return [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) =>"
    " row.cells[arguments[1]]).map((cell) => cell.dataset.value ?? [...cell.childNodes]"
    ".filter((one) => one.nodeName !== 'SMALL').map((one) => one.textContent).join('').trim())"
)
PRESS = TABLE + (
    "const all = [...table.closest('.table').querySelectorAll('button')];"
    "all.find((one) => one.textContent === arguments[1]).click()"
)


FILTER = TABLE + (
    "const box = table.closest('.table').querySelector('.filters');"
    "const one = box.querySelectorAll('input, select')[arguments[1]];"
    "one.value = arguments[2]; one.dispatchEvent(new Event('input', {bubbles: true}));"
    "return box.querySelector('.count').textContent"
)


def numbers(browser: Browser, table: str, column: int) -> list[float]:
    return [float(value) for value in browser.js(COLUMN, table, column)]


def press(browser: Browser, table: str, text: str) -> None:
    browser.js(PRESS, table, text)


def downloaded(browser: Browser, name: str) -> Path:
    path = browser.downloads / name
    for _ in range(100):
        if path.exists() and path.stat().st_size:
            return path
        time.sleep(0.1)
    raise AssertionError(f"{name} was not downloaded: {list(browser.downloads.iterdir())}")


def copied(browser: Browser, table: str, text: str) -> str:
    """Press a button and give what the page hands to the clipboard."""
    browser.js(
        "window.taken = null;"
        "navigator.clipboard.writeText = async (text) => { window.taken = text; };"
    )
    press(browser, table, text)
    for _ in range(50):
        taken = browser.js("return window.taken")
        if taken is not None:
            return str(taken)
        time.sleep(0.05)
    raise AssertionError("nothing was copied")


def test_it_opens_without_an_error_and_asks_for_nothing(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("for (const one of document.images) one.loading = 'eager'")
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    broken = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "Promise.allSettled([...document.images].map((one) => one.decode()))"
        ".then((all) => done(all.filter((one) => one.status === 'rejected').length))"
    )
    assert broken == 0
    assert browser.console() == []
    asked = [url for url in browser.requests() if not url.startswith(("data:", "blob:"))]
    assert asked == [page.as_uri()]


def test_the_test_would_see_an_error_and_a_request(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<script src='elsewhere.js'></script><script>throw new Error('x')</script>")
    browser.open(bad)
    assert any("elsewhere.js" in url for url in browser.requests())
    # An entry may reach the log a moment after the page has loaded.
    WebDriverWait(browser.driver, 30).until(
        lambda _: any("Error: x" in line for line in browser.console())
    )


def test_a_head_sorts_up_and_down_and_says_so(browser: Browser, page: Path) -> None:
    browser.open(page)
    name = "arrhythmia-leaderboard"
    first = numbers(browser, name, 1)
    assert first == sorted(first, reverse=True)
    press(browser, name, "Macro-F1, honest")
    state = TABLE + "return [...table.tHead.rows[0].cells].map((one) => one.ariaSort)"
    assert browser.js(state, name)[1] == "descending"
    assert numbers(browser, name, 1) == sorted(first, reverse=True)
    press(browser, name, "Macro-F1, honest")
    assert browser.js(state, name)[1] == "ascending"
    assert numbers(browser, name, 1) == sorted(first)
    press(browser, name, "Model")
    names = browser.js(COLUMN, name, 0)
    assert names == sorted(names, key=str.lower)
    assert [one for one in browser.js(state, name) if one] == ["ascending"]


def test_a_missing_number_is_last_in_both_directions(browser: Browser, page: Path) -> None:
    browser.open(page)
    name = "arrhythmia-leaderboard"
    browser.js(TABLE + "table.tBodies[0].rows[1].cells[1].dataset.value = ''", name)
    for _ in range(2):
        press(browser, name, "Macro-F1, honest")
        assert browser.js(COLUMN, name, 1)[-1] == ""


def test_words_and_choices_filter_rows(browser: Browser, page: Path) -> None:
    browser.open(page)
    name = "arrhythmia-metrics"
    everything = len(browser.js(COLUMN, name, 0))
    said = browser.js(FILTER, name, 1, "network")
    networks = browser.js(COLUMN, name, 0)
    assert set(networks) == {"LSTM", "CNN"}
    assert said == f"{len(networks)} of {everything} rows"
    browser.js(FILTER, name, 0, "by PATIENT lstm")
    assert set(browser.js(COLUMN, name, 0)) == {"LSTM"}
    assert set(browser.js(COLUMN, name, 2)) == {"by patient"}
    assert len(copied(browser, name, "Copy CSV").splitlines()) == 1 + len(
        browser.js(COLUMN, name, 0)
    )
    browser.js(FILTER, name, 0, "nothing like it")
    assert browser.js(COLUMN, name, 0) == []
    browser.js(FILTER, name, 0, "")
    browser.js(FILTER, name, 1, "")
    assert len(browser.js(COLUMN, name, 0)) == everything


def test_a_row_is_found_by_the_words_of_its_footnote(browser: Browser, page: Path) -> None:
    browser.open(page)
    name = "arrhythmia-leaderboard"
    # In the cell stands the number of its remark, and not the words.
    note = TABLE + (
        "const one = table.tBodies[0].rows[1].querySelector('sup.note');"
        "const words = one.dataset.note; one.dataset.note = 'Unheard of'; return words"
    )
    assert "likely too narrow" in browser.js(note, name)
    second = browser.js(COLUMN, name, 0)[1]
    browser.js(FILTER, name, 0, "unheard")
    assert browser.js(COLUMN, name, 0) == [second]
    browser.js(FILTER, name, 0, "unheard footnote")
    assert browser.js(COLUMN, name, 0) == []


def test_a_copy_is_a_csv_with_intervals_of_their_own(browser: Browser, page: Path) -> None:
    browser.open(page)
    text = copied(browser, "arrhythmia-leaderboard", "Copy CSV")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["Model"] for row in rows} >= {"LSTM", "CNN", "majority class"}
    # A remark that the page shows as a footnote is copied in full.
    assert "likely too narrow" in rows[0]["Macro-F1, honest, remark"]
    for row in rows:
        low, high = row["Macro-F1, honest, low"], row["Macro-F1, honest, high"]
        assert float(low) <= float(row["Macro-F1, honest"]) <= float(high)


def test_names_from_data_survive_copies(browser: Browser, page: Path) -> None:
    browser.open(page)
    rows = list(csv.DictReader(io.StringIO(copied(browser, "odd-per-class", "Copy CSV"))))
    assert ODD in {row["Class"] for row in rows}
    tex = copied(browser, "odd-per-class", "Copy LaTeX")
    assert r'a "b", $<$i$>$c$<$/i$>$ \& 50 \%\_\$x' in tex


def test_a_copy_is_a_latex_table(browser: Browser, page: Path) -> None:
    browser.open(page)
    text = copied(browser, "arrhythmia-leaderboard", "Copy LaTeX")
    lines = text.splitlines()
    assert lines[1].startswith(r"\begin{tabular}{lr")
    assert lines[-1] == r"\end{tabular}"
    rows = [line for line in lines if line.endswith(r"\\")]
    columns = len(lines[1].split("{")[-1].rstrip("}"))
    assert {row.count(" & ") for row in rows} == {columns - 1}
    assert any("CNN & 0." in row and " to " in row for row in rows)


def test_without_the_clipboard_the_old_way_copies(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js(
        "navigator.clipboard.writeText = async () => { throw new Error('denied'); };"
        "document.addEventListener('copy', (event) => { window.old = event.target.value; });"
    )
    # A browser copies for a person only: this has to be a press of the mouse.
    copier = browser.driver.find_element(By.CSS_SELECTOR, "[aria-label='Copy table costs as CSV']")
    browser.js("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", copier)
    copier.click()
    for _ in range(50):
        if browser.js("return window.old ?? null"):
            break
        time.sleep(0.05)
    assert str(browser.js("return window.old")).startswith("Study,Model,Parameters")


def test_tables_and_pictures_are_saved_as_files(browser: Browser, page: Path) -> None:
    browser.open(page)
    press(browser, "claims", "Save CSV")
    rows = list(csv.DictReader(downloaded(browser, "claims.csv").open(encoding="utf-8")))
    assert {row["Valid"] for row in rows} == {"yes", "no"}
    save = (
        "const image = document.querySelector(`img[data-name='${arguments[0]}']`);"
        "const all = [...image.closest('figure').querySelectorAll('button')];"
        "all.find((one) => one.textContent === arguments[1]).click()"
    )
    browser.js(save, "inflation", "Save SVG")
    drawing = downloaded(browser, "inflation.svg")
    ElementTree.parse(drawing)
    # On paper there is no dark.
    assert "prefers-color-scheme" not in drawing.read_text(encoding="utf-8")
    browser.js(save, "inflation", "Save PNG")
    pixels = downloaded(browser, "inflation.png").read_bytes()
    assert pixels.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", pixels[16:24])
    assert width > 1000


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_runs_over_the_edge(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    over = browser.js(
        "return [...document.querySelectorAll('body *')].filter((one) =>"
        " !one.closest('.scroll, .skip, svg') && one.getBoundingClientRect().right"
        " > document.documentElement.clientWidth + 1).map((one) => one.outerHTML.slice(0, 120))"
    )
    assert over == []
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.js(wide) == 0


def test_remarks_of_claims_wrap_within_the_page(browser: Browser, page: Path) -> None:
    browser.open(page)
    fill = TABLE + (
        "for (const row of table.tBodies[0].rows) {"
        " const [source, remark] = [row.cells[1], row.cells[row.cells.length - 1]];"
        " for (const cell of [source, remark]) cell.className = 'long';"
        " source.firstChild.textContent = 'a network of some group (as listed by another) ';"
        " remark.firstChild.textContent = 'records of one person are on both sides '.repeat(3);"
        "}"
        "const scroll = table.closest('.scroll'); return scroll.scrollWidth - scroll.clientWidth"
    )
    assert browser.js(fill, "claims") <= 0


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(380, True), (1400, False)])
def test_axe_finds_nothing(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(browser.driver)
    # Contrast that axe cannot work out is no pass: nothing may lie over a picture or a gradient.
    wrong = [
        (rule["id"], node["html"][:160]) for rule in found["violations"] for node in rule["nodes"]
    ]
    assert wrong == []
    passed = {rule["id"] for rule in found["passes"]}
    assert {"color-contrast", "heading-order", "image-alt", "label", "bypass"} <= passed


def test_a_link_into_a_fold_opens_it(browser: Browser, page: Path) -> None:
    browser.open(page)
    links = browser.js("return [...document.querySelectorAll('nav a')].map((one) => one.hash)")
    assert len(links) > 10
    hidden = "return document.querySelector(arguments[0]).checkVisibility()"
    assert all(browser.js(hidden, link) for link in links)


def test_on_paper_folds_are_open_and_buttons_gone(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.js("dispatchEvent(new Event('beforeprint'))")
    browser.media("print")
    assert browser.js("return document.querySelectorAll('details:not([open])').length") == 0
    shown = (
        "return [...document.querySelectorAll('nav, .tools, input, select, td button')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    assert browser.js(shown) == 0
    browser.media("screen")
    browser.js("dispatchEvent(new Event('afterprint'))")
    assert browser.js("return document.querySelectorAll('details[open]').length") == 0


def test_every_table_fits_a_sheet(browser: Browser, page: Path) -> None:
    sheet = 700  # A4 without its margins, in CSS pixels
    browser.open(page, width=sheet)
    browser.media("print")
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    over = browser.js(
        "return [...document.querySelectorAll('table, figure img')].filter((one) =>"
        " one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)"
        ".map((one) => one.dataset.name)"
    )
    assert over == []


def test_pictures_turn_dark_with_the_page(browser: Browser, page: Path) -> None:
    grounds = []
    for dark in (False, True):
        browser.open(page, dark=dark)
        colour = "return getComputedStyle(document.body).backgroundColor"
        grounds.append(sum(int(part) for part in browser.js(colour)[4:-1].split(",")))
    assert grounds[0] > 700
    assert grounds[1] < 100
