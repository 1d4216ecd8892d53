# SPDX-License-Identifier: Apache-2.0
"""A stem per auxiliary modality, and the attention that merges what they saw."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

MASKED = -1e4
"""Added to the logit of what is absent: its softmax weight is 0 in every precision."""


@MODELS.register_module()
class AuxStem(BaseModule):
    """Each modality's channels through a convolution of its own, summed with per-pixel attention over modalities.

    modalities: name → number of channels, in the order in which they are stacked.
    channels: of the merged output. stride: of the stems; 1 where the backbone has a stem of its own.

    forward: aux (B, ΣC, h, w) in 0–1 and present (B, M) → merged (B, channels, h/stride, w/stride) and the modalities'
    mean weights (B, M). A modality that is not present has weight 0.
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
        features = [stem(part) for stem, part in zip(self.stems, aux.split(self.splits, 1), strict=True)]
        logits = torch.cat([score(x) for score, x in zip(self.scores, features, strict=True)], 1)
        weights = (logits + (1 - present)[:, :, None, None] * MASKED).softmax(1)
        # With no modality at all the softmax would share the weight among the absent.
        weights = weights * present[:, :, None, None]
        merged = sum(x * weights[:, i : i + 1] for i, x in enumerate(features))
        return merged, weights.mean((2, 3))
