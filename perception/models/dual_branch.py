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

from perception.errors import ModelError

RGB_MEAN, RGB_STD = 0.42, 0.27
"""The mean and deviation of all three channels, rounded, over the real training images (0–1)."""

GLANCE, GLANCE_AUX = 8, 4
"""One of so many pixels in each direction, of the camera image and of the others at half its size, is used to measure
the whole image."""


class Batch(NamedTuple):
    """The network's input.

    rgb: (B, 3, H, W) uint8 or float in 0–255. aux: (B, C, H/2, W/2) likewise. present: (B, 1 + M) float, 1 if the
    modality is present; RGB first, then the auxiliary ones in their order.
    """

    rgb: Tensor
    aux: Tensor
    present: Tensor


def normalise(batch: Batch) -> Batch:
    """Colours with zero mean and unit variance, the other channels in 0–1; also in channels last."""
    return Batch(normalise_rgb(batch.rgb), normalise_aux(batch.aux), batch.present)


def normalise_rgb(rgb: Tensor) -> Tensor:
    """Colours of 0–255 with zero mean and unit variance."""
    return (rgb / 255 - RGB_MEAN) / RGB_STD


def normalise_aux(aux: Tensor) -> Tensor:
    """Auxiliary channels of 0–255 in 0–1."""
    return aux / 255


def glance_of(batch: Batch) -> Batch:
    """The pixels of `batch` that `DualBranchEncoder.weigh` uses."""
    return Batch(batch.rgb[:, :, ::GLANCE, ::GLANCE], batch.aux[:, :, ::GLANCE_AUX, ::GLANCE_AUX], batch.present)


@MODELS.register_module()
class DualBranchEncoder(BaseModule):
    """Two backbones and a fusion per stage; `forward` normalises its inputs itself.

    rgb, aux: any mmseg backbones, of equally many stages at any strides. aux_stem: merges the auxiliary modalities into
    the aux backbone's input.
    fusion: config of a fusion (see `perception.models.fusion`), built once per stage.
    rgb_channels, aux_channels: widths of the stages of the two backbones.
    condition: config of the module that weighs the sensors by measurements of a whole image; None for no weighing.
    Raises ModelError for different numbers of stages.

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
        condition: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(rgb_channels) != len(aux_channels):
            raise ModelError(
                f"rgb_channels has {len(rgb_channels)} stages and aux_channels {len(aux_channels)}: each stage of the "
                "camera's is fused with one of the others'"
            )
        self.rgb = MODELS.build(rgb)
        self.aux_stem = MODELS.build(aux_stem)
        self.aux = MODELS.build(aux)
        self.fusions = nn.ModuleList(
            MODELS.build({**fusion, "channels": c, "aux_channels": a})
            for c, a in zip(rgb_channels, aux_channels, strict=True)
        )
        self.condition = None
        if condition:
            of_this = dict(splits=self.aux_stem.splits, stages=len(self.fusions))
            self.condition = MODELS.build({**condition, **of_this})

    def forward(self, batch: Batch) -> tuple[Tensor, ...]:
        """See the class."""
        return self.encode(normalise(batch))[0]

    def encode(self, batch: Batch) -> tuple[tuple[Tensor, ...], Tensor]:
        """The fused features, and how much each modality counted in them: (B, 1 + M), mean over pixels and stages.

        batch: the result of `normalise`.
        """
        lean, gains = self.weigh(glance_of(batch))
        sensed, shares = self.sense(batch.aux, batch.present, gains)
        return self.fuse(self.rgb(batch.rgb), sensed, shares, batch.present, lean)

    def weigh(self, glance: Batch) -> tuple[Tensor, Tensor]:
        """How much each stage prefers the camera (B, stages), and the gain of each auxiliary modality (B, M).

        glance: normalised, the pixels that `glance_of` selects from a batch.
        """
        if self.condition is None:
            zeros = glance.present[:, :1] * 0
            return zeros.expand(-1, len(self.fusions)), zeros.expand(-1, glance.present.shape[1] - 1)
        weights: tuple[Tensor, Tensor] = self.condition(glance)
        return weights

    def sense(self, aux: Tensor, present: Tensor, gains: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Only the auxiliary branch: a feature per stage, and the shares (B, M) of its modalities in them."""
        merged, shares = self.aux_stem(aux, present[:, 1:], gains)
        features: tuple[Tensor, ...] = self.aux(merged)
        if self.training:
            # Where no sensor is present the branch sees zeros, and each layer normalisation of a transformer would make
            # the gradients there a thousand times larger, up to infinity. There is nothing to learn from them.
            there = present[:, 1:].amax(1).bool()[:, None, None, None]
            features = tuple(torch.where(there, feature, feature.detach()) for feature in features)
        return features, shares

    def fuse(
        self, seen: tuple[Tensor, ...], sensed: tuple[Tensor, ...], shares: Tensor, present: Tensor, lean: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The result of `encode`, from the features of both branches."""
        branches = torch.cat([present[:, :1], present[:, 1:].amax(1, keepdim=True)], 1)
        fused, gates = [], []
        for stage, (fusion, x, y) in enumerate(zip(self.fusions, seen, sensed, strict=True)):
            if x.shape[2:] != y.shape[2:]:
                y = functional.interpolate(y, x.shape[2:], mode="bilinear", align_corners=False)
            feature, gate = fusion(x, y, branches, lean[:, stage : stage + 1])
            fused.append(feature)
            gates.append(gate)
        gate = torch.stack(gates).mean(0)
        return tuple(fused), torch.cat([gate[:, :1], gate[:, 1:] * shares], 1)
