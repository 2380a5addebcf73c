"""docs/findings.md is computed from a run on real recordings; figures of the README are in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lib.compare import compare
from lib.config.settings import merge, resolve
from lib.files import read_table, read_yaml, write_json, write_table
from lib.plots import plot_overall, plot_study
from lib.report.table import seconds
from pages import findings
from pages.markdown import ROOT
from tests.support.runs import make_runs, study

# No results: the versions of Python that the README asks for.
NO_RESULTS = {"3.11", "3.13"}


def figures(page: str) -> set[str]:
    """List the decimal numbers and percentages of a page, without code, versions and links."""
    prose = re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", " ", page, flags=re.DOTALL)
    found = re.findall(r"(?<![\w.])\d*\.\d+(?![\d.]*\w)|(?<![\w.])[\d.]+ ?%", prose)
    return {f"0{one}" if one.startswith(".") else one.replace(" ", "") for one in found}


def test_figures_are_found_in_prose_alone() -> None:
    text = "From .91 to **0.52**, 95 % of 1.5.\n```sh\nx 0.1\n```\n`0.2` [a](b-0.3) numpy 2.4.6"
    assert figures(text) == {"0.91", "0.52", "95%", "1.5"}


def test_every_figure_of_the_readme_stands_in_the_findings() -> None:
    readme = findings.README.read_text(encoding="utf-8")
    shown = figures(readme)
    assert len(shown - NO_RESULTS) >= 1
    assert shown - NO_RESULTS <= figures(findings.PAGE.read_text(encoding="utf-8"))


def test_the_first_figures_of_the_readme_are_as_they_are_made() -> None:
    readme = findings.README.read_text(encoding="utf-8")
    assert readme == findings.readme(), "run make pages PAGES=findings"
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)
    assert pictures[0] == "docs/findings/inflation.png"


def test_pictures_are_those_of_the_page_and_small() -> None:
    pictures = {path.name: path for path in findings.FOLDER.glob("*.png")}
    linked = re.findall(r"\]\(findings/([^)]+)\)", findings.PAGE.read_text(encoding="utf-8"))
    assert sorted(pictures) == sorted(linked)
    assert all(path.stat().st_size < 150_000 for path in pictures.values())


def stated(**changes: Any) -> dict[str, Any]:
    """Return the configuration of config/findings.yaml, as a run writes it down."""
    config = merge(read_yaml(ROOT / "config" / "config.yaml"), read_yaml(findings.CONFIG))
    return json.loads(json.dumps(resolve(merge(config, changes))))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make up the results of a run on real recordings."""
    kinds = [
        study(
            "arrhythmia", classes=["N", "S", "V", "F"], scored=["N", "S", "V", "F"],
            architectures=["lstm", "cnn"], simulated=False,
        ),
        study(
            "voices", classes=["a", "b"], scored=["a", "b"], architectures=["gru"],
            simulated=False, example_kind="spectral",
        ),
    ]  # fmt: skip
    for budget in kinds[1]["budgets"].values():
        budget["refit"] = True
    made = make_runs(tmp_path_factory.mktemp("findings"), studies=kinds, per_group=8)
    compare(
        kinds, results=made["results"], tables=made["tables"], claims=made["claims"],
        resamples=100,
    )  # fmt: skip
    for one in kinds:
        folder = made["plots"] / one["study"]
        plot_study(one, tables=made["tables"], results=made["results"], folder=folder)
    plot_overall(kinds, tables=made["tables"], folder=made["plots"])
    results: Path = made["results"]
    provenance = {
        "date": "2026-01-02",
        "commit": "0123abcd4567+",
        "config": stated(studies=["arrhythmia", "voices"], mirror="/data", seeds=[7]),
        "versions": {"keras": "3.0.1"},
        "durations": {"features": 60.0, "train": 3600.0},
        "datasets": {one["dataset"]: f"version of {one['study']}" for one in kinds},
        "studies": kinds,
    }
    write_json(results / "provenance.json", provenance)
    return results


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have both pages written into an empty folder."""
    monkeypatch.setattr(findings, "FOLDER", tmp_path / "findings")
    monkeypatch.setattr(findings, "PAGE", tmp_path / "findings.md")
    monkeypatch.setattr(findings, "README", tmp_path / "README.md")
    findings.README.write_text("a\n<!-- findings -->\n<!-- end of findings -->\nb\n")
    return tmp_path


def test_one_command_writes_the_page_and_the_readme_from_a_run(made: Path, pages: Path) -> None:
    findings.main([str(made)])
    page = findings.PAGE.read_text(encoding="utf-8")

    assert "Run on 2026-01-02 at commit `0123abcd4567` with uncommitted changes" in page
    took = pd.read_csv(made / "tables" / "costs.csv")["train_seconds"].sum()
    assert f"effort `quick` and seed 7. Its trainings took {seconds(took)} in all." in page
    assert "For Voices, each network and baseline was trained anew on the train and" in page
    assert "it was given `studies=arrhythmia,voices` and `seeds=[7]`." in page
    assert "Not in this run: heart_sounds." in page
    assert "/data" not in page.replace("mirror=/data/recordings", "")
    examples = read_table(made / "arrhythmia" / "examples.parquet")
    counts = [examples["recording"].nunique(), examples["group"].nunique(), len(examples)]
    cells = [f"{count:,}" for count in counts]
    assert f"| version of arrhythmia | {' | '.join(cells)} | by patient |" in page

    board = pd.read_csv(made / "tables" / "leaderboard.csv")
    honest = board[(board["protocol"] == "grouped") & (board["unit"] == "example")]
    for metric in ("macro_f1", "accuracy", "jk_index"):
        values = honest.loc[honest["metric"] == metric, "estimate"].dropna()
        assert len(values), metric
        for value in values:
            assert f"| {value:.3f}" in page, metric
    assert page.count("| Accuracy | jκ index |") == 1
    claims = pd.read_csv(made / "tables" / "claims.csv")
    assert all(f"| {value:.3f}" in page for value in claims["value"])
    assert {path.name for path in findings.FOLDER.glob("*.png")} == {
        *("inflation.png", "arrhythmia.png", "voices.png")
    }

    readme = findings.README.read_text(encoding="utf-8")
    assert figures(readme)
    assert figures(readme) <= figures(page)
    # Made again without the results, both are the same.
    findings.write()
    assert (page, readme) == (findings.render(), findings.readme())


@pytest.mark.parametrize(
    ("low", "high", "words", "short"),
    [
        (0.1, 0.3, "is above 0 for", "a random split would have reported"),
        (-0.1, 0.3, "includes 0 for", "not shown to be an overestimate"),
        (-0.3, -0.1, "is below 0 for", "not shown to be an overestimate"),
        (None, None, "cannot be given for", "not shown to be an overestimate"),
    ],
)
def test_what_is_said_of_the_random_split_follows_its_interval(
    low: float | None, high: float | None, words: str, short: str, made: Path, pages: Path
) -> None:
    findings.take_in(made)
    path = findings.FOLDER / "inflation.csv"
    rows = pd.read_csv(path).assign(low=low, high=high, difference=0.2 if low != -0.3 else -0.2)
    write_table(path, rows)
    page = findings.render()
    assert f"The interval of the inflation {words} the LSTM and the CNN." in page
    assert f"The interval of the inflation {words} the GRU." in page
    assert findings.readme().count(short) == 2


def test_a_network_below_a_linear_model_or_not_converged_is_called_so(
    made: Path, pages: Path
) -> None:
    findings.take_in(made)
    path = findings.FOLDER / "answers.csv"
    rows = pd.read_csv(path)
    rows["below_linear"] = rows["architecture"]
    write_table(path, rows.assign(linear_macro_f1=0.987, unfinished="gru: still improving"))
    assert "comparison of architectures**: the GRU was still improving" in findings.render()
    assert "comparison of architectures: the GRU was still improving" in findings.readme()
    assert "**below a linear model** (0.99)" in findings.render()
    assert "below a linear model (0.99)" in findings.readme()


def test_simulated_recordings_are_refused(made: Path, pages: Path, tmp_path: Path) -> None:
    run = json.loads((made / "provenance.json").read_text())
    run["studies"][1]["simulated"] = True
    write_json(tmp_path / "run" / "provenance.json", run)
    with pytest.raises(SystemExit, match="expected real recordings, got simulated ones in voices"):
        findings.main([str(tmp_path / "run")])
    assert not findings.PAGE.exists()
    with pytest.raises(SystemExit, match="usage"):
        findings.main([])
    with pytest.raises(SystemExit, match=r"provenance\.json"):
        findings.main([str(tmp_path)])


def test_a_run_as_stated_differs_in_nothing() -> None:
    config = stated()
    assert list(config["studies"]) == ["arrhythmia", "heart_sounds", "voices"]
    assert findings.differing(config) == []
    assert findings.differing(stated(mirror="/data")) == []
    assert findings.differing(stated(effort="full")) == ['effort="full"']
