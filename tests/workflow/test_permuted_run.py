"""Networks trained for a comparison alone: on permuted labels, and chosen by the test part."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.workflow import Workflow


@pytest.mark.slow
def test_permuted_labels_and_choices_by_the_test_part(copied: Workflow) -> None:
    chosen = {"title": "chosen by the test part", "kind": "test_selected", "honest": False}
    asked = {"permutations": 1, "protocols": {"test_selected": chosen}}
    copied.configure({"settings": {"tiny": asked}})
    done = copied.run()
    assert done.status == 0, done.output
    rows = pd.read_csv(copied.path("results/tables/permutations.csv")).set_index("architecture")
    assert list(rows.index) == ["ridge", "simple_rnn", "gru"]
    for name in ("simple_rnn", "gru"):
        path = f"results/tiny/permuted/{name}/permutation-1/fold-0/run.json"
        run = json.loads(copied.path(path).read_text())
        np.testing.assert_allclose(rows.loc[name, "permuted"], run["metrics"]["test"]["macro_f1"])
        own = copied.path(f"results/tiny/grouped/{name}/seed-0/fold-0/run.json")
        score = json.loads(own.read_text())["metrics"]["test"]["macro_f1"]
        np.testing.assert_allclose(rows.loc[name, "score"], score)
        assert rows.loc[name, "p"] in (0.5, 1)
    page = copied.path("results/report.html").read_text()
    assert f"Too few permutations (1) for {len(rows)} tests: no p can be small." in page

    def read(path: str) -> Any:
        return json.loads(copied.path(path).read_text())

    split = pd.read_parquet(copied.path("results/tiny/test_selected/split.parquet"))
    honest = pd.read_parquet(copied.path("results/tiny/grouped/split.parquet"))
    parts = {part: set(some["example"]) for part, some in split.groupby("part", observed=True)}
    assert parts["validation"] == parts["test"] == set(honest.loc[honest["part"] == "test"].example)
    assert parts["train"] == set(honest.loc[honest["part"] == "train"].example)
    assert read("results/tiny/test_selected/audit.json")["leaks"]
    # Of two trials the one is trained that is best on the test part; of one there is no search.
    best = read("results/tiny/test_search/simple_rnn/best.json")
    losses = {
        path.parent.name: json.loads(path.read_text())["metrics"]["validation"]["loss"]
        for path in copied.path("results/tiny/test_search/simple_rnn").glob("*/run.json")
    }
    assert len(losses) == 2
    assert losses[best["trial"]] == min(losses.values())
    run = read("results/tiny/test_selected/simple_rnn/seed-0/fold-0/run.json")
    assert run["trial"] == best["trial"]
    assert run["metrics"]["validation"] == pytest.approx(run["metrics"]["test"])
    assert not run["honest"]
    assert not copied.path("results/tiny/test_search/gru").exists()
    chosen_rows = pd.read_csv(copied.path("results/tables/selection.csv"))
    assert len(chosen_rows) == 4
    assert not chosen_rows["honest"].any()
    # What is finished is not done again.
    assert copied.plan().jobs == []
