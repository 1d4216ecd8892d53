# SPDX-License-Identifier: Apache-2.0
"""mmseg's U-Net in two, so that another sensor's features can be fused in between: its contracting path as a backbone,
its expanding path as a head."""

from __future__ import annotations

from typing import Any

from mmseg.models.backbones.unet import BasicConvBlock, UNet, UpConvBlock
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class UNetEncoder(UNet):
    """The contracting path (Ronneberger et al., MICCAI 2015, figure 1, left).

    forward: (B, in_channels, H, W), both multiples of 16 → one feature per stage, strides 1, 2, 4, 8, 16.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        del self.decoder

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        features = []
        for stage in self.encoder:
            x = stage(x)
            features.append(x)
        return tuple(features)


@MODELS.register_module()
class UNetHead(BaseDecodeHead):
    """The expanding path (figure 1, right): at every level upsampling, the encoder's feature and two convolutions.

    forward: one feature per stage, the finest first → logits (B, K, H, W).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_transform="multiple_select", **kwargs)
        self.levels = nn.ModuleList(
            UpConvBlock(
                BasicConvBlock,
                in_channels=coarse,
                skip_channels=fine,
                out_channels=fine,
                norm_cfg=self.norm_cfg,
                upsample_cfg=dict(type="InterpConv"),
            )
            for fine, coarse in zip(self.in_channels, self.in_channels[1:], strict=False)
        )

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """See the class."""
        *skips, x = self._transform_inputs(inputs)
        for level, skip in zip(reversed(self.levels), reversed(skips), strict=True):
            x = level(skip, x)
        logits: Tensor = self.cls_seg(x)
        return logits
