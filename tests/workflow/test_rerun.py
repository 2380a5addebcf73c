"""What a change makes Snakemake do again, and what not: each a dry run on a finished run."""

from __future__ import annotations

import pytest

from tests.support.workflow import Plan, Workflow

TRAINING = {"trial", "search", "train"}
AFTER_TRAINING = {"compare", "plots", "report", "records"}
AFTER_FEATURES = (
    {"examples", "explore", "splits", "audit", "baselines", "shortcuts"} | TRAINING | AFTER_TRAINING
)


def architectures(plan: Plan) -> set[str]:
    return plan.values("architecture", *TRAINING)


def tiny(**over: object) -> dict[str, object]:
    return {"settings": {"tiny": over}}


def test_a_value_more_in_a_grid_trains_the_new_trial_alone(copied: Workflow) -> None:
    space = {"learning_rate": [0.01, 0.003, 0.05]}
    copied.configure(tiny(architectures={"simple_rnn": {"space": space}}))
    plan = copied.plan()
    assert plan.rules["trial"] == 1
    assert "0.05" in plan.values("trial").pop()
    assert set(plan.rules) == TRAINING | AFTER_TRAINING
    assert architectures(plan) == {"simple_rnn"}


def test_the_optimizer_of_an_architecture_concerns_that_architecture(copied: Workflow) -> None:
    copied.configure(tiny(architectures={"simple_rnn": {"fixed": {"optimizer": "sgd"}}}))
    plan = copied.plan()
    assert plan.rules["trial"] == 2
    assert set(plan.rules) == TRAINING | AFTER_TRAINING
    assert architectures(plan) == {"simple_rnn"}


@pytest.mark.slow
def test_the_features_of_a_study_leave_its_recordings_as_they_are(copied: Workflow) -> None:
    copied.configure(tiny(features={"before": 0.3}))
    assert set(copied.plan().rules) == {"features", *AFTER_FEATURES}


@pytest.mark.slow
def test_the_training_of_a_study_leaves_its_data_as_it_is(copied: Workflow) -> None:
    copied.configure(tiny(training={"epochs": 3}))
    assert set(copied.plan().rules) == TRAINING | AFTER_TRAINING


def test_resamples_concern_the_comparison_alone(copied: Workflow) -> None:
    copied.configure({"resamples": 101})
    assert set(copied.plan().rules) == {"shortcuts", *AFTER_TRAINING}


def test_a_seed_more_concerns_the_final_runs_alone(copied: Workflow) -> None:
    copied.configure({"seeds": [0, 1, 2]})
    assert set(copied.plan().rules) == {"train", *AFTER_TRAINING}


def test_permuted_labels_train_each_network_as_often_and_nothing_else(copied: Workflow) -> None:
    copied.configure(tiny(permutations=3))
    plan = copied.plan()
    assert set(plan.rules) == {"permuted", *AFTER_TRAINING}
    assert plan.rules["permuted"] == 6
    assert plan.values("permutation") == {"1", "2", "3"}


@pytest.mark.slow
def test_another_simulation_makes_everything_anew(copied: Workflow) -> None:
    copied.configure({"simulation": {"seed": 1}})
    assert set(copied.plan().rules) == {"retrieve", "recordings", "features", *AFTER_FEATURES}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        pytest.param("lib/report/table.py", {"report", "records"}, marks=pytest.mark.slow),
        ("lib/plots/scores.py", {"plots", "report", "records"}),
        ("lib/compare/leaderboard.py", AFTER_TRAINING),
        pytest.param(
            "lib/train/baselines.py",
            {"baselines", "shortcuts", *AFTER_TRAINING},
            marks=pytest.mark.slow,
        ),
        ("lib/features/beats.py", {"features", *AFTER_FEATURES}),
        pytest.param(
            "lib/splits/dealing.py",
            AFTER_FEATURES - {"examples", "explore"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_edited_code_reruns_its_stage_and_what_follows(
    copied: Workflow, module: str, expected: set[str]
) -> None:
    copied.add_code(module)
    assert set(copied.plan().rules) == expected


def test_another_librosa_makes_the_features_anew(copied: Workflow) -> None:
    installed = copied.path("librosa-99.dist-info")
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: librosa\nVersion: 99\n")
    assert set(copied.plan().rules) == {"features", *AFTER_FEATURES}


def test_an_edited_model_retrains_and_leaves_the_data_alone(copied: Workflow) -> None:
    copied.add_code("lib/networks/models.py")
    assert set(copied.plan().rules) == {"trial", "search", "train", *AFTER_TRAINING}


def test_an_edited_simulator_makes_everything_anew(copied: Workflow) -> None:
    copied.add_code("lib/simulate/ecg.py")
    assert set(copied.plan().rules) == {"retrieve", "recordings", "features", *AFTER_FEATURES}


def test_an_edited_simulator_of_another_dataset_changes_nothing(copied: Workflow) -> None:
    copied.add_code("lib/simulate/voice.py")
    assert copied.plan().jobs == []


def test_words_alone_rerun_nothing(copied: Workflow) -> None:
    for module in ("lib/simulate/mitdb.py", "lib/features/beats.py", "lib/train/trainer.py"):
        copied.edit(module, lambda text: "# A remark.\n" + text.replace('"""', '"""In short: ', 1))
    assert copied.plan().jobs == []


def test_one_rule_can_be_forced(copied: Workflow) -> None:
    plan = copied.plan("--forcerun", "train")
    assert set(plan.rules) == {"train", *AFTER_TRAINING}
    assert architectures(plan) == {"simple_rnn", "gru"}


def test_one_path_can_be_asked_for(copied: Workflow) -> None:
    path = "results/tiny/random/gru/seed-0/fold-0/run.json"
    assert copied.plan(path).jobs == []
    copied.path(path).unlink()
    plan = copied.plan(path)
    assert set(plan.rules) == {"train"}
    assert (plan.values("architecture"), plan.values("protocol")) == ({"gru"}, {"random"})


@pytest.mark.slow
def test_a_training_is_not_repeated_for_a_seed_more(copied: Workflow) -> None:
    kept = {path: path.stat().st_mtime_ns for path in copied.path("results").rglob("weights.npz")}
    assert kept
    copied.configure({"seeds": [0, 1, 2]})
    done = copied.run("--until", "train")
    assert done.status == 0, done.output
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert len(list(copied.path("results").rglob("weights.npz"))) > len(kept)
