# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from perception.models.zoo.stdc import DetailHead


def test_it_learns_where_labels_change() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.int64)
    labels[:, :, 16:] = 3
    sample = SegDataSample(gt_sem_seg=PixelData(data=labels))
    head = DetailHead(in_channels=8, channels=8)

    def loss(border: float) -> float:
        """Of logits that say there is a border of two pixels in the middle, or everywhere else."""
        logits = torch.full((1, 2, 32, 32), 5.0) * torch.tensor([1.0, -1.0])[None, :, None, None]
        logits[:, :, :, 15:17] *= -1
        return float(sum(v for k, v in head.loss_by_feat(border * logits, [sample]).items() if "loss" in k))

    assert loss(1.0) < 1 < loss(-1.0)
