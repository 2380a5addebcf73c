"""The learning rate of a step, as Keras has it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.networks.hyperparameters import complete
from lib.train.optimizer import optimizer, scheduled_rate, warmup_steps


@given(st.integers(1, 400), st.floats(0, 0.9), st.floats(1e-5, 0.5), st.data())
def test_the_rate_of_a_step_is_that_of_keras(
    keras: Any, steps: int, warmup: float, rate: float, data: st.DataObject
) -> None:
    values = complete("gru", {"schedule": "cosine", "warmup": warmup})
    made = optimizer(keras, values, rate, steps=steps)
    step = data.draw(st.integers(0, steps))
    made.iterations.assign(step)
    risen = warmup_steps(values, steps)
    ours = scheduled_rate(step, rate=rate, steps=steps, warmup=risen)
    assert ours == pytest.approx(float(made.learning_rate), rel=1e-4, abs=rate * 1e-6)
    assert ours <= rate
