"""Compare on fabricated runs: what the tables say, their bytes, and where no number can be."""

from __future__ import annotations

import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.compare import TABLES, TIMED
from lib.compare.board import score_pools
from lib.compare.costs import pareto_front
from lib.compare.differences import fold_rows
from lib.compare.leaderboard import aami_rows, per_class_rows
from lib.compare.ranks import rank_rows
from lib.compare.runs import read_runs
from lib.compare.summary import _by_metadata, claim_rows
from lib.compare.trials import importance_rows
from lib.files import read_table, write_table
from lib.metrics import sample
from lib.metrics.record import scores
from lib.metrics.registry import METRICS, Metric, of_all, of_examples, of_matrix
from lib.statistics.bootstrap import exact_interval
from lib.statistics.pairwise import corrected_resampled_t
from tests.support.runs import compare_runs, make_runs, small_runs, study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_runs(tmp_path_factory.mktemp("runs"))
    compare_runs(made)
    return made


@pytest.fixture
def small(tmp_path):
    return small_runs(tmp_path)


def _table(made, name):
    return read_table(made["tables"] / f"{name}.csv", text=("note", "interval_note", "our_note"))


def test_every_table_has_its_columns(made):
    for name, columns in TABLES.items():
        found = list(_table(made, name).columns)
        assert found[: len(columns)] == columns, name


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    again = compare_runs(made, tmp_path)
    for name, path in again.items():
        assert path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes(), name


def test_only_timed_tables_hold_seconds(made, tmp_path):
    for path in made["results"].glob("arrhythmia/*/*/seed-*/fold-*/run.json"):
        assert "train_seconds" in path.read_text()
    shutil.copytree(made["results"], tmp_path / "results")
    for path in (tmp_path / "results").rglob("run.json"):
        run = json.loads(path.read_text())
        path.write_text(json.dumps(run | {"train_seconds": 1e6, "predict_seconds": 1e3}))
    moved = made | {"results": tmp_path / "results"}
    for name, path in compare_runs(moved, tmp_path / "tables").items():
        same = path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes()
        assert same == (name not in TIMED), name


def test_rows_of_predictions_and_examples_may_come_in_any_order(made, tmp_path):
    shutil.copytree(made["results"], tmp_path / "results")
    for name in ("predictions", "examples", "split"):
        for path in (tmp_path / "results").rglob(f"{name}.parquet"):
            write_table(path, pd.read_parquet(path).sample(frac=1, random_state=1))
    moved = made | {"results": tmp_path / "results"}
    for name, path in compare_runs(moved, tmp_path / "tables").items():
        assert path.read_bytes() == (made["tables"] / f"{name}.csv").read_bytes(), name


def test_leaderboard_is_right(made):
    board = _table(made, "leaderboard")
    row = board.query(
        "study == 'arrhythmia' and protocol == 'grouped' and architecture == 'cnn' "
        "and metric == 'accuracy'"
    ).iloc[0]
    right = []
    for seed in (0, 1):
        path = made["results"] / f"arrhythmia/grouped/cnn/seed-{seed}/fold-0/predictions.parquet"
        table = pd.read_parquet(path).query("part == 'test'")
        classes = made["studies"][0]["classes"]
        right.append((table[classes].idxmax(axis=1) == table["label"]).mean())
    assert row["estimate"] == pytest.approx(np.mean(right))
    assert row["low"] < row["estimate"] < row["high"]
    assert (row["groups"], row["seeds"], row["folds"]) == (12, 2, 1)
    assert row["simulated"]


def test_leaderboard_agrees_with_scikit_learn(made):
    from sklearn.metrics import cohen_kappa_score, f1_score, matthews_corrcoef, roc_auc_score

    board = _table(made, "leaderboard").query(
        "study == 'voices' and protocol == 'grouped' and architecture == 'gru'"
    )
    classes = made["studies"][1]["classes"]
    theirs, together = [], 0.0
    for seed in (0, 1):
        path = made["results"] / f"voices/grouped/gru/seed-{seed}/fold-0/predictions.parquet"
        table = pd.read_parquet(path).query("part == 'test'")
        x, y = table[classes].to_numpy(float), table["label"].astype(str)
        x = x / x.sum(axis=1, keepdims=True)
        together = together + x
        z = table[classes].idxmax(axis=1)
        theirs.append(
            {
                "macro_f1": f1_score(y, z, average="macro"),
                "kappa": cohen_kappa_score(y, z),
                "mcc": matthews_corrcoef(y, z),
                "auroc": roc_auc_score(y, x, multi_class="ovr", labels=classes),
            }
        )
    ours = board.set_index("metric")["estimate"]
    for name, value in pd.DataFrame(theirs).mean().items():
        assert ours[name] == pytest.approx(value, abs=1e-5), name
    ensemble = board.set_index("metric").loc["macro_f1"]
    answered = np.array(classes)[np.argmax(together, axis=1)]
    expected = f1_score(y, answered, average="macro")
    assert ensemble["ensemble"] == pytest.approx(expected, abs=1e-5)
    assert ensemble["ensemble_low"] < expected < ensemble["ensemble_high"]


def test_every_metric_has_an_interval_or_a_reason(made):
    board = _table(made, "leaderboard")
    has = board["low"].notna()
    assert has[(board["kind"] == "network") & (board["study"] == "arrhythmia")].all()
    assert (board.loc[~has, "interval_note"] != "").all()
    assert len(board[has].query("low <= estimate <= high")) == has.sum()


def test_examples_of_one_recording_are_also_judged_together(tmp_path):
    one = study("s", classes=["a", "b"], scored=["a", "b"], architectures=["cnn"])
    made = make_runs(tmp_path, studies=[one])
    path = tmp_path / "results/s/examples.parquet"
    table = pd.read_parquet(path)
    # Recordings of one class each, three to a group.
    first = table.groupby("group").cumcount() % 3
    table["recording"] = table["group"] + "-" + first.astype(str) + "-" + table["label"]
    write_table(path, table)
    write_table(path.with_name("recordings.csv"), table[["recording"]].drop_duplicates())
    compare_runs(made)
    board = _table(made, "leaderboard").query("protocol == 'grouped' and architecture == 'cnn'")
    whole = board.query("metric == 'accuracy'").set_index("unit")
    test = pd.read_parquet(tmp_path / "results/s/grouped/split.parquet").query("part == 'test'")
    recordings = table.loc[test["example"], "recording"].nunique()
    assert whole["examples"].to_dict() == {"example": len(test), "recording": recordings}
    # Errors average out over a recording's examples.
    assert whole.loc["recording", "estimate"] > whole.loc["example", "estimate"]
    classes = _table(made, "per_class").query("protocol == 'grouped' and architecture == 'cnn'")
    assert classes.groupby("unit")["support"].sum().to_dict() == whole["examples"].to_dict()


def test_shares_of_independent_examples_have_exact_intervals(made):
    # In this study every example is its own group.
    board = _table(made, "leaderboard").query("study == 'voices' and protocol == 'grouped'")
    exact = board.query("metric == 'accuracy'")
    assert (exact["interval_note"] == "exact (Clopper–Pearson)").all()
    row = exact.iloc[0]
    right = row["estimate"] * row["examples"]
    assert (row["low"], row["high"]) == pytest.approx(exact_interval(right, row["examples"]))
    classes = _table(made, "per_class").query("study == 'voices' and protocol == 'grouped'")
    perfect = classes.query("sensitivity == 1")
    assert len(perfect)
    assert (perfect["sensitivity_high"] == 1).all()
    assert perfect["sensitivity_low"].between(0, 0.999).all()


def test_an_exact_interval_takes_no_scores_of_single_groups(made, monkeypatch):
    # Of n groups, a matrix of n × n weights would only say which examples are right.
    drawn = []

    def right(weighted):
        drawn.append(weighted.weights.shape)
        return METRICS["accuracy"].scores(weighted)

    monkeypatch.setitem(METRICS, "right", Metric("right", "right", right, share=True))
    one = made["studies"][1]
    board = score_pools(read_runs(one, results=made["results"]), seed=0, resamples=50)
    exact = board["grouped", "gru", "example"].intervals
    assert exact["right"] == exact["accuracy"]
    assert exact["right"].note == "exact (Clopper–Pearson)"
    assert {rows for rows, _ in drawn} == {51}


def test_classes_have_the_mean_of_the_seeds(made):
    classes = _table(made, "per_class").query(
        "study == 'arrhythmia' and protocol == 'grouped' and unit == 'example'"
    )
    board = _table(made, "leaderboard").query(
        "study == 'arrhythmia' and protocol == 'grouped' and metric == 'macro_f1'"
    )
    means = classes[classes["scored"]].groupby("architecture")["f1"].mean()
    assert board.set_index("architecture")["estimate"].to_dict() == pytest.approx(means.to_dict())
    known = classes.dropna(subset=["ppv_low"])
    assert (known["ppv_low"] <= known["ppv"]).all()
    assert (known["ppv"] <= known["ppv_high"]).all()
    never = classes.query("architecture == 'majority' and label == 'S'").iloc[0]
    assert np.isnan(never["ppv"])
    assert never["note"] == "never predicted"


def test_aami_table_is_of_the_aami_alone_and_adds_up(made):
    table = _table(made, "aami")
    assert set(table["study"]) == {"arrhythmia"}
    one = table.query("protocol == 'grouped' and architecture == 'cnn'").set_index("label")
    confusion = _table(made, "confusion").query(
        "study == 'arrhythmia' and protocol == 'grouped' and architecture == 'cnn'"
    )
    scored = confusion[confusion["label"] != "Q"]
    beats = scored["count"].sum()
    assert one.loc["all", ["tp", "fn"]].sum() == pytest.approx(beats)
    four = one.drop("all")
    assert four[["tp", "fn", "fp", "tn"]].sum(axis=1).tolist() == pytest.approx([beats] * 4)
    board = _table(made, "leaderboard").query(
        "study == 'arrhythmia' and protocol == 'grouped' and architecture == 'cnn'"
    )
    jk = board.query("metric == 'jk_index'")["estimate"].item()
    assert one.loc["all", "j_kappa"] == pytest.approx(jk)
    # The same groups were drawn, so the same shares have the same intervals in both tables.
    classes = _table(made, "per_class").query(
        "study == 'arrhythmia' and protocol == 'grouped' and architecture == 'cnn' "
        "and unit == 'example'"
    )
    for row in classes.to_dict("records"):
        if row["label"] in four.index:
            names = ["sensitivity", "sensitivity_low", "sensitivity_high"]
            expected = [row[name] for name in names]
            assert four.loc[row["label"], names].tolist() == pytest.approx(expected, nan_ok=True)
    for name in ("sensitivity", "ppv", "false_positive_rate", "accuracy", "j_kappa"):
        held = one.dropna(subset=[f"{name}_low"])
        assert (held[f"{name}_low"] <= held[name]).all()
        assert (held[name] <= held[f"{name}_high"]).all()
    assert one.loc["all", "j_kappa_low"] < one.loc["all", "j_kappa_high"]


def test_calibration_counts_all_test_examples(made):
    table = _table(made, "calibration").query("study == 'arrhythmia' and protocol == 'grouped'")
    assert set(table.groupby("architecture")["count"].sum()) == {240.0}
    full = table[table["count"] > 0]
    assert full["confidence"].between(0, 1).all()
    some = full.dropna(subset=["accuracy_low"])
    assert len(some)
    assert (some["accuracy_low"] <= some["accuracy"]).all()
    assert (some["accuracy"] <= some["accuracy_high"]).all()
    # A bin without a number has no interval, and one without an interval says why.
    assert table.loc[table["count"] == 0, "accuracy_low"].isna().all()
    assert (full.loc[full["accuracy_low"].isna(), "interval_note"].fillna("") != "").all()


def test_letters_follow_the_differences(made):
    marks = _table(made, "letters")
    pairs = _table(made, "differences")
    for at, some in marks.groupby(["study", "protocol", "metric"]):
        letter = some.set_index("architecture")["letters"]
        tested = pairs.set_index(["study", "protocol", "metric"]).loc[at]
        tested = tested[tested["a"].isin(letter.index) & tested["b"].isin(letter.index)]
        assert len(tested) == 3
        for row in tested.to_dict("records"):
            shared = set(letter[row["a"]]) & set(letter[row["b"]])
            # Untested are those alone that do not differ at all.
            assert bool(shared) == (row["p_holm"] > 0.05 or row["difference"] == 0)


def test_validation_and_test_stand_side_by_side(made):
    table = _table(made, "agreement")
    assert table["gap"].tolist() == pytest.approx(table["validation"] - table["test"], nan_ok=True)
    row = table.query(
        "study == 'arrhythmia' and protocol == 'random' and architecture == 'cnn' "
        "and metric == 'accuracy'"
    ).iloc[0]
    right = []
    for seed in (0, 1):
        path = made["results"] / f"arrhythmia/random/cnn/seed-{seed}/fold-0/predictions.parquet"
        one = pd.read_parquet(path).query("part == 'validation'")
        classes = made["studies"][0]["classes"]
        right.append((one[classes].idxmax(axis=1) == one["label"]).mean())
    assert row["validation"] == pytest.approx(np.mean(right))
    assert row["low"] <= row["gap"] <= row["high"]
    few = table.query("study == 'arrhythmia' and protocol == 'grouped'")
    assert (few["note"] == "4 groups: too few for an interval").all()


def test_ranks_over_studies_say_how_little_they_show(made):
    ranks = _table(made, "ranks")
    assert set(ranks["scope"]) == {"studies"}
    assert ranks["architecture"].tolist() == ["lstm", "gru", "cnn"]
    assert ranks["blocks"].tolist() == [2, 2, 2]
    assert ranks["mean_rank"].sum() == pytest.approx(6)
    assert ranks["note"].str.contains("2 blocks cannot show a difference").all()
    # (3!)^(1 − 2) is the least that two blocks can give.
    assert (ranks["p"] >= 1 / 6 - 1e-9).all()


def test_importance_finds_what_mattered(tmp_path):
    made = make_runs(
        tmp_path, studies=[study("s", classes=["a", "b"], scored=["a", "b"], architectures=["cnn"])]
    )
    rng = np.random.default_rng(0)
    units, optimizer = rng.choice([16, 32, 64], 24), rng.choice(["adam", "rmsprop"], 24)
    trials = pd.DataFrame(
        {
            "trial": [f"cnn-{k:02}" for k in range(24)], "units": units, "optimizer": optimizer,
            "learning_rate": np.exp(rng.uniform(-9, -5, 24)), "pool": 2,
            "val_loss": units / 64 + rng.normal(0, 0.01, 24), "state": "complete", "reason": "",
        }
    )  # fmt: skip
    write_table(tmp_path / "results/s/search/cnn/trials.csv", trials)
    compare_runs(made)
    table = _table(made, "importance").set_index("hyperparameter")
    assert set(table.index) == {"units", "optimizer", "learning_rate"}
    assert table["importance"].sum() == pytest.approx(1)
    assert table.loc["units", "importance"] > 0.8
    assert (table["trials"] == 24).all()


def test_few_trials_have_no_importance(made):
    table = _table(made, "importance").query("study == 'voices'")
    # Five complete trials of two hyperparameters.
    assert (table["trials"] == 5).all()
    assert (table["note"] == "5 trials: too few to say much about others").all()
    rows = [
        {"architecture": "cnn", "units": str(u), "val_loss": str(u), "state": "complete"}
        for u in (1, 2, 3)
    ]
    found = importance_rows({"study": "s", "architectures": ["cnn", "gru"]}, rows)
    assert [row["note"] for row in found] == ["3 trials: too few to tell", "nothing was searched"]
    alike = [row | {"val_loss": "1"} for row in rows] + [rows[0] | {"val_loss": "1"}]
    (row,) = importance_rows({"study": "s", "architectures": ["cnn"]}, alike)
    assert "same loss" in row["note"]


def test_pareto_fronts(made):
    table = _table(made, "pareto").query("study == 'arrhythmia'")
    # All cost the same, so the best alone is on the front.
    best = table["macro_f1"].idxmax()
    assert table.index[table["front_parameters"]].tolist() == [best]
    assert table.loc[best, "front_train_seconds"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8),
)
def test_a_model_off_the_front_is_beaten_by_one_on_it(models):
    quality, cost = zip(*models, strict=True)
    front = pareto_front(quality, cost)
    assert front.any()
    for k, (q, c) in enumerate(models):
        rivals = [m for m, on in zip(models, front, strict=True) if on]
        beaten = any(a >= q and b <= c and (a, b) != (q, c) for a, b in rivals)
        assert beaten == (not front[k])


def test_a_model_without_a_score_is_on_no_front():
    assert pareto_front([np.nan, 0.5], [1, 2]).tolist() == [False, True]


def test_inflation_is_random_minus_honest(made):
    gaps = _table(made, "inflation")
    assert gaps["difference"].tolist() == pytest.approx(gaps["random"] - gaps["honest"])
    cnn = gaps.query("study == 'arrhythmia' and architecture == 'cnn' and metric == 'macro_f1'")
    assert cnn["low"].item() > 0


def test_confusion_counts_all_test_examples(made):
    table = _table(made, "confusion").query("study == 'arrhythmia' and protocol == 'grouped'")
    assert set(table.groupby("architecture")["count"].sum()) == {240.0}
    shares = table.groupby(["architecture", "label"])["share"].sum()
    assert shares.tolist() == pytest.approx([1] * len(shares))


def test_differences_are_corrected_within_a_family(made):
    table = _table(made, "differences")
    assert (table["p_holm"].dropna() >= table["p"].dropna()).all()
    assert (
        len(table.query("study == 'voices' and protocol == 'random' and metric == 'accuracy'"))
        == 12
    )


def test_every_tested_pair_says_what_could_be_shown_and_what_it_would_take(made):
    table = _table(made, "differences")
    tested = table[table["p_holm"].notna()]
    assert (tested["detectable"] > 2.8 * tested["standard_error"]).all()
    found = tested["p_holm"] <= 0.05
    assert found.any()
    assert (~found).any()
    assert tested.loc[found, "groups_needed"].isna().all()
    needed = tested[~found & tested["groups_needed"].notna()]
    assert (needed["groups_needed"] > needed["groups"]).all()
    # A number, or why there is none.
    power_note = _table(made, "differences")["power_note"].fillna("")
    assert (table["groups_needed"].notna() ^ (power_note != "")).all()


def test_the_chosen_network_is_set_against_the_best_other_one(made):
    answers = _table(made, "answers").set_index("study")
    board = _table(made, "leaderboard").query("unit == 'example' and protocol == 'grouped'")
    board = board.query("metric == 'macro_f1' and kind == 'network'")
    pairs = _table(made, "differences").query("protocol == 'grouped' and metric == 'macro_f1'")
    for study_name, answer in answers.iterrows():
        scores = board[board["study"] == study_name].set_index("architecture")["estimate"]
        assert answer["rival"] == scores.drop(answer["architecture"]).idxmax()
        np.testing.assert_allclose(
            answer["rival_difference"], scores[answer["architecture"]] - scores[answer["rival"]]
        )
        both = {answer["architecture"], answer["rival"]}
        (pair,) = [
            row
            for row in pairs[pairs["study"] == study_name].to_dict("records")
            if {row["a"], row["b"]} == both
        ]
        assert answer["rival_low"] <= answer["rival_difference"] <= answer["rival_high"]
        np.testing.assert_equal(answer["rival_detectable"], pair["detectable"])
        np.testing.assert_equal(answer["rival_groups_needed"], pair["groups_needed"])


def test_too_few_resamples_are_said_to_be_too_few(small):
    compare_runs(small, resamples=50)
    table = _table(small, "differences")
    assert table["p_holm"].isna().all()
    assert table["note"].str.contains("too few resamples for 3 tests").all()
    assert _table(small, "answers")["beats_baselines"].item() == "unknown"


def test_a_single_test_is_not_several(tmp_path):
    one = study("s", classes=["a", "b"], scored=["a", "b"], architectures=["lstm"])
    made = make_runs(tmp_path, studies=[one | {"baselines": ["majority"]}])
    compare_runs(made, resamples=30)
    assert _table(made, "differences")["note"].str.endswith("too few resamples for one test").all()


def test_answer_is_chosen_on_validation(made):
    answer = _table(made, "answers").set_index("study").loc["arrhythmia"]
    runs = _table(made, "runs").query(
        "study == 'arrhythmia' and protocol == 'grouped' and kind == 'network'"
    )
    best = runs.groupby("architecture")["validation_macro_f1"].mean().idxmax()
    assert answer["architecture"] == best
    assert answer["beats_baselines"] == "yes"


def test_claims_stand_beside_ours(made):
    claims = _table(made, "claims").set_index("source")
    board = (
        _table(made, "leaderboard")
        .query("study == 'arrhythmia' and architecture == 'cnn' and metric == 'macro_f1'")
        .set_index("protocol")["estimate"]
    )
    assert claims.loc["A 2019", "same_split"] == pytest.approx(board["random"])
    assert claims.loc["A 2019", "honest"] == pytest.approx(board["grouped"])
    assert not claims.loc["B 2019", "valid"]
    # No protocol of this study is that claim's: there is no number to put beside it.
    assert np.isnan(claims.loc["C", "same_split"])
    assert claims.loc["C", "our_note"] == "none of our splits matches theirs"
    assert "was not run" in claims.loc["B 2019", "our_note"]
    per_class = _table(made, "per_class").query("protocol == 'grouped' and label == 'S'")
    of_s = per_class.set_index("architecture").loc[claims.loc["B 2019", "our_architecture"]]
    ours = claims.loc["B 2019", ["same_split", "same_low", "same_high"]].tolist()
    names = ["sensitivity", "sensitivity_low", "sensitivity_high"]
    assert ours == pytest.approx(of_s[names].tolist())


def test_a_claim_stands_beside_the_network_that_repeats_it():
    study = {"study": "s", "architectures": ["lstm", "lstm.base"], "protocols": {"random": {}}}
    study |= {"primary": "random", "simulated": False}
    at = {"protocol": "random", "unit": "example", "metric": "accuracy"}
    board = [
        {**at, "architecture": name, "estimate": value, "low": value, "high": value}
        for name, value in (("lstm", 0.7), ("lstm.base", 0.9))
    ]
    tables = {"answers": [{"architecture": "lstm"}], "leaderboard": board, "per_class": []}
    claim = {"study": "s", "architecture": "lstm", "metric": "accuracy", "protocol": "random"}
    claims = pd.DataFrame([claim | {"model": name} for name in ("lstm.base", "", "lstm.other")])
    ours = [row["same_split"] for row in claim_rows(study, tables, claims)]
    assert ours == [0.9, 0.7, 0.7]


def test_a_metric_that_is_not_measured_is_said_so(small):
    write_table(small["claims"], read_table(small["claims"]).assign(metric="speed"))
    compare_runs(small)
    notes = _table(small, "claims")["our_note"]
    assert len(notes)
    assert notes.str.contains("speed is not measured here").all()


def test_our_claims_name_known_studies_and_metrics():
    table = read_table("resources/claims.csv")
    assert set(table["study"]) <= {"arrhythmia", "exercise", "voices", "accents", "heart_sounds"}
    assert set(table["protocol"].dropna()) <= {"random", "published", "grouped"}
    assert table["value"].between(0, 1).all()
    assert table.loc[~table["valid"], "note"].notna().all()
    of_class = table["metric"].str.fullmatch(r"(sensitivity|ppv|f1)_[NSVFQ]")
    assert (of_class | table["metric"].isin(METRICS)).all()


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    made = make_runs(
        tmp_path_factory.mktemp("folded"),
        studies=[study("s", classes=["a", "b"], scored=["a", "b"])],
        folds=3,
    )
    compare_runs(made)
    return made


def test_folds_are_pooled(folded):
    row = (
        _table(folded, "leaderboard")
        .query("protocol == 'grouped' and metric == 'accuracy'")
        .iloc[0]
    )
    assert (row["folds"], row["groups"], row["examples"]) == (3, 24, 480)


def test_folds_are_tested_with_seeds_averaged(folded):
    table = _table(folded, "folds")
    row = table.query(
        "protocol == 'grouped' and metric == 'accuracy' and a == 'lstm' and b == 'cnn'"
    ).iloc[0]
    gaps = []
    for fold in range(3):
        score = {"lstm": [], "cnn": []}
        for name, values in score.items():
            for seed in (0, 1):
                path = folded["results"] / f"s/grouped/{name}/seed-{seed}/fold-{fold}"
                one = pd.read_parquet(path / "predictions.parquet").query("part == 'test'")
                values.append((one[["a", "b"]].idxmax(axis=1) == one["label"]).mean())
        gaps.append(np.mean(score["lstm"]) - np.mean(score["cnn"]))
    run = json.loads((path / "run.json").read_text())["metrics"]
    ratio = run["test"]["examples"] / run["train"]["examples"]
    by_hand = corrected_resampled_t(gaps, test_per_train=ratio)
    assert row["folds"] == 3
    assert (row["difference"], row["p"]) == pytest.approx((by_hand.estimate, by_hand.p))
    assert (table["p_holm"].dropna() >= table["p"].dropna()).all()


def test_one_fold_is_not_tested(made):
    assert _table(made, "folds").empty


def test_what_is_drawn_is_weighed_and_cut_into_folds_once(folded, monkeypatch):
    calls = {"weigh": 0, "only": 0}
    weigh, only = sample.weigh, sample.Sample.only

    def weighing(x, weights):
        calls["weigh"] += weights.shape[0] > 1 and np.ndim(x) == 4 and np.shape(x)[-1] == 2
        return weigh(x, weights)

    def cutting(self, rows):
        calls["only"] += 1
        return only(self, rows)

    monkeypatch.setattr(sample, "weigh", weighing)
    monkeypatch.setattr(sample.Sample, "only", cutting)
    one = folded["studies"][0]
    board = score_pools(read_runs(one, results=folded["results"]), seed=0, resamples=50)
    assert per_class_rows(board)
    assert not aami_rows(board)
    # The ensemble of seeds is a sample of its own.
    samples = len(board) + sum(bool(entry.ensemble) for entry in board.values())
    assert calls == {"weigh": samples, "only": 0}
    assert fold_rows(one, board)
    assert rank_rows([one], {"s": board})
    # Six models under two protocols, in three folds.
    assert calls == {"weigh": samples, "only": 6 * 2 * 3}


def test_folds_are_ranked(folded):
    ranks = _table(folded, "ranks")
    scopes = ranks.set_index("scope")
    assert "nothing to rank" in scopes.loc["studies", "note"]
    some = scopes.loc["folds of s"]
    assert some["blocks"].tolist() == [3, 3, 3]
    assert some["note"].str.contains("share training examples").all()
    # Three folds of one order have p = (3!)^-2, so a difference could be shown.
    assert not some["note"].str.contains("cannot show").any()


def test_one_architecture_is_noted(small):
    compare_runs(small)
    assert "one architecture" in _table(small, "answers")["note"].item()
    letters = _table(small, "letters")
    assert (letters["letters"].isna() | (letters["letters"] == "")).all()
    assert letters["note"].str.contains("one architecture").all()
    (row,) = _table(small, "ranks").to_dict("records")
    assert "no two architectures were run in two studies" in row["note"]


def test_one_architecture_and_no_baselines_is_noted(small):
    small["studies"][0]["baselines"] = []
    compare_runs(small)
    assert _table(small, "differences").empty
    assert "one architecture" in _table(small, "answers")["note"].item()


def test_one_class_in_the_test_part_gives_a_note(small):
    one = small["results"] / "arrhythmia"
    table = pd.read_parquet(one / "examples.parquet")
    write_table(one / "examples.parquet", table.assign(label="N"))
    for path in one.rglob("predictions.parquet"):
        write_table(path, pd.read_parquet(path).assign(label="N"))
    compare_runs(small)
    board = _table(small, "leaderboard").query("metric == 'macro_f1'")
    assert board["estimate"].isna().all()
    assert board["interval_note"].str.contains("one class").all()
    tested = _table(small, "differences").query("metric == 'macro_f1'")
    assert tested[["difference", "p", "p_holm"]].isna().all(axis=None)
    assert tested["note"].str.contains("not defined").all()
    gone = _table(small, "per_class").query("label == 'S'")
    assert gone["f1"].isna().all()
    assert gone["note"].str.contains("no examples").all()
    assert _table(small, "inflation").query("metric == 'macro_f1'")["difference"].isna().all()
    assert not _table(small, "pareto")["front_parameters"].any()


def test_few_groups_give_a_note(tmp_path):
    made = make_runs(
        tmp_path, studies=[study("s", classes=["a", "b"], scored=["a", "b"])], groups=6
    )
    compare_runs(made)
    row = (
        _table(made, "leaderboard").query("protocol == 'grouped' and metric == 'macro_f1'").iloc[0]
    )
    assert np.isnan(row["low"])
    assert row["interval_note"] == "3 groups: too few for an interval"
    assert _table(made, "answers")["beats_baselines"].item() == "unknown"


def test_a_metric_of_ones_own_is_on_the_leaderboard(small, monkeypatch):
    def sure(truth, x):
        return x.max(1)

    own = {
        "of_examples": of_examples(sure),
        "of_all": of_all(lambda truth, x: float(sure(truth, x).mean())),
        "of_matrix": of_matrix(lambda m: m[..., 0, 0] / m.sum((-2, -1))),
        "never": of_all(lambda truth, x: float("nan")),
    }
    for name, kind in own.items():
        monkeypatch.setitem(METRICS, name, Metric(name, name, kind))
    compare_runs(small, resamples=100)
    board = _table(small, "leaderboard").query("protocol == 'random' and architecture == 'lstm'")
    rows = board.set_index("metric")
    assert list(rows.index) == [name for name in METRICS if name != "jk_index"]
    for name in ("of_examples", "of_all", "of_matrix"):
        assert rows.loc[name, "low"] < rows.loc[name, "estimate"] < rows.loc[name, "high"]
    same = ["estimate", "low", "high", "groups"]
    assert rows.loc["of_all", same].tolist() == pytest.approx(rows.loc["of_examples", same])
    assert np.isnan(rows.loc["never", "estimate"])
    assert rows.loc["never", "interval_note"] == "not defined for these examples"


def _relabel(made, protocol, part, old, new):
    """Leave one part without a class."""
    base = made["results"] / made["studies"][0]["study"]
    examples = pd.read_parquet(base / "examples.parquet")
    split = pd.read_parquet(base / protocol / "split.parquet")
    here = examples["example"].isin(split.query(f"part == '{part}'")["example"])
    examples.loc[here & (examples["label"] == old), "label"] = new
    write_table(base / "examples.parquet", examples)
    label = examples.set_index("example")["label"]
    for path in base.rglob("predictions.parquet"):
        table = pd.read_parquet(path)
        write_table(path, table.assign(label=label.loc[table["example"]].to_numpy()))


def test_an_absent_class_is_left_out_of_macro_averages_everywhere(tmp_path):
    abc = ["a", "b", "c"]
    one = study("s", classes=abc, scored=abc, architectures=["lstm", "gru"])
    made = make_runs(tmp_path, studies=[one], groups=12, per_group=6)
    _relabel(made, "grouped", "test", "c", "a")
    compare_runs(made)
    at = "protocol == 'grouped' and architecture == 'lstm'"
    board = _table(made, "leaderboard").query(f"{at} and metric == 'macro_f1'").iloc[0]
    assert board["interval_note"].endswith("no test examples of c")
    recorded = []
    for seed in (0, 1):
        path = made["results"] / f"s/grouped/lstm/seed-{seed}/fold-0/predictions.parquet"
        table = pd.read_parquet(path).query("part == 'test'")
        truth = table["label"].map(abc.index).to_numpy()
        recorded.append(scores(truth, table[abc].to_numpy(), scored=[0, 1, 2])["macro_f1"])
        # What is taken for the absent class is an error of another.
        assert (table[abc].to_numpy().argmax(1) == 2).any()
    macro_f1 = pytest.approx(np.mean(recorded))
    assert board["estimate"] == macro_f1
    classes = _table(made, "per_class").query(at).set_index("label")
    assert classes["f1"].mean() == macro_f1
    assert np.isnan(classes.loc["c", "f1"])
    assert classes.loc["c", "note"] == "no examples in the test part"
    inflation = _table(made, "inflation").query("architecture == 'lstm' and metric == 'macro_f1'")
    assert inflation["honest"].item() == macro_f1
    assert "hold different classes" in inflation["note"].item()
    agreement = _table(made, "agreement").query(f"{at} and metric == 'macro_f1'")
    assert agreement["test"].item() == macro_f1
    assert _table(made, "answers")["interval_note"].str.contains("no test examples of c").all()


def test_accuracy_chooses_where_validation_has_no_macro_f1(tmp_path):
    made = make_runs(tmp_path, studies=[study("s", classes=["a", "b"], scored=["a", "b"])])
    for path in made["results"].rglob("run.json"):
        run = json.loads(path.read_text())
        run["metrics"]["validation"]["macro_f1"] = None
        run["metrics"]["validation"]["accuracy"] = 0.9 if run["architecture"] == "gru" else 0.5
        path.write_text(json.dumps(run))
    compare_runs(made)
    answer = _table(made, "answers").iloc[0]
    assert answer["architecture"] == "gru"
    assert np.isnan(answer["validation_macro_f1"])
    assert answer["note"] == (
        "the validation set has no macro-F1, so the network was chosen by accuracy"
    )


def test_networks_that_have_not_converged_are_named_and_not_compared(made, tmp_path):
    shutil.copytree(made["results"], tmp_path / "results")
    # Of two runs each: one of each ending counts as the worse one.
    ended = {"lstm": ["converged", "still improving"], "cnn": ["diverged", "diverged"]}
    for name, endings in ended.items():
        for seed, end in enumerate(endings):
            path = tmp_path / f"results/arrhythmia/grouped/{name}/seed-{seed}/fold-0/run.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"ending": end}))
    moved = made | {"results": tmp_path / "results", "tables": tmp_path / "tables"}
    compare_runs(moved, tmp_path / "tables")
    where = "study == 'arrhythmia' and protocol == 'grouped' and metric == 'macro_f1'"
    board = _table(moved, "leaderboard").query(f"{where} and unit == 'example'")
    board = board.set_index("architecture")["ending"]
    assert board[["lstm", "gru", "cnn"]].tolist() == [
        "1 converged, 1 still improving",
        "converged",
        "diverged",
    ]
    assert board[["majority", "logistic"]].isna().all()
    gaps = _table(moved, "differences").query(where).set_index(["a", "b"])["unfinished"]
    assert gaps["lstm", "cnn"] == "lstm: still improving in 1 of 2 trainings; cnn: diverged"
    assert gaps["gru", "cnn"] == "cnn: diverged"
    assert gaps.xs("logistic", level="b").isna().all()
    letters = _table(moved, "letters").query(where)
    assert letters["letters"].isna().all()
    assert set(letters["note"]) == {
        "no comparison of architectures (cnn: diverged; lstm: still improving in 1 of 2 trainings)"
    }
    answer = _table(moved, "answers").set_index("study").loc["arrhythmia"]
    assert answer["unfinished"] == "lstm: still improving in 1 of 2 trainings; cnn: diverged"
    others = _table(moved, "differences").query("study == 'voices'")
    assert others["unfinished"].isna().all()
    words = "in arrhythmia (lstm: still improving in 1 of 2 trainings; cnn: diverged)"
    assert _table(moved, "ranks")["note"].str.contains(words, regex=False).all()
    assert not _table(made, "ranks")["note"].str.contains("no comparison").any()


def test_a_search_that_ended_at_an_edge_is_no_comparison(made, tmp_path):
    shutil.copytree(made["results"], tmp_path / "results")
    path = tmp_path / "results/arrhythmia/search/gru/best.json"
    edge = {"hyperparameter": "learning_rate", "value": 0.01, "low": 0.001, "high": 0.01}
    path.write_text(json.dumps({"trial": "gru-00", "edges": [edge]}))
    moved = made | {"results": tmp_path / "results", "tables": tmp_path / "tables"}
    compare_runs(moved, tmp_path / "tables")
    words = "gru: has its best learning rate, 0.01, at the edge of its range (0.001 to 0.01)"
    # The search is made once, and what it chose is trained under every split.
    for protocol in ("grouped", "random"):
        where = f"study == 'arrhythmia' and protocol == '{protocol}' and metric == 'macro_f1'"
        gaps = _table(moved, "differences").query(where).set_index(["a", "b"])["unfinished"]
        assert gaps["lstm", "gru"] == gaps["gru", "cnn"] == words
        assert np.isnan(gaps["lstm", "cnn"])
        assert gaps.xs("logistic", level="b").isna().all()
        letters = _table(moved, "letters").query(where)
        assert set(letters["note"]) == {f"no comparison of architectures ({words})"}
    assert _table(moved, "answers").set_index("study").loc["arrhythmia", "unfinished"] == words


def test_metadata_that_suffice_are_told(made):
    board = _table(made, "leaderboard").query("metric == 'macro_f1' and unit == 'example'")
    differences = _table(made, "differences").query("metric == 'macro_f1' and b == 'metadata'")
    for answer in _table(made, "answers").to_dict("records"):
        where = f"study == '{answer['study']}' and protocol == 'grouped'"
        score = board.query(where).set_index("architecture")["estimate"]
        assert answer["metadata_macro_f1"] == pytest.approx(score["metadata"])
        assert answer["metadata_column"] == "duration"
        assert answer["metadata_column_macro_f1"] == 0.4
        row = differences.query(where).set_index("a").loc[answer["architecture"]]
        better = row["p_holm"] <= 0.05 and row["difference"] > 0
        tells = score["metadata"] > score["majority"] + 0.1
        told = "yes" if np.isfinite(row["p_holm"]) else "unknown"
        assert answer["metadata_suffices"] == (told if tells and not better else "no")


def test_metadata_that_no_test_could_set_apart_are_not_said_to_suffice():
    pool = SimpleNamespace(runs=[{"alone": {"rate": 0.4}}], scored=["a", "b"])
    board = {"metadata": {"estimate": 0.6}, "majority": {"estimate": 0.3}}
    for p, told in ((0.5, "yes"), (math.nan, "unknown"), (0.01, "no")):
        row = _by_metadata(pool, board, {"p_holm": p, "difference": 0.4})
        assert row["metadata_suffices"] == told


def test_networks_below_a_linear_model_are_named(made):
    board = _table(made, "leaderboard").query("metric == 'macro_f1' and unit == 'example'")
    for answer in _table(made, "answers").to_dict("records"):
        some = board[(board["study"] == answer["study"]) & (board["protocol"] == "grouped")]
        score = some.set_index("architecture")["estimate"]
        assert answer["linear_macro_f1"] == pytest.approx(score["logistic"])
        below = [n for n in ("lstm", "gru", "cnn") if n in score and score[n] < score["logistic"]]
        assert (answer["below_linear"] if below else "") == " ".join(below)
