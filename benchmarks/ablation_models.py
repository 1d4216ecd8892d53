# SPDX-License-Identifier: Apache-2.0
"""What the ablation tries beside the shipped network: further channels of depth and LiDAR, and a learnt token.

All of them begin as nothing: the network answers at first as it did without them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

from perception.models import AuxStem, GatedAttentionFusion
from perception.sensors.channels import AUX_CHANNELS, DEPTH_RANGE

NEIGHBOURHOOD = 7
"""Pixels at half resolution in which heights differ, and over which ranges are spread."""


def inverse_depth_gradients(part: Tensor) -> Tensor:
    """(B, C, h, w) → (B, 2, h, w): ∂(1/z)/∂u and ∂(1/z)/∂v, which on a plane are constant and tell its normal."""
    valid = part[:, -1:]
    inverse = torch.exp(-part[:, :1] * math.log(DEPTH_RANGE[1] / DEPTH_RANGE[0])) * valid
    across = functional.pad((inverse[..., 2:] - inverse[..., :-2]) * valid[..., 2:] * valid[..., :-2], (1, 1, 0, 0))
    down = functional.pad((inverse[:, :, 2:] - inverse[:, :, :-2]) * valid[:, :, 2:] * valid[:, :, :-2], (0, 0, 1, 1))
    return (torch.cat([across, down], 1) * 50).clamp(-1, 1)


def altitude_difference(part: Tensor) -> Tensor:
    """→ (B, 1, h, w): the largest height less the smallest nearby (after Pfeiffer et al.'s and ADI of LiDAR images)."""
    height, valid = part[:, 1:2], part[:, -1:]
    highest = _largest(height * valid)
    lowest = 1 - _largest((1 - height) * valid)
    return ((highest - lowest) * _largest(valid)).clamp(0, 1)


def dilated_range(part: Tensor) -> Tensor:
    """→ (B, 2, h, w): the nearest point nearby, as nearness, and whether there is any."""
    valid = part[:, -1:]
    return torch.cat([_largest((1 - part[:, :1]) * valid), _largest(valid)], 1)


def _largest(image: Tensor) -> Tensor:
    return functional.max_pool2d(image, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2)


DERIVED: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "gradients": ("gradients of inverse depth", inverse_depth_gradients),
    "altitude": ("altitude differences", altitude_difference),
    "dilated": ("a dilated range image", dilated_range),
}
"""By name: what the table calls it, and what makes it of a sensor's channels, the last of them valid."""


class _DerivedConv(ConvModule):
    """A stem that also sees what is derived of its channels."""

    def __init__(self, channels: int, out: int, stride: int, derive: Callable[[Tensor], Tensor]) -> None:
        more = derive(torch.zeros(1, channels, 8, 8)).shape[1]
        super().__init__(channels + more, out, 3, stride=stride, padding=1, norm_cfg=dict(type="BN"))
        self.derive = derive

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) → (B, out, h/stride, w/stride)."""
        made: Tensor = super().forward(torch.cat([x, self.derive(x)], 1))
        return made


@MODELS.register_module()
class DerivedStem(BaseModule):
    """`AuxStem` whose stems of depth and LiDAR see channels derived of theirs too. derived: a name of DERIVED."""

    def __init__(self, modalities: Mapping[str, int], derived: str, channels: int = 16, stride: int = 2) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        stem = AuxStem(modalities, channels, stride)
        self.splits, self.channels, self.stems, self.scores = stem.splits, channels, stem.stems, stem.scores
        for number, name in enumerate(AUX_CHANNELS):
            if name != "infrared":
                self.stems[number] = _DerivedConv(AUX_CHANNELS[name], channels, stride, DERIVED[derived][1])

    forward: Any = AuxStem.forward


@MODELS.register_module()
class TokenFusion(GatedAttentionFusion):
    """`GatedAttentionFusion` with a learnt vector of each stage added in place of a branch that is missing."""

    def __init__(self, channels: int, aux_channels: int, **settings: Any) -> None:
        super().__init__(channels, aux_channels, **settings)
        self.tokens = nn.Parameter(torch.zeros(2, channels))

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        fused, shares = super().fuse(rgb, aux, present, lean)
        return fused + ((1 - present) @ self.tokens)[:, :, None, None], shares
