# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.registry import init_default_scope
from mmseg.models import UNet

from perception.models.zoo.unet import UNetEncoder, UNetHead


def test_encoder_and_head_are_mmsegs_unet_in_two() -> None:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    whole, encoder = UNet(base_channels=4), UNetEncoder(base_channels=4)
    for net in (whole, encoder):
        net.eval()  # mmseg's gives nothing back
    head = UNetHead(
        in_channels=(4, 8, 16, 32, 64), in_index=(0, 1, 2, 3, 4), channels=4, num_classes=4, norm_cfg=dict(type="BN")
    ).eval()
    encoder.load_state_dict({k: v for k, v in whole.state_dict().items() if k.startswith("encoder.")})
    levels = {k.removeprefix("decoder."): v for k, v in whole.state_dict().items() if k.startswith("decoder.")}
    head.levels.load_state_dict(levels)
    image = torch.randn(1, 3, 32, 48)
    with torch.inference_mode():
        features = encoder(image)
        torch.testing.assert_close(head(features), head.cls_seg(whole(image)[-1]))
    assert [f.shape[2] for f in features] == [32, 16, 8, 4, 2]
