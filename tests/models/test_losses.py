# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.models import WeightedCrossEntropy  # noqa: E402


def test_is_the_mean_weighted_by_class_over_the_labelled_pixels() -> None:
    logits = torch.randn(2, 4, 6, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(60).reshape(2, 6, 5) % 4
    labels[:, 0] = 255
    loss = WeightedCrossEntropy((1, 2, 3, 4), loss_weight=0.5)
    expected = 0.5 * torch.nn.functional.cross_entropy(logits, labels, torch.tensor([1.0, 2, 3, 4]), ignore_index=255)
    torch.testing.assert_close(loss(logits, labels), expected)


def test_nothing_labelled_teaches_nothing() -> None:
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    WeightedCrossEntropy((1, 1, 1, 1))(logits, torch.full((1, 3, 3), 255)).backward()
    assert (logits.grad == 0).all()
