# SPDX-License-Identifier: Apache-2.0
"""A stem per auxiliary modality, and the attention that merges their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from perception.errors import ModelError
from perception.frame import MODALITIES
from perception.models.rgb_encoder import RgbEncoder
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.spec import FURTHER, SPECS


@MODELS.register_module()
class AuxStem(BaseModule):
    """Each modality's channels pass their own convolution, and are summed with an attention gate per modality and
    pixel.

    The gates are independent: with a softmax over the modalities, infrared lost its share to depth and LiDAR early in
    training (1 % of the whole) and never got it back, although people are warm.

    modalities: name → number of channels, in the order in which they are stacked: AUX_CHANNELS, then any of the table's
    further sensors.
    channels: of the merged output. stride: of the stems; 1 if the backbone has its own stem.

    forward: aux (B, ΣC, h, w) in 0–1, present (B, M) and gains (B, M), added to the gates' logits → merged
    (B, channels, h/stride, w/stride) and the modalities' shares of the gates' means (B, M), summing to 1 if any is
    present. A modality that is not present has weight 0.
    """

    def __init__(self, modalities: Mapping[str, int], channels: int = 16, stride: int = 2) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        further = {name: len(SPECS[name].channels) for name in FURTHER}
        wanted = AUX_CHANNELS | {name: count for name, count in further.items() if name in modalities}
        if list(modalities.items()) != list(wanted.items()):
            given, known, more = (
                ", ".join(f"{name} {n}" for name, n in each.items()) for each in (modalities, AUX_CHANNELS, further)
            )
            raise ModelError(
                f"aux_stem.modalities: {given or 'none'}; every network has the channels {known}, and after them "
                f"it may have {more}: if a sensor is missing, leave out its messages, not its channels"
            )
        self.sensors = tuple(modalities)
        self.splits = list(modalities.values())
        self.channels = channels
        self.stems = nn.ModuleList(
            ConvModule(c, channels, 3, stride=stride, padding=1, norm_cfg=dict(type="BN")) for c in self.splits
        )
        self.scores = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _ in self.splits)

    def forward(self, aux: Tensor, present: Tensor, gains: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        merged, means = torch.zeros(()), []
        for i, part in enumerate(aux.split(self.splits, 1)):
            feature = self.stems[i](part)
            gate = (self.scores[i](feature) + gains[:, i, None, None, None]).sigmoid() * present[:, i, None, None, None]
            merged = merged + feature * gate
            means.append(gate.mean((2, 3)))
        gates = torch.cat(means, 1)
        return merged, gates / gates.sum(1, keepdim=True).clamp(min=1e-6)


def sensors_in(segmentor: nn.Module) -> tuple[str, ...]:
    """The sensors of a segmentor's input, in their order: those of its `AuxStem`, the camera alone for an `RgbEncoder`,
    or MODALITIES."""
    backbone = getattr(segmentor, "backbone", None)
    stem = getattr(backbone, "aux_stem", None)
    if isinstance(stem, AuxStem):
        return (MODALITIES[0], *stem.sensors)
    return MODALITIES[:1] if isinstance(backbone, RgbEncoder) else MODALITIES


class MergedAuxStem(nn.Module):
    """A trained `AuxStem` as four convolutions over all modalities at once.

    The same function, in a third of the time on a CPU: one convolution whose weights are zero between modalities is
    faster than a small one for each, and sums that are convolutions stay in the engine's fast layout and precision.

    forward: as in `AuxStem`.
    """

    def __init__(self, stem: AuxStem) -> None:
        super().__init__()
        count, channels = len(stem.splits), stem.channels
        parts: Any = stem.stems  # ConvModules, which mypy takes for tensors
        self.stems = _side_by_side([fuse_conv_bn_eval(part.conv, part.bn) for part in parts])
        scores: Any = stem.scores
        self.scores = _side_by_side(list(scores))
        self.spread = _fixed(torch.eye(count).repeat_interleave(channels, 0))
        self.merge = _fixed(torch.eye(channels).repeat(1, count))

    def forward(self, aux: Tensor, present: Tensor, gains: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        features = self.stems(aux).relu()
        gates = (self.scores(features) + gains[:, :, None, None]).sigmoid() * present[:, :, None, None]
        means = gates.mean((2, 3))
        return self.merge(features * self.spread(gates)), means / means.sum(1, keepdim=True).clamp(min=1e-6)


def _side_by_side(parts: Sequence[nn.Conv2d]) -> nn.Conv2d:
    """One convolution equivalent to several with the same size and stride, each with its own channels."""
    weights = [part.weight.detach() for part in parts]
    inputs, outputs = sum(weight.shape[1] for weight in weights), sum(weight.shape[0] for weight in weights)
    height, width = weights[0].shape[2:]
    whole = nn.Conv2d(inputs, outputs, (height, width), (parts[0].stride[0],) * 2, (height // 2, width // 2))
    cells = [torch.block_diag(*(w[:, :, y, x] for w in weights)) for y, x in np.ndindex(height, width)]
    whole.weight = nn.Parameter(torch.stack(cells, 2).unflatten(2, (height, width)))
    whole.bias = nn.Parameter(torch.cat([part.bias.detach() for part in parts if part.bias is not None]))
    return whole


def _fixed(weight: Tensor) -> nn.Conv2d:
    """A 1×1 convolution with `weight` (outputs, inputs)."""
    mixing = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False)
    mixing.weight = nn.Parameter(weight[:, :, None, None])
    return mixing
