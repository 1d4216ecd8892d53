# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from perception.models.zoo.unpool import max_pool, max_unpool


def test_it_pools_and_unpools_as_pytorch_does_ties_included() -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 3, (2, 5, 8, 12)).float()  # as behind a ReLU: many cells have several maxima
    pooled, places = max_pool(x)
    expected, indices = functional.max_pool2d(x, 2, return_indices=True)
    torch.testing.assert_close(pooled, expected)
    values = torch.randn(pooled.shape)
    torch.testing.assert_close(max_unpool(values, places), functional.max_unpool2d(values, indices, 2))


def test_gradients_pass_through_both() -> None:
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    pooled, places = max_pool(x)
    max_unpool(pooled, places).sum().backward()
    assert x.grad is not None
    assert x.grad.sum().item() == pytest.approx(8)  # one of four pixels in each of 2 × 4 cells
