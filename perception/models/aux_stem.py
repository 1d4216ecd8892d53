# SPDX-License-Identifier: Apache-2.0
"""A stem per auxiliary modality, and the attention that merges what they saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


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


class MergedAuxStem(nn.Module):
    """A trained `AuxStem` as four convolutions over all modalities at once.

    The same function, in a third of the time on a CPU: one convolution whose weights are zero between modalities costs
    less than a small one for each, and sums that are convolutions stay in the engine's fast layout and precision.

    forward: as of `AuxStem`.
    """

    def __init__(self, stem: AuxStem) -> None:
        super().__init__()
        count, channels = len(stem.splits), stem.channels
        stride = stem.stems[0].conv.stride
        self.stems = nn.Conv2d(sum(stem.splits), count * channels, 3, stride, 1)
        self.scores = nn.Conv2d(count * channels, count, 1)
        self.spread = nn.Conv2d(count, count * channels, 1, bias=False)
        self.merge = nn.Conv2d(count * channels, channels, 1, bias=False)
        fused = [fuse_conv_bn_eval(part.conv, part.bn) for part in stem.stems]
        with torch.no_grad():
            self.stems.weight.copy_(_block_diagonal([part.weight for part in fused]))
            self.stems.bias.copy_(torch.cat([part.bias for part in fused]))
            self.scores.weight.copy_(_block_diagonal([part.weight for part in stem.scores]))
            self.scores.bias.copy_(torch.cat([part.bias for part in stem.scores]))
            self.spread.weight.copy_(torch.eye(count).repeat_interleave(channels, 0)[:, :, None, None])
            self.merge.weight.copy_(torch.eye(channels).repeat(1, count)[:, :, None, None])

    def forward(self, aux: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        features = self.stems(aux).relu()
        gates = self.scores(features).sigmoid() * present[:, :, None, None]
        means = gates.mean((2, 3))
        return self.merge(features * self.spread(gates)), means / means.sum(1, keepdim=True).clamp(min=1e-6)


def _block_diagonal(weights: Sequence[Tensor]) -> Tensor:
    """(ΣO, ΣI, h, w) of one convolution that does what those with `weights` (O, I, h, w) do side by side."""
    flat = torch.stack(
        [torch.block_diag(*(w[:, :, y, x] for w in weights)) for y, x in np.ndindex(weights[0].shape[2:])]
    )
    return flat.permute(1, 2, 0).unflatten(2, weights[0].shape[2:])
