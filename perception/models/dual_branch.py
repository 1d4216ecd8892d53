# SPDX-License-Identifier: Apache-2.0
"""The dual-branch encoder: RGB in one branch, every other sensor in the other, fused at every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

RGB_MEAN, RGB_STD = 0.42, 0.27
"""Of all three channels, rounded, over the real training images (0–1)."""


class Batch(NamedTuple):
    """The network's input.

    rgb: (B, 3, H, W) uint8 or float in 0–255. aux: (B, C, H/2, W/2) likewise. present: (B, 1 + M) float, 1 where the
    modality is there; RGB first, then the auxiliary ones in their order.
    """

    rgb: Tensor
    aux: Tensor
    present: Tensor


def normalise(batch: Batch) -> Batch:
    """Colours with zero mean and unit variance, the other channels in 0–1; in channels last too."""
    return Batch((batch.rgb / 255 - RGB_MEAN) / RGB_STD, batch.aux / 255, batch.present)


@MODELS.register_module()
class DualBranchEncoder(BaseModule):
    """Two backbones and a fusion per stage; `forward` normalises its inputs itself.

    rgb, aux: any mmseg backbones. aux_stem: merges the auxiliary modalities into the aux backbone's input.
    fusion: config of a fusion (see `perception.models.fusion`), built once per stage.
    rgb_channels, aux_channels: widths of the stages of the two backbones.

    forward: `Batch` → one fused feature per stage, with the shapes of the RGB branch.
    """

    def __init__(
        self,
        rgb: dict[str, Any],
        aux: dict[str, Any],
        aux_stem: dict[str, Any],
        fusion: dict[str, Any],
        rgb_channels: Sequence[int],
        aux_channels: Sequence[int],
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.rgb = MODELS.build(rgb)
        self.aux_stem = MODELS.build(aux_stem)
        self.aux = MODELS.build(aux)
        self.fusions = nn.ModuleList(
            MODELS.build({**fusion, "channels": c, "aux_channels": a})
            for c, a in zip(rgb_channels, aux_channels, strict=True)
        )

    def forward(self, batch: Batch) -> tuple[Tensor, ...]:
        """See the class."""
        return self.encode(normalise(batch))[0]

    def encode(self, batch: Batch) -> tuple[tuple[Tensor, ...], Tensor]:
        """The fused features, and how much each modality counted in them: (B, 1 + M), mean of pixels and stages.

        batch: what `normalise` made.
        """
        rgb_present = batch.present[:, :1]
        aux_present = batch.present[:, 1:].amax(1, keepdim=True)
        rgb_features = self.rgb(batch.rgb)
        merged, shares = self.aux_stem(batch.aux, batch.present[:, 1:])
        aux_features = self.aux(merged)
        present = torch.cat([rgb_present, aux_present], 1)
        fused, gates = [], []
        for fusion, x, y in zip(self.fusions, rgb_features, aux_features, strict=True):
            if x.shape[2:] != y.shape[2:]:
                y = functional.interpolate(y, x.shape[2:], mode="bilinear", align_corners=False)
            feature, gate = fusion(x, y, present)
            fused.append(feature)
            gates.append(gate)
        gate = torch.stack(gates).mean(0)
        return tuple(fused), torch.cat([gate[:, :1], gate[:, 1:] * shares], 1)
