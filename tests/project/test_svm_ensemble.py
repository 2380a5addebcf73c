"""docs/svm-ensemble.md: what the SVMs are told of a beat, and that the page is as it is made."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import kurtosis, skew

from lib.files import read_json, read_yaml, write_json
from pages import svm_ensemble
from pages.svm_ensemble import (
    CLASSES,
    PUBLISHED,
    describe,
    distances,
    intervals,
    moments,
    scored,
    votes,
    wavelets,
)

WAVES = arrays.arrays(
    float, st.tuples(st.integers(1, 4), st.just(180)), elements=st.integers(-500, 500)
)
STEPS = st.lists(st.integers(50, 700), min_size=3, max_size=300)


@given(STEPS)
def test_intervals_are_those_of_the_loops_they_stand_for(steps: list[int]) -> None:
    peaks = np.cumsum(steps).astype(float)
    before = [peaks[1] - peaks[0], *np.diff(peaks)]
    after = [*np.diff(peaks), peaks[-1] - peaks[-2]]
    recent = [np.mean(before[max(0, i - 9) : i + 1]) for i in range(len(peaks))]
    past = [before[0]]
    for i in range(1, len(peaks)):
        past.append(np.mean([before[j] for j in range(i) if peaks[i] - peaks[j] < 108_000]))
    np.testing.assert_allclose(intervals(peaks).T, [before, after, recent, past])


@given(WAVES)
def test_moments_are_those_of_five_intervals(waves: np.ndarray) -> None:
    found = moments(waves)
    for number in range(5):
        part = waves[:, 30 * number + 15 : 30 * number + 45]
        flat = np.ptp(part, axis=1) == 0
        expected = skew(part, axis=1), kurtosis(part, axis=1, fisher=False)
        np.testing.assert_allclose(found[~flat, number], expected[0][~flat], atol=1e-9)
        np.testing.assert_allclose(found[~flat, 5 + number], expected[1][~flat], atol=1e-9)
        assert (found[flat][:, [number, 5 + number]] == 0).all()


@given(WAVES)
def test_wavelets_are_means_of_eight_samples(waves: np.ndarray) -> None:
    found = wavelets(waves)
    assert found.shape == (len(waves), 23)
    means = waves[:, :176].reshape(len(waves), 22, 8).mean(axis=2)
    np.testing.assert_allclose(found[:, :22], means * np.sqrt(8), atol=1e-9)


@given(WAVES, st.sampled_from([0.25, 2.0, 64.0]), st.integers(-1000, 1000))
def test_distances_do_not_depend_on_gain_and_offset(
    waves: np.ndarray, gain: float, offset: int
) -> None:
    found = distances(waves)
    assert found.shape == (len(waves), 4)
    assert (found >= 0).all()
    assert (found <= np.hypot(2, 1)).all()
    np.testing.assert_allclose(distances(gain * waves + offset), found, atol=1e-9)


def test_votes_of_pairs_add_up() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(80) % len(CLASSES)
    # Two numbers tell the classes apart, the scale of one of which says nothing.
    train = np.stack([labels // 2, 1000 * (labels % 2)], axis=1) + rng.normal(0, 0.01, (80, 2))
    found = votes(train, labels, train)
    np.testing.assert_allclose(found.sum(axis=1), len([*combinations(CLASSES, 2)]))
    assert (found.argmax(axis=1) == labels).all()


def test_scores_of_answers_without_an_error() -> None:
    truth = np.tile(np.arange(4), 30)
    record = np.repeat([f"{n}" for n in range(6)], 20)
    assert {one["estimate"] for one in scored(truth, truth, record).values()} == {1.0}


def test_the_page_is_as_it_is_made() -> None:
    page = svm_ensemble.PAGE.read_text(encoding="utf-8")
    assert page == svm_ensemble.render(), "run make pages PAGES=svm_ensemble"


def test_the_published_figures_come_out() -> None:
    first, *_, honest = read_json(svm_ensemble.FOUND)["rows"]
    for name, value in PUBLISHED.items():
        assert round(first["scores"][name]["estimate"], 3) == value
    claims = pd.read_csv(svm_ensemble.ROOT / "resources" / "claims.csv")
    told = claims.loc[
        claims["source"].str.startswith("Mondéjar") & (claims["metric"] == "jk_index")
    ]
    assert told["value"].tolist() == [PUBLISHED["jk"]]
    assert f"{honest['scores']['jk']['estimate']:.3f} with three changes" in told["note"].item()


@pytest.fixture
def mitdb() -> Path:
    folder = Path(os.environ.get("HELDOUT_DATA", "")) / "mitdb"
    if not (folder / "201.hea").is_file():
        pytest.skip("HELDOUT_DATA is not set: it names the folder with real recordings")
    return folder


def test_what_stands_before_a_beat_shortens_its_interval(mitdb: Path) -> None:
    """Record 201 has rhythms that change: their marks are taken for R peaks, and not alone."""
    beats = describe(mitdb, "201")
    assert len(beats.code) == 1963
    marked, alone = (beats.families[n] for n in ("intervals_of_annotations", "intervals"))
    # 76 annotations of the record are no beats: two of them follow each other.
    assert (marked[:, :2] < alone[:, :2]).sum(axis=0).tolist() == [75, 75]
    assert (marked[:, :2] <= alone[:, :2]).all()
    assert {name: of.shape[1] for name, of in beats.families.items()} == {
        **{"intervals_of_annotations": 8, "intervals": 8},
        **{"wavelets": 23, "moments": 10, "distances": 4},
    }


@pytest.mark.slow
def test_every_row_is_measured(
    mitdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = read_yaml(svm_ensemble.STUDY)
    config["protocols"]["published"]["parts"] = {"train": ["208"], "test": ["213"]}
    study = tmp_path / "study.json"  # which is YAML
    write_json(study, config)
    monkeypatch.setattr(svm_ensemble, "STUDY", study)
    found = svm_ensemble.measure(mitdb)
    assert [row["way"] for row in found["rows"]] == [*svm_ensemble.WAYS]
    assert {row["beats"] for row in found["rows"]} == {3250}
    theirs, alone, *others = (row["scores"] for row in found["rows"])
    assert 0 < theirs["accuracy"]["estimate"] < 1
    # None of the two has an escape beat, or is 202.
    first, *rest = ([one["estimate"] for one in row.values()] for row in (alone, *others))
    for row in rest:
        np.testing.assert_array_equal(row, first)
    assert alone["accuracy"]["estimate"] != theirs["accuracy"]["estimate"]
