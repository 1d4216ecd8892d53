# SPDX-License-Identifier: Apache-2.0
"""A second head that tells things apart: where their centres are, and where each pixel's centre is.

After Panoptic-DeepLab (Cheng et al., CVPR 2020), with a map of centres for each class: a rider's and the bicycle's may
be one above the other. What is made of them is in `perception.instances`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

from perception.instances import THINGS

SUBPIXELS = 2
"""Every cell of the features of stride 8 yields so many rows and columns of cells of `perception.instances.CELL`."""

REACH = 32.0
"""Pixels per unit of an offset, as the last convolution gives it."""


RARE = 50.0
"""How much more than an empty cell a centre counts: without this, no centre anywhere is nearly as good."""


@MODELS.register_module()
class InstanceHead(BaseModule):
    """An EncoderDecoder's `auxiliary_head`, on fused features of strides 4, 8, 16 and 32; it changes nothing else of a
    network.

    A narrow top-down pyramid that ends at stride 8. It has no batch normalisation, so that it can be trained alone,
    with few crops, on features that stay as they are.

    in_channels: of the features. channels: of all of its levels. centre_weight, offset_weight: of the losses.

    forward: features → (B, len(THINGS) + 2, H/4, W/4): scores of the centres of each of THINGS, which may be beyond 0–1
    (a sigmoid would slow the squared error down, as most cells are near 0), and how far down and right each cell's
    centre is, in units of REACH.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 32,
        centre_weight: float = 20.0,
        offset_weight: float = 0.02,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        fine, *coarse = in_channels
        self.centre_weight, self.offset_weight = centre_weight, offset_weight
        self.detail = ConvModule(fine, channels, 2, stride=2, act_cfg=None)
        self.laterals = nn.ModuleList(ConvModule(c, channels, 1, act_cfg=None) for c in coarse)
        self.smooth = nn.ModuleList(ConvModule(channels, channels, 3, padding=1) for _ in coarse)
        self.last = ConvModule(channels, channels, 3, padding=1)
        self.predict = nn.Conv2d(channels, (len(THINGS) + 2) * SUBPIXELS**2, 1)

    def init_weights(self) -> None:
        """At first no cell is a centre, and each points at itself."""
        super().init_weights()
        assert self.predict.bias is not None
        nn.init.normal_(self.predict.weight, std=0.001)
        nn.init.zeros_(self.predict.bias)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """See the class."""
        fine, *coarse = features
        x = self.smooth[-1](self.laterals[-1](coarse[-1]).relu())
        for level in reversed(range(len(coarse) - 1)):
            lateral = self.laterals[level](coarse[level])
            if level == 0:
                lateral = lateral + self.detail(fine)
            x = self.smooth[level]((lateral + resize(x, lateral.shape[2:], mode="bilinear")).relu())
        return functional.pixel_shuffle(self.predict(self.last(x)), SUBPIXELS)

    def found(self, features: Sequence[Tensor]) -> Tensor:
        """(B, len(THINGS) + 2, H/4, W/4) what `perception.instances.group` takes of each image."""
        raw = self(features).float()
        return torch.cat([raw[:, : len(THINGS)].clamp(0, 1), raw[:, len(THINGS) :] * REACH], 1)

    def losses(self, features: Sequence[Tensor], targets: Tensor) -> dict[str, Tensor]:
        """The mean squared error of the centres where they are known, more of it near centres, and the mean error in
        pixels of the offsets in things; both 0 where nothing is known.

        targets: (B, len(THINGS) + 4, H/4, W/4), see `perception.training.data.instance_targets`.
        """
        found, count = self(features).float(), len(THINGS)
        known, things = targets[:, count + 2 :].split(1, 1)
        centres = (found[:, :count] - targets[:, :count]).square() * known * (1 + RARE * targets[:, :count])
        offsets = (REACH * found[:, count:] - targets[:, count : count + 2]).abs() * things
        return {
            "loss_centres": self.centre_weight * centres.sum() / (count * known.sum()).clamp(min=1),
            "loss_offsets": self.offset_weight * offsets.sum() / things.sum().clamp(min=1),
        }


def has_instances(model: Mapping[str, Any]) -> bool:
    """Whether the config of a segmentor has an `InstanceHead`."""
    head = model.get("auxiliary_head")
    return isinstance(head, Mapping) and head.get("type") in ("InstanceHead", InstanceHead)


def instance_head_of(segmentor: nn.Module) -> InstanceHead | None:
    """The segmentor's, None if it has none."""
    head = getattr(segmentor, "auxiliary_head", None)
    return head if isinstance(head, InstanceHead) else None
