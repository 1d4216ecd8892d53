# SPDX-License-Identifier: Apache-2.0
"""A narrow residual backbone whose plain 3×3 convolutions run fast on CPUs, in float and in INT8 alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.backbones.resnet import BasicBlock
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SlimResNet(BaseModule):
    """ResNet (He et al., CVPR 2016) with strided 3×3 convolutions for a stem and freely chosen widths.

    in_channels: of the input. stem: channels of the stem's convolutions, each of stride 2; may be empty.
    channels, blocks: width and number of basic blocks per stage. Every stage but the first halves the resolution.

    forward: (B, in_channels, H, W) → one feature per stage, strides 2^len(stem) · (1, 2, 4, …).
    """

    def __init__(
        self,
        in_channels: int = 3,
        stem: Sequence[int] = (16, 32),
        channels: Sequence[int] = (32, 64, 128, 256),
        blocks: Sequence[int] = (1, 2, 2, 2),
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        norm = dict(type="BN")
        stem_layers = []
        for width in stem:
            stem_layers.append(ConvModule(in_channels, width, 3, stride=2, padding=1, norm_cfg=norm))
            in_channels = width
        self.stem = nn.Sequential(*stem_layers)
        self.stages = nn.ModuleList()
        for stage, (width, depth) in enumerate(zip(channels, blocks, strict=True)):
            layers: list[nn.Module] = []
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                shortcut = None
                if stride > 1 or in_channels != width:
                    shortcut = ConvModule(in_channels, width, 1, stride=stride, norm_cfg=norm, act_cfg=None)
                layers.append(BasicBlock(in_channels, width, stride=stride, downsample=shortcut, norm_cfg=norm))
                in_channels = width
            self.stages.append(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return tuple(features)
