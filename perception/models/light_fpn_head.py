# SPDX-License-Identifier: Apache-2.0
"""A decode head that spends its time at the coarse strides."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class LightFPNHead(BaseDecodeHead):
    """Top-down pyramid (Lin et al., CVPR 2017) with global context on top and a narrow last level.

    width: channels of all levels but the finest, which has `channels`.

    forward: features of strides s, 2s, 4s, 8s → logits (B, num_classes, H/s, W/s).
    """

    def __init__(self, width: int = 64, **kwargs: Any) -> None:
        super().__init__(input_transform="multiple_select", **kwargs)
        norm = dict(type="BN")
        fine, *coarse = self.in_channels
        self.context = ConvModule(coarse[-1], width, 1)
        self.laterals = nn.ModuleList(ConvModule(c, width, 1, norm_cfg=norm, act_cfg=None) for c in coarse)
        self.smooth = nn.ModuleList(ConvModule(width, width, 3, padding=1, norm_cfg=norm) for _ in coarse)
        self.narrow = ConvModule(width, self.channels, 1, norm_cfg=norm, act_cfg=None)
        self.fine_lateral = ConvModule(fine, self.channels, 1, norm_cfg=norm, act_cfg=None)
        self.fine_smooth = ConvModule(self.channels, self.channels, 3, padding=1, norm_cfg=norm)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """See the class."""
        fine, *coarse = self._transform_inputs(inputs)
        x = self.smooth[-1](self.laterals[-1](coarse[-1]) + self.context(coarse[-1].mean((2, 3), keepdim=True)))
        for level in reversed(range(len(coarse) - 1)):
            lateral = self.laterals[level](coarse[level])
            x = self.smooth[level](lateral + resize(x, lateral.shape[2:], mode="bilinear", align_corners=False))
        lateral = self.fine_lateral(fine)
        x = lateral + resize(self.narrow(x), lateral.shape[2:], mode="bilinear", align_corners=False)
        return self.cls_seg(self.fine_smooth(x))
