# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from perception.models.zoo.esanet import ESANetHead, LearnedUpsampling


def test_upsampling_begins_as_bilinear_interpolation() -> None:
    x = torch.randn(1, 3, 8, 10)
    expected = torch.nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    inside = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(LearnedUpsampling(3)(x)[inside], expected[inside])


class Rows(torch.nn.Module):
    """A loss that tells the size of what it is given."""

    def forward(self, logits: torch.Tensor, labels: torch.Tensor, ignore_index: int) -> torch.Tensor:
        assert logits.shape[2:] == labels.shape[1:]
        return torch.tensor(float(logits.shape[2]))


def test_every_scale_is_learnt_and_one_is_the_answer() -> None:
    torch.manual_seed(0)
    head = ESANetHead(in_channels=(8, 8, 16, 16), in_index=(0, 1, 2, 3), channels=8, blocks=1, num_classes=4)
    head.loss_decode = Rows()
    features = tuple(torch.randn(2, c, 32 >> i, 48 >> i) for i, c in enumerate((8, 8, 16, 16)))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 128, 192).long())) for _ in range(2)]
    losses = head.loss_by_feat(head(features), samples)
    assert {name: int(rows) for name, rows in losses.items()} == {
        "loss_main": 128,
        "loss_32": 4,
        "loss_16": 8,
        "loss_8": 16,
    }
    assert head.eval()(features).shape == (2, 4, 128, 192)
