# SPDX-License-Identifier: Apache-2.0
"""A stem per auxiliary modality, and the attention that merges what they saw."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AuxStem(BaseModule):
    """Each modality's channels through a convolution of its own, summed with an attention gate per modality and pixel.

    The gates are independent: with a softmax over the modalities, infrared lost its share to depth and LiDAR early in
    training (1 % of the whole) and never got it back, although people are warm.

    modalities: name → number of channels, in the order in which they are stacked.
    channels: of the merged output. stride: of the stems; 1 where the backbone has a stem of its own.

    forward: aux (B, ΣC, h, w) in 0–1 and present (B, M) → merged (B, channels, h/stride, w/stride) and the modalities'
    shares of the gates' means (B, M), summing to 1 where any is present. A modality that is not present has weight 0.
    """

    def __init__(self, modalities: Mapping[str, int], channels: int = 16, stride: int = 2) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        self.splits = list(modalities.values())
        self.channels = channels
        self.stems = nn.ModuleList(
            ConvModule(c, channels, 3, stride=stride, padding=1, norm_cfg=dict(type="BN")) for c in self.splits
        )
        self.scores = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _ in self.splits)

    def forward(self, aux: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        merged, means = torch.zeros(()), []
        for i, part in enumerate(aux.split(self.splits, 1)):
            feature = self.stems[i](part)
            gate = self.scores[i](feature).sigmoid() * present[:, i, None, None, None]
            merged = merged + feature * gate
            means.append(gate.mean((2, 3)))
        gates = torch.cat(means, 1)
        return merged, gates / gates.sum(1, keepdim=True).clamp(min=1e-6)
