# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmseg.models import UNet

from perception.models.zoo.unet import UNetEncoder, UNetHead


def test_encoder_and_head_are_mmsegs_unet_in_two() -> None:
    torch.manual_seed(0)
    whole = UNet(base_channels=4).eval()
    encoder = UNetEncoder(base_channels=4).eval()
    head = UNetHead(
        in_channels=(4, 8, 16, 32, 64), in_index=range(5), channels=4, num_classes=4, norm_cfg=dict(type="BN")
    ).eval()
    encoder.load_state_dict({k: v for k, v in whole.state_dict().items() if k.startswith("encoder.")})
    levels = {k.removeprefix("decoder."): v for k, v in whole.state_dict().items() if k.startswith("decoder.")}
    head.levels.load_state_dict(levels)
    image = torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        features = encoder(image)
        torch.testing.assert_close(head(features), head.cls_seg(whole(image)[-1]))
    assert [f.shape[2] for f in features] == [32, 16, 8, 4, 2]
