# SPDX-License-Identifier: Apache-2.0
"""A decode head that spends its time at the coarse strides and draws the borders from sub-pixels."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional

SUBPIXELS = 4
"""Every cell of the finest features yields logits for so many rows and columns of sub-pixels."""


@MODELS.register_module()
class LightFPNHead(BaseDecodeHead):
    """Top-down pyramid (Lin et al., CVPR 2017) with global context on top and a narrow last level.

    The last convolution predicts a block of sub-pixels per cell (Shi et al., CVPR 2016): sharper on small objects
    than interpolated logits, and much cheaper, as nothing is computed at full resolution.

    width: channels of all levels except the finest, which has `channels`.

    forward: features of strides 4, 8, 16, 32 → logits (B, num_classes, H, W).
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
        self.conv_seg = nn.Conv2d(self.channels, self.num_classes * SUBPIXELS**2, 1)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """See the class."""
        return functional.pixel_shuffle(self.cls_seg(self.finest(inputs)), SUBPIXELS)

    def finest(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The features (B, channels, H/4, W/4) from which `conv_seg` computes the logits of each cell's sub-pixels."""
        fine, *coarse = self._transform_inputs(inputs)
        x = self.smooth[-1](self.laterals[-1](coarse[-1]) + self.context(coarse[-1].mean((2, 3), keepdim=True)))
        for level in reversed(range(len(coarse) - 1)):
            lateral = self.laterals[level](coarse[level])
            x = self.smooth[level](lateral + resize(x, lateral.shape[2:], mode="bilinear", align_corners=False))
        lateral = self.fine_lateral(fine)
        x = lateral + resize(self.narrow(x), lateral.shape[2:], mode="bilinear", align_corners=False)
        smooth: Tensor = self.fine_smooth(x)
        return smooth

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Only the loss: mmseg's accuracy beside it would cost a tenth of a training step on a CPU."""
        labels = self._stack_batch_gt(batch_data_samples).squeeze(1)
        return {self.loss_decode.loss_name: self.loss_decode(seg_logits, labels, ignore_index=self.ignore_index)}
