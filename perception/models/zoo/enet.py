# SPDX-License-Identifier: Apache-2.0
"""ENet (Paszke, Chaurasia, Kim and Culurciello, arXiv 1606.02147): table 1's layers, figure 2's bottlenecks."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from perception.models.zoo.unpool import max_pool, max_unpool

REDUCTION = 4
"""A bottleneck's inner channels are its output's divided by this."""

STAGE = ("plain", 2, "asymmetric", 4, "plain", 8, "asymmetric", 16)
"""Bottlenecks 2.1 to 2.8 and 3.1 to 3.8 of table 1: a number is the rate of a dilated convolution."""


def _normed(layer: nn.Module, channels: int, activation: bool = True) -> list[nn.Module]:
    """A convolution with batch normalisation, and PReLU with a slope per channel (section 4)."""
    return [layer, nn.BatchNorm2d(channels), *([nn.PReLU(channels)] if activation else [])]


def _inner(kind: str | int, channels: int) -> list[nn.Module]:
    """The main convolution of a regular, dilated or asymmetric (5×1, then 1×5) bottleneck."""
    if kind == "asymmetric":
        column = nn.Conv2d(channels, channels, (5, 1), padding=(2, 0), bias=False)
        return [column, *_normed(nn.Conv2d(channels, channels, (1, 5), padding=(0, 2), bias=False), channels)]
    rate = kind if isinstance(kind, int) else 1
    return _normed(nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate, bias=False), channels)


class InitialBlock(nn.Module):
    """Figure 2a: a strided convolution beside max pooling. forward: (B, 3, H, W) → (B, channels, H/2, W/2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels - 3, 3, 2, 1, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.PReLU(channels))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.norm(torch.cat([self.conv(x), self.pool(x)], 1))
        return out


class Bottleneck(nn.Module):
    """Figure 2b without change of size. kind: plain, asymmetric, or the rate of a dilated convolution.

    forward: (B, channels, H, W) → the same.
    """

    def __init__(self, channels: int, kind: str | int, dropout: float) -> None:
        super().__init__()
        inner = channels // REDUCTION
        self.branch = nn.Sequential(
            *_normed(nn.Conv2d(channels, inner, 1, bias=False), inner),
            *_inner(kind, inner),
            *_normed(nn.Conv2d(inner, channels, 1, bias=False), channels, activation=False),
            nn.Dropout2d(dropout),
        )
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.act(x + self.branch(x))
        return out


class DownBottleneck(nn.Module):
    """Figure 2b, downsampling: max pooling, padded with channels of zeros, beside a branch that begins with a 2×2
    convolution of stride 2.

    forward: (B, in_channels, H, W) → (B, channels, H/2, W/2), and the places of the maxima (see `max_pool`).
    """

    def __init__(self, in_channels: int, channels: int, dropout: float) -> None:
        super().__init__()
        inner, self.added = channels // REDUCTION, channels - in_channels
        self.branch = nn.Sequential(
            *_normed(nn.Conv2d(in_channels, inner, 2, 2, bias=False), inner),
            *_inner("plain", inner),
            *_normed(nn.Conv2d(inner, channels, 1, bias=False), channels, activation=False),
            nn.Dropout2d(dropout),
        )
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        pooled, places = max_pool(x)
        padded = nn.functional.pad(pooled, (0, 0, 0, 0, 0, self.added))
        return self.act(padded + self.branch(x)), places


class UpBottleneck(nn.Module):
    """Figure 2b, upsampling: a 1×1 convolution and unpooling, beside a branch with a transposed convolution.

    forward: (B, in_channels, h, w) and the places of the maxima (see `max_pool`) → (B, channels, 2·h, 2·w).
    """

    def __init__(self, in_channels: int, channels: int, dropout: float) -> None:
        super().__init__()
        inner = channels // REDUCTION
        self.main = nn.Sequential(*_normed(nn.Conv2d(in_channels, channels, 1, bias=False), channels, activation=False))
        up = nn.ConvTranspose2d(inner, inner, 3, 2, padding=1, output_padding=1, bias=False)
        self.branch = nn.Sequential(
            *_normed(nn.Conv2d(in_channels, inner, 1, bias=False), inner),
            *_normed(up, inner),
            *_normed(nn.Conv2d(inner, channels, 1, bias=False), channels, activation=False),
            nn.Dropout2d(dropout),
        )
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.act(max_unpool(self.main(x), places) + self.branch(x))
        return out


@MODELS.register_module()
class ENet(BaseModule):
    """Stages 1 to 5 of table 1; the full convolution behind them is `ENetHead`.

    forward: (B, 3, H, W), both multiples of 8 → one feature (B, 16, H/2, W/2) in a tuple.
    """

    def __init__(self) -> None:
        super().__init__([dict(type="Kaiming", layer=["Conv2d", "ConvTranspose2d"])])
        self.initial = InitialBlock(16)
        self.down1 = DownBottleneck(16, 64, 0.01)
        self.stage1 = nn.Sequential(*(Bottleneck(64, "plain", 0.01) for _ in range(4)))
        self.down2 = DownBottleneck(64, 128, 0.1)
        self.stage2 = nn.Sequential(*(Bottleneck(128, kind, 0.1) for kind in STAGE))
        self.stage3 = nn.Sequential(*(Bottleneck(128, kind, 0.1) for kind in STAGE))
        self.up4 = UpBottleneck(128, 64, 0.1)
        self.stage4 = nn.Sequential(*(Bottleneck(64, "plain", 0.1) for _ in range(2)))
        self.up5 = UpBottleneck(64, 16, 0.1)
        self.stage5 = Bottleneck(16, "plain", 0.1)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """See the class."""
        x, coarse_of_16 = self.down1(self.initial(x))
        x, coarse_of_64 = self.down2(self.stage1(x))
        x = self.stage3(self.stage2(x))
        x = self.stage4(self.up4(x, coarse_of_64))
        return (self.stage5(self.up5(x, coarse_of_16)),)


@MODELS.register_module()
class ENetHead(BaseDecodeHead):
    """The full convolution at the end of table 1. forward: (B, 16, H/2, W/2) in a tuple → logits (B, K, H, W)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(channels=kwargs["in_channels"], dropout_ratio=0.0, **kwargs)
        self.conv_seg = nn.ConvTranspose2d(self.in_channels, self.num_classes, 3, 2, padding=1, output_padding=1)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """See the class."""
        logits: Tensor = self.cls_seg(self._transform_inputs(inputs))
        return logits
