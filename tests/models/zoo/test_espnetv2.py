# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch

pytest.importorskip("mmseg")

from perception.models.zoo.espnetv2 import EESP, ESPNetV2, ESPNetV2Head


def test_features_have_the_papers_strides_channels_and_units() -> None:
    net = ESPNetV2((32, 64, 128, 256)).eval()
    with torch.inference_mode():
        features = net(torch.randn(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [(32, 32, 48), (64, 16, 24), (128, 8, 12), (256, 4, 6)]
    assert [len(list(units.children())) for units in net.units] == [0, 3, 7]


@pytest.mark.parametrize(("field", "rates"), [(13, [1, 2, 3, 4]), (9, [1, 2, 3, 4]), (7, [1, 1, 2, 3])])
def test_dilations_stay_within_the_receptive_field(field: int, rates: list[int]) -> None:
    convolutions: Any = EESP(32, 32, 1, field).see
    assert [conv.dilation[0] for conv in convolutions] == rates


def test_the_head_decides_at_half_the_size() -> None:
    head = ESPNetV2Head(in_channels=(8, 16, 32, 64), in_index=(0, 1, 2, 3), channels=32, num_classes=4).eval()
    features = tuple(torch.randn(1, 8 * 2**i, 32 >> i, 48 >> i) for i in range(4))
    assert head(features).shape == (1, 4, 32, 48)
