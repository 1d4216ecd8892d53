# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401 (registers the head)


@pytest.mark.parametrize("size", [(64, 96), (32, 160)])
def test_logits_are_as_large_as_the_image(size: tuple[int, int]) -> None:
    init_default_scope("mmseg")
    head = MODELS.build(
        dict(
            type="LightFPNHead",
            in_channels=[4, 8, 12, 16],
            in_index=[0, 1, 2, 3],
            channels=6,
            width=8,
            num_classes=4,
            loss_decode=dict(type="CrossEntropyLoss"),
        )
    ).eval()
    height, width = size
    features = [
        torch.rand(2, channels, height // stride, width // stride)
        for channels, stride in ((4, 4), (8, 8), (12, 16), (16, 32))
    ]
    with torch.inference_mode():
        assert head(features).shape == (2, 4, height, width)
        assert head.finest(features).shape == (2, 6, height // 4, width // 4)
