from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import HeldoutError
from lib.networks.hyperparameters import complete, trial_id
from lib.search.spaces import check_space, extremes, grid_trials, random_trials, suggest

SPACE: dict[str, Any] = {
    "units": [[8], [16], [8, 8]],
    "optimizer": ["adam", "sgd"],
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "batch_size": {"low": 8, "high": 64, "step": 8},
    "dropout": {"choices": [0.1, 0.3], "when": {"optimizer": ["adam"]}},
}


def test_grid_is_the_product() -> None:
    space = {"units": [[8], [16]], "dropout": [0.0, 0.2, 0.4]}
    trials = grid_trials("lstm", {"batch_size": 4}, space)
    assert len(trials) == 6
    assert {(*tuple(t["units"]), t["dropout"]) for t in trials.values()} == {
        (units, dropout) for units in (8, 16) for dropout in (0.0, 0.2, 0.4)
    }
    assert all(name == trial_id("lstm", values) for name, values in trials.items())
    assert all(values["batch_size"] == 4 for values in trials.values())


def test_no_cell_of_a_large_grid_is_lost() -> None:
    space = {"dropout": [cell / 100 for cell in range(100)], "batch_size": [*range(1, 81)]}
    assert len(grid_trials("lstm", {}, space)) == 8000


def test_grid_cells_of_equal_content_are_one_trial() -> None:
    space = {
        "optimizer": ["adam", "sgd"],
        "dropout": {"choices": [0.1, 0.3], "when": {"optimizer": ["adam"]}},
    }
    trials = grid_trials("gru", {}, space)
    assert sorted((t["optimizer"], t["dropout"]) for t in trials.values()) == [
        ("adam", 0.1),
        ("adam", 0.3),
        ("sgd", 0.0),
    ]
    assert len(grid_trials("gru", {}, {"dropout": [0, 0.0, 0.2]})) == 2
    assert len(grid_trials("gru", {}, {"units": [[8], [8]], "learning_rate": [1, 1.0]})) == 1
    assert len(grid_trials("gru", {}, {})) == 1


@given(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3]), min_size=1, max_size=3, unique=True))
def test_a_value_more_leaves_the_other_cells(values: list[float]) -> None:
    before = grid_trials("cnn", {}, {"dropout": values, "pool": [2, 3]})
    after = grid_trials("cnn", {}, {"dropout": [*values, 0.5], "pool": [2, 3]})
    assert set(before) < set(after)
    assert len(after) == len(before) + 2
    assert all(after[name] == trial for name, trial in before.items())


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_random_trials(seed: int, count: int) -> None:
    trials = random_trials("lstm", {}, SPACE, trials=count, seed=seed)
    assert len(trials) == count
    assert trials == random_trials("lstm", {}, SPACE, trials=count, seed=seed)
    more = random_trials("lstm", {}, SPACE, trials=count + 3, seed=seed)
    assert list(more)[:count] == list(trials)
    for trial in trials.values():
        assert trial == complete("lstm", trial)
        assert 1e-4 <= trial["learning_rate"] <= 1e-1
        assert trial["batch_size"] in range(8, 65, 8)
        assert trial["dropout"] in ((0.1, 0.3) if trial["optimizer"] == "adam" else (0.0,))


def test_random_search_of_a_small_space_ends() -> None:
    trials = random_trials("lstm", {}, {"dropout": [0.1, 0.2]}, trials=10, seed=0)
    assert sorted(trial["dropout"] for trial in trials.values()) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("name", "space", "values"),
    [
        ("dropout", {"low": 0.0, "high": 0.3, "step": 0.1}, {0.0, 0.1, 0.2, 0.3}),
        ("batch_size", {"low": 8, "high": 10}, {8, 9, 10}),
        ("batch_size", {"low": 8, "high": 11, "log": True}, {8, 9, 10, 11}),
        ("batch_size", {"low": 8, "high": 64, "step": 28}, {8, 36, 64}),
    ],
)
def test_random_search_draws_both_ends_and_all_between(
    name: str, space: dict[str, Any], values: set[float]
) -> None:
    trials = random_trials("lstm", {}, {name: space}, trials=len(values), seed=0)
    assert {trial[name] for trial in trials.values()} == values


def test_a_seed_may_be_large() -> None:
    assert len(random_trials("lstm", {}, SPACE, trials=4, seed=2**40)) == 4


def test_conditions_hold_whatever_the_order_of_the_keys() -> None:
    class First:
        def choice(self, name: str, choices: list[Any]) -> Any:
            return choices[-1]

        def number(self, name: str, low: float, *_: Any, **__: Any) -> float:
            return low

    turned = dict(reversed(list(SPACE.items())))
    assert suggest(SPACE, First()) == suggest(turned, First())
    assert "dropout" not in suggest(SPACE, First())  # the last optimizer is sgd


@pytest.mark.parametrize(
    ("space", "method", "match"),
    [
        ({"unit": [[8]]}, "grid", "unknown. Did you mean 'units'"),
        ({"units": []}, "grid", "one or more choices"),
        ({"units": 8}, "grid", "one or more choices"),
        ({"dropout": [0.2, 1.5]}, "grid", "from 0 up to"),
        ({"dropout": {"low": 0.1, "high": 0.3}}, "grid", "a grid takes choices"),
        ({"dropout": {"low": 0.3, "high": 0.1}}, "random", "low < high"),
        ({"dropout": {"low": 0.1}}, "bayes", "low and high"),
        ({"learning_rate": {"low": 0, "high": 1, "log": True}}, "bayes", "above 0"),
        ({"learning_rate": {"low": 0.1, "high": 1, "logs": True}}, "bayes", "low and high"),
        ({"learning_rate": {"low": 0.1, "high": 1, "log": "yes"}}, "bayes", "log true"),
        (
            {"batch_size": {"low": 8, "high": 64, "step": 0.5}},
            "random",
            "whole where both ends are",
        ),
        ({"dropout": {"choices": [0.1], "when": {"pool": [2]}}}, "bayes", "another searched"),
    ],
)
def test_bad_spaces(space: dict[str, Any], method: str, match: str) -> None:
    with pytest.raises(HeldoutError, match=match):
        check_space("lstm", {}, space, method=method)


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_a_good_space(method: str) -> None:
    check_space("lstm", {}, SPACE, method=method)
    check_space("cnn", {"kernels": [5]}, {"filters": [[8], [16]]}, method=method)


@given(
    fixed=st.fixed_dictionaries(
        {},
        optional={
            "schedule": st.sampled_from(["constant", "cosine"]),
            "warmup": st.sampled_from([0, 0.2]),
        },
    ),
    schedules=st.lists(st.sampled_from(["constant", "cosine"]), max_size=2, unique=True),
    warmups=st.lists(st.sampled_from([0, 0.1]), max_size=2, unique=True),
    when=st.sampled_from([["cosine"], ["constant"], ["constant", "cosine"], []]),
)
def test_no_trial_has_a_warm_up_that_its_schedule_ignores(
    fixed: dict[str, Any], schedules: list[str], warmups: list[float], when: list[str]
) -> None:
    space: dict[str, Any] = {"schedule": schedules} if schedules else {}
    if warmups:
        condition = {"when": {"schedule": when}} if when and schedules else {}
        space["warmup"] = {"choices": warmups, **condition}
    trials = grid_trials("lstm", fixed, space).values()
    if any(trial["warmup"] and trial["schedule"] == "constant" for trial in trials):
        with pytest.raises(HeldoutError, match="lstm: warmup: expected 0 with schedule: constant"):
            check_space("lstm", fixed, space, method="grid")
    else:
        check_space("lstm", fixed, space, method="grid")


def test_a_search_over_schedules_may_warm_up_where_it_is_heard() -> None:
    schedules = ["constant", "cosine"]
    with pytest.raises(
        HeldoutError, match=r"got 0\.2\. Set schedule: cosine, or remove warmup. A s"
    ):
        check_space("cnn", {"warmup": 0.2}, {"schedule": schedules}, method="grid")
    for warmup in ({"choices": [0.1]}, {"low": 0.0, "high": 0.2}):
        with pytest.raises(
            HeldoutError, match=r"cnn: warmup: .* which would ignore it, got 0\.[12]"
        ):
            check_space("cnn", {}, {"warmup": warmup}, method="bayes")
        check_space("cnn", {"schedule": "cosine"}, {"warmup": warmup}, method="bayes")
        space = {"schedule": schedules, "warmup": {**warmup, "when": {"schedule": ["cosine"]}}}
        check_space("cnn", {}, space, method="bayes")


def test_the_ends_of_a_search() -> None:
    search = {
        "fixed": {"dropout": 0.1},
        "space": {
            "filters": [[8], [16, 32]],
            "kernels": {"choices": [[3], [3, 7]]},
            "batch_size": {"low": 16, "high": 128},
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "optimizer": ["adam", "sgd"],
        },
    }
    small, large = extremes("cnn", search)
    assert small == {"dropout": 0.1, "filters": [16, 32], "kernels": [7, 7], "batch_size": 16}
    assert large == {**small, "batch_size": 128}
    assert extremes("lstm", {"fixed": {"units": [4]}, "space": {}}) == [{"units": [4]}]


def test_the_ends_of_a_search_of_what_has_no_pairs() -> None:
    ends = extremes("gru", {"fixed": {}, "space": {"dense": [[3], [5]]}})
    assert ends == [{"dense": [5]}]


def test_kernels_and_filters_must_agree() -> None:
    for fixed in ({}, {"kernels": [3, 3]}):
        with pytest.raises(HeldoutError, match="as many kernels as filters"):
            check_space("cnn", fixed, {"filters": [[8], [8, 16]]}, method="bayes")


def test_the_space_of_the_docs() -> None:
    page = Path(__file__).parents[3] / "docs" / "hyperparameter-search.md"
    block, *_ = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    search = yaml.safe_load(block)["architectures"]["cnn"]
    check_space("cnn", search["fixed"], search["space"], method=search["method"])
    with pytest.raises(HeldoutError, match="a grid takes choices"):
        check_space("cnn", search["fixed"], search["space"], method="grid")
