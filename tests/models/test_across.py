# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")

from helpers.training.shards import by_one, by_two

from perception.models import across


def test_alone_nothing_is_shared() -> None:
    assert (across.processes(), across.rank()) == (1, 0)
    rows = torch.arange(3.0)
    assert across.gathered(rows) is rows
    assert across.total(rows).tolist() == [0, 1, 2]
    assert across.mean(torch.tensor(3.0), torch.tensor(2)).item() == 1.5
    assert across.mean(torch.tensor(0.0), torch.tensor(0)).item() == 0


@pytest.mark.parametrize(
    "name", ["ce", "lovasz", "lovasz per image", "ohem", "weighted ohem", "boundary", "soft", "nothing"]
)
def test_two_processes_have_the_losses_and_gradients_of_one(name: str) -> None:
    value, gradient = by_one()["losses"][name]
    values, gradients = zip(*(each["losses"][name] for each in by_two()), strict=True)
    assert np.mean(values) == pytest.approx(value, rel=1e-6)
    np.testing.assert_allclose(np.mean(gradients, 0), gradient, rtol=1e-5, atol=1e-9)
    assert (np.abs(gradient).max() > 0) == (name != "nothing")


def test_the_first_rows_of_the_whole_batch_are_found_by_their_order_in_it() -> None:
    assert by_one()["rows"] == ([0, 2, 4, 7], 4)
    assert [each["rows"] for each in by_two()] == [([0, 1, 2], 4), ([3], 4)]
