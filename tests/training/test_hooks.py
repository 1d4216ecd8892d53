# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from torch.optim.swa_utils import AveragedModel  # noqa: E402

from perception.training.hooks import moving_average  # noqa: E402


def _averaged(values: list[float], decay: float) -> float:
    model = torch.nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, multi_avg_fn=moving_average(decay), use_buffers=True)
    for value in values:
        torch.nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    return float(average.module.weight.detach())


def test_a_short_run_does_not_keep_the_weights_that_it_began_with() -> None:
    """A constant 0.998 would leave 82 % of the first weights after a hundred iterations."""
    assert _averaged([0.0] + [1.0] * 100, 0.998) > 0.999


def test_a_long_run_averages_over_as_many_iterations_as_the_decay_says() -> None:
    assert _averaged([1.0] * 10_000 + [0.0], 0.998) == pytest.approx(0.998, abs=1e-6)
