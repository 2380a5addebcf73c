"""Networks trained on labels dealt anew, where a study asks for it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.support.workflow import Workflow


@pytest.mark.slow
def test_networks_are_scored_on_labels_dealt_anew(copied: Workflow) -> None:
    copied.configure({"settings": {"tiny": {"permutations": 1}}})
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
    assert (
        "with labels dealt anew, 1 time, it reaches"
        in copied.path("results/report.html").read_text()
    )
    # What is finished is not done again.
    assert copied.plan().jobs == []
