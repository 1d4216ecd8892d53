# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from perception.models import Batch, RgbEncoder
from perception.models.dual_branch import normalise_rgb


def test_it_looks_at_the_camera_alone() -> None:
    encoder = RgbEncoder(dict(type="SlimResNet", hidden=((8,), (8,), (8,), (8,)))).eval()
    rgb = torch.randint(0, 256, (1, 3, 64, 96)).float()
    with torch.inference_mode():
        expected = encoder.backbone(normalise_rgb(rgb))
        for channels, sensors in ((0, 1), (10, 4)):
            batch = Batch(rgb, torch.rand(1, channels, 32, 48), torch.ones(1, sensors))
            for feature, wanted in zip(encoder(batch), expected, strict=True):
                torch.testing.assert_close(feature, wanted)
            assert encoder.encode(batch)[1].tolist() == [[1.0]]
