# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from perception.models.zoo.segnet import SegNetBasic


def test_it_has_the_papers_parameters_and_gives_back_the_inputs_size() -> None:
    net = SegNetBasic(64).eval()
    with torch.inference_mode():
        (feature,) = net(torch.randn(1, 3, 32, 48))
    assert feature.shape == (1, 64, 32, 48)
    # 3·64·49 of the first convolution, 64·64·49 of seven more, two per channel of eight batch normalisations
    assert sum(p.numel() for p in net.parameters()) == 9408 + 7 * 200704 + 8 * 128


def test_decoders_have_no_relu() -> None:
    (feature,) = SegNetBasic(16)(torch.randn(1, 3, 32, 32))
    assert feature.min() < 0
