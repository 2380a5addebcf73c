"""Sites: what is compared with what, and the sentences in the place of a number."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from lib.compare.sites import IS_PRIMARY, NO_REFERENCE
from lib.files import read_table
from tests.support.runs import BY_HOSPITAL, SITES, compare_runs, make_runs, study


def sited(*names, **options):
    one = study("s", classes=["N", "S"], scored=["N", "S"], architectures=["lstm"], seeds=[0])
    return {**one, "protocols": one["protocols"] | {k: BY_HOSPITAL[k] for k in names}, **options}


def table(made, name="sites"):
    text = ("trained", "site", "note", "interval_note")
    return read_table(made["tables"] / f"{name}.csv", text=text)


def predicted(made, protocol, fold):
    """Join a run's test predictions with what is known of each example."""
    base = made["results"] / "s"
    run = read_table(base / protocol / f"lstm/seed-0/fold-{fold}/predictions.parquet")
    split = read_table(base / protocol / "split.parquet").query(f"fold == {fold}")
    examples = read_table(base / "examples.parquet").drop(columns="label")
    hospital = read_table(base / "recordings.csv")[["recording", "hospital"]]
    joined = run[run["part"] == "test"].merge(examples, on="example").merge(hospital)
    return joined.merge(split[["example"]], on="example")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_runs(
        tmp_path_factory.mktemp("sites"), studies=[sited("sites", "pairs")], groups=60, per_group=8
    )
    compare_runs(made)
    return made


def macro(some):
    return f1_score(some["label"], some[["N", "S"]].idxmax(axis=1), average="macro")


def test_a_row_of_the_matrix_is_the_predictions_of_one_network(made):
    rows = table(made).query("protocol == 'pairs' and metric == 'macro_f1' and site == site")
    cells = rows[rows["trained"] != ""].set_index(["trained", "site"])
    assert set(cells.index) == {(a, b) for a in SITES for b in SITES}
    for fold, trained in enumerate(SITES):
        joined = predicted(made, "pairs", fold)
        for site in SITES:
            some, cell = joined[joined["hospital"] == site], cells.loc[(trained, site)]
            np.testing.assert_allclose(cell["estimate"], macro(some))
            assert cell["low"] <= cell["estimate"] <= cell["high"] or cell["interval_note"]
            assert cell["groups"] == some["group"].nunique()
            assert bool(cell["home"]) == (trained == site)
            if trained != site:
                own = cells.loc[(trained, trained)]
                assert cell["reference"] == own["estimate"]
                gap = cell["estimate"] - own["estimate"]
                np.testing.assert_allclose(cell["difference"], gap)


def test_a_site_that_is_left_out_is_set_against_the_primary_split(made):
    rows = table(made).query("protocol == 'sites' and metric == 'accuracy'").set_index("site")
    joined = predicted(made, "grouped", 0)
    for fold, site in enumerate(SITES):
        some = joined[joined["hospital"] == site]
        away = predicted(made, "sites", fold)
        for name, of in (("reference", some), ("estimate", away)):
            right = accuracy_score(of["label"], of[["N", "S"]].idxmax(axis=1))
            np.testing.assert_allclose(rows.at[site, name], right)
        assert rows.at[site, "trained"] == ", ".join(s for s in SITES if s != site)


def test_all_sites_together_come_first(made):
    rows = table(made)
    for protocol in ("sites", "pairs"):
        first = rows[rows["protocol"] == protocol].iloc[0]
        assert (first["trained"], first["site"]) == ("", "")
    # The made-up networks of one site are worse elsewhere.
    assert rows[rows["protocol"] == "pairs"].iloc[0]["difference_high"] < 0
    board = table(made, "leaderboard").query("protocol == 'sites' and metric == 'macro_f1'")
    whole = rows.query("protocol == 'sites' and metric == 'macro_f1'").iloc[0]
    of_lstm = board[(board["architecture"] == "lstm") & (board["unit"] == "example")]
    np.testing.assert_allclose(whole["estimate"], of_lstm["estimate"])


def test_a_matrix_is_compared_with_nothing_else(made):
    for name in ("leaderboard", "inflation", "differences", "folds", "validation", "groups"):
        assert "pairs" not in set(read_table(made["tables"] / f"{name}.csv")["protocol"]), name
    for name in ("runs", "costs"):
        assert "pairs" in set(read_table(made["tables"] / f"{name}.csv")["protocol"]), name


def test_every_number_has_an_interval_or_a_sentence(made):
    rows = table(made)
    rows["both"] = rows["reference_note"].fillna("") + rows["note"].fillna("")
    for name, ends, note in (
        ("estimate", ("low", "high"), "interval_note"),
        ("reference", ("reference_low", "reference_high"), "both"),
        ("difference", ("difference_low", "difference_high"), "note"),
    ):
        bare = rows[list(ends)].isna().any(axis=1)
        assert (rows.loc[bare, note].fillna("") != "").all(), name
    assert not any(column.startswith("p") and column != "protocol" for column in rows)


def remade(tmp_path, change, *protocols, **options):
    """Make runs again on recordings of which `change` says something else."""
    made = make_runs(
        tmp_path,
        studies=[sited(*protocols)],
        change=change,
        **{"groups": 36, "per_group": 4, **options},
    )
    compare_runs(made)
    return table(made)


def test_a_site_of_one_class_is_trained_on_and_has_a_sentence(tmp_path):
    def one_class(examples):
        return examples.assign(label=examples["label"].where(examples.index % 12 >= 4, "N"))

    rows = remade(tmp_path, one_class, "pairs").set_index(["trained", "site", "metric"])
    for site in SITES:
        row = rows.loc[("east", site, "macro_f1")]
        assert np.isnan(row["estimate"])
        assert row["interval_note"] == "trained on one class alone (N): there is no score"
    row = rows.loc[("north", "east", "macro_f1")]
    assert np.isnan(row["estimate"])
    assert "no test examples of S" in row["interval_note"]
    assert rows.loc[("north", "east", "accuracy"), "estimate"] > 0


def test_few_groups_have_a_score_and_the_reason_why_it_has_no_interval(tmp_path):
    rows = remade(tmp_path, lambda examples: examples, "pairs", "sites", groups=8, per_group=12)
    east = rows.query("protocol == 'pairs' and trained == 'west' and site == 'west'")
    assert east["interval_note"].tolist() == [NO_REFERENCE] * 2
    away = rows.query("protocol == 'pairs' and trained == 'west' and site == 'east'")
    assert away["interval_note"].str.contains("3 groups: too few for an interval").all()
    assert away["note"].str.contains(NO_REFERENCE).all()
    assert away["estimate"].notna().all()


def test_groups_of_one_example_have_exact_intervals(tmp_path):
    rows = remade(tmp_path, lambda examples: examples, "sites", groups=90, per_group=1)
    some = rows.query("metric == 'accuracy'")
    assert (some["interval_note"] == "exact (Clopper–Pearson)").all()


def test_the_primary_protocol_itself_is_set_against_nothing(tmp_path):
    made = make_runs(tmp_path, studies=[sited("sites")], groups=36, per_group=4)
    one = {**made["studies"][0], "primary": "sites"}
    compare_runs({**made, "studies": [one]})
    rows = table(made)
    assert rows["difference"].isna().all()
    assert (rows["note"] == IS_PRIMARY).all()
