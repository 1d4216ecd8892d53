# SPDX-License-Identifier: Apache-2.0
"""ESANet's context module and decoder (Seichter et al., "Efficient RGB-D Semantic Segmentation for Indoor Scene
Analysis", ICRA 2021, arXiv 2011.06961), for the fused features of any encoder."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional

BINS = (1, 5)
"""Cells per side of the context module's pools (section III-C)."""

_BN = dict(type="BN")


class ContextModule(nn.Module):
    """Pools of different sizes beside the features (section III-C, figure 2): PSPNet's with other bins.

    forward: (B, in_channels, h, w) → (B, channels, h, w).
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        inner = in_channels // len(BINS)
        self.pools = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), ConvModule(in_channels, inner, 1, norm_cfg=_BN)) for bins in BINS
        )
        self.mix = ConvModule(in_channels + len(BINS) * inner, channels, 1, norm_cfg=_BN)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        pooled = [resize(pool(x), x.shape[2:], mode="nearest") for pool in self.pools]
        out: Tensor = self.mix(torch.cat([x, *pooled], 1))
        return out


class NonBottleneck1D(nn.Module):
    """A residual block of 3×1 and 1×3 convolutions, from ERFNet (section III-A). forward: (B, C, H, W) → the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, (3, 1), padding=(1, 0)),
            nn.ReLU(),
            nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, (3, 1), padding=(1, 0)),
            nn.ReLU(),
            nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = (x + self.layers(x)).relu()
        return out


class LearnedUpsampling(nn.Module):
    """Twice the size by nearest neighbours, then a depthwise 3×3 convolution that begins as bilinear interpolation
    (section III-D). forward: (B, C, h, w) → (B, C, 2·h, 2·w)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.smooth = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="zeros", groups=channels)
        kernel = torch.tensor([1.0, 2.0, 1.0])
        self.smooth.weight = nn.Parameter((kernel[:, None] * kernel / 16).repeat(channels, 1, 1, 1))
        nn.init.zeros_(self.smooth.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.smooth(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class DecoderModule(nn.Module):
    """A 3×3 convolution, non-bottleneck blocks, and twice the size with the encoder's feature added (section III-D).

    forward: (B, in_channels, h, w) and the encoder's (B, skip_channels, 2·h, 2·w) → the next one's input
    (B, channels, 2·h, 2·w), and the feature before it is upsampled (B, channels, h, w).
    """

    def __init__(self, in_channels: int, channels: int, skip_channels: int, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            ConvModule(in_channels, channels, 3, padding=1, norm_cfg=_BN),
            *(NonBottleneck1D(channels) for _ in range(blocks)),
        )
        self.up = LearnedUpsampling(channels)
        self.skip = ConvModule(skip_channels, channels, 1, norm_cfg=_BN)

    def forward(self, x: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        x = self.blocks(x)
        return self.up(x) + self.skip(encoded), x


@MODELS.register_module()
class ESANetHead(BaseDecodeHead):
    """Context module, three decoder modules with 4, 2 and 1 times `channels`, and two learned upsamplings of the
    logits. In training, each decoder module also predicts, at its own size (section III-D).

    blocks: non-bottleneck blocks per decoder module.

    forward: features of strides 4, 8, 16 and 32 → logits (B, K, H, W); in training, those of strides 32, 16 and 8
    behind them, in a tuple.
    """

    def __init__(self, blocks: int = 3, **kwargs: Any) -> None:
        super().__init__(input_transform="multiple_select", **kwargs)
        widths = (4 * self.channels, 2 * self.channels, self.channels)
        self.context = ContextModule(self.in_channels[-1], widths[0])
        self.modules_up = nn.ModuleList(
            DecoderModule(before, width, skip, blocks)
            for before, width, skip in zip((widths[0], *widths), widths, self.in_channels[-2::-1], strict=False)
        )
        self.sides = nn.ModuleList(nn.Conv2d(width, self.num_classes, 1) for width in widths)
        self.conv_seg = nn.Conv2d(self.channels, self.num_classes, 3, padding=1)
        self.up = nn.Sequential(LearnedUpsampling(self.num_classes), LearnedUpsampling(self.num_classes))

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        """See the class."""
        *skips, x = self._transform_inputs(inputs)
        x, seen = self.context(x), []
        for decode, skip in zip(self.modules_up, reversed(skips), strict=True):
            x, before = decode(x, skip)
            seen.append(before)
        logits: Tensor = self.up(self.cls_seg(x))
        if not self.training:
            return logits
        return (logits, *(side(feature) for side, feature in zip(self.sides, seen, strict=True)))

    def loss_by_feat(
        self, seg_logits: tuple[Tensor, ...], batch_data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """The loss of each scale by name, on the labels at its size; `loss_main` is that of the full one."""
        labels = self._stack_batch_gt(batch_data_samples)
        losses = {}
        for name, logits in zip(("main", "32", "16", "8"), seg_logits, strict=True):
            sized = functional.interpolate(labels.float(), logits.shape[2:], mode="nearest").long().squeeze(1)
            losses[f"loss_{name}"] = self.loss_decode(logits, sized, ignore_index=self.ignore_index)
        return losses
