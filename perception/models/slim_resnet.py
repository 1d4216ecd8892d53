# SPDX-License-Identifier: Apache-2.0
"""A narrow residual backbone whose plain 3×3 convolutions run fast on CPUs, in float and in INT8 alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

_NORM = dict(type="BN")


class SlimBlock(BaseModule):
    """ResNet's basic block with a free number of channels between its two convolutions, so that they can be pruned.

    forward: (B, in_channels, H, W) → (B, channels, H/stride, W/stride).
    """

    def __init__(self, in_channels: int, hidden: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.act = nn.ReLU()
        self.conv2 = nn.Conv2d(hidden, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if stride > 1 or in_channels != channels:
            self.downsample = ConvModule(in_channels, channels, 1, stride=stride, norm_cfg=_NORM, act_cfg=None)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        shortcut = self.downsample(x) if self.downsample else x
        out: Tensor = (shortcut + self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))).relu()
        return out


class WideKernelBlock(BaseModule):
    """A depthwise 7×7 convolution and two 1×1 (Liu et al., ConvNeXt, CVPR 2022): wide context at a fifth of the cost.

    Starts as the identity, so that it can be added to a trained network. forward: (B, channels, H, W) → the same.
    """

    def __init__(self, channels: int, expansion: int = 2) -> None:
        super().__init__()
        self.spread = ConvModule(channels, channels, 7, padding=3, groups=channels, norm_cfg=_NORM, act_cfg=None)
        self.expand = ConvModule(channels, expansion * channels, 1)
        self.project = ConvModule(expansion * channels, channels, 1, norm_cfg=_NORM, act_cfg=None)
        nn.init.zeros_(self.project.bn.weight)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = x + self.project(self.expand(self.spread(x)))
        return out


@MODELS.register_module()
class SlimResNet(BaseModule):
    """ResNet (He et al., CVPR 2016) with strided 3×3 convolutions for a stem and freely chosen widths.

    in_channels: of the input. stem: channels of the stem's convolutions, each of stride 2; may be empty.
    channels: width per stage. hidden: per stage, the channels inside each of its basic blocks, as `perception prune`
    chooses them. wide: number of wide-kernel blocks after those; None for none. Every stage except the first halves the
    resolution.

    forward: (B, in_channels, H, W) → one feature per stage, strides 2^len(stem) · (1, 2, 4, …).
    """

    def __init__(
        self,
        in_channels: int = 3,
        stem: Sequence[int] = (16, 32),
        channels: Sequence[int] = (32, 64, 128, 256),
        hidden: Sequence[Sequence[int]] = ((32,), (64, 64), (128, 128), (256, 256)),
        wide: Sequence[int] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        stem_layers = []
        for width in stem:
            stem_layers.append(ConvModule(in_channels, width, 3, stride=2, padding=1, norm_cfg=_NORM))
            in_channels = width
        self.stem = nn.Sequential(*stem_layers)
        self.stages = nn.ModuleList()
        for stage, (width, inner) in enumerate(zip(channels, hidden, strict=True)):
            layers: list[nn.Module] = []
            for block, middle in enumerate(inner):
                layers.append(SlimBlock(in_channels, middle, width, stride=2 if stage > 0 and block == 0 else 1))
                in_channels = width
            layers.extend(WideKernelBlock(width) for _ in range(wide[stage] if wide else 0))
            self.stages.append(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return tuple(features)
