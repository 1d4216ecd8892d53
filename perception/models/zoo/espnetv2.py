# SPDX-License-Identifier: Apache-2.0
"""ESPNetv2 (Mehta, Rastegari, Shapiro and Hajishirzi, CVPR 2019, arXiv 1811.11431), for segmentation.

The encoder follows the paper's table 1, its units figure 1 and figure 2. The paper describes the decoder in words alone
(section 4.2: pyramid pooling with reduced features, upsampling with the encoder's); this one follows the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

BRANCHES = 4
"""K: the parallel dilated convolutions of a unit, and the groups of its 1×1 convolutions."""

DEEP = (0, 3, 7)
"""Units behind the strided one at strides 4, 8 and 16 (table 1)."""

FIELDS = (13, 11, 9, 7)
"""The largest receptive field of a unit's convolutions at strides 4, 8, 16 and beyond; the authors' code reduces it as
the features get smaller."""

_BN, _PRELU = dict(type="BN"), dict(type="PReLU")


class EESP(nn.Module):
    """Extremely efficient spatial pyramid, figure 1c, of depthwise dilated convolutions.

    A grouped 1×1 convolution reduces to channels/K; K of 3×3 with the dilations 1 to K, at most those of a receptive
    field of `field` pixels, see it; their sums, each with the previous ones (hierarchical feature fusion, against
    gridding), are joined and mixed by a grouped 1×1 convolution.

    forward: (B, in_channels, H, W) → (B, channels, H/stride, W/stride); at stride 1 with its input added, if it has the
    same channels, and PReLU.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, field: int) -> None:
        super().__init__()
        inner = channels // BRANCHES
        self.adds = stride == 1 and in_channels == channels
        self.finishes = stride == 1
        self.reduce = ConvModule(in_channels, inner, 1, groups=BRANCHES, norm_cfg=_BN, act_cfg=_PRELU)
        rates = sorted(rate if 2 * rate + 1 <= field else 1 for rate in range(1, BRANCHES + 1))
        self.see = nn.ModuleList(
            nn.Conv2d(inner, inner, 3, stride, padding=rate, dilation=rate, groups=inner, bias=False) for rate in rates
        )
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.PReLU(channels))
        self.mix = ConvModule(channels, channels, 1, groups=BRANCHES, norm_cfg=_BN, act_cfg=None)
        self.act = nn.PReLU(channels) if self.finishes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        reduced = self.reduce(x)
        seen: list[Tensor] = []
        for conv in self.see:
            feature = conv(reduced)
            seen.append(feature + seen[-1] if seen else feature)
        out = self.mix(self.norm(torch.cat(seen, 1)))
        finished: Tensor = self.act(x + out if self.adds else out)
        return finished


class StridedEESP(nn.Module):
    """Figure 2: average pooling beside a strided `EESP`, and a shortcut from the image.

    forward: (B, in_channels, H, W) and the image (B, 3, …) of any larger size → (B, channels, H/2, W/2).
    """

    def __init__(self, in_channels: int, channels: int, field: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, 2, 1)
        self.unit = EESP(in_channels, channels - in_channels, 2, field)
        self.shortcut = nn.Sequential(
            ConvModule(3, 3, 3, padding=1, norm_cfg=_BN, act_cfg=_PRELU),
            ConvModule(3, channels, 1, norm_cfg=_BN, act_cfg=None),
        )
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor, image: Tensor) -> Tensor:
        """See the class."""
        out = torch.cat([self.pool(x), self.unit(x)], 1)
        finished: Tensor = self.act(out + self.shortcut(image))
        return finished


@MODELS.register_module()
class ESPNetV2(BaseModule):
    """The encoder up to stride 16: what the paper has behind it is for classification.

    channels: at strides 2, 4, 8 and 16; (32, 64, 128, 256) are the paper's with s = 1.

    forward: (B, 3, H, W) → one feature per stride.
    """

    def __init__(self, channels: Sequence[int] = (32, 64, 128, 256)) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        self.first = ConvModule(3, channels[0], 3, 2, 1, norm_cfg=_BN, act_cfg=_PRELU)
        self.halve = nn.AvgPool2d(3, 2, 1)
        self.strided = nn.ModuleList(
            StridedEESP(before, after, field)
            for before, after, field in zip(channels, channels[1:], FIELDS, strict=False)
        )
        self.units = nn.ModuleList(
            nn.Sequential(*(EESP(width, width, 1, field) for _ in range(count)))
            for width, count, field in zip(channels[1:], DEEP, FIELDS[1:], strict=True)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        image = self.halve(x)
        features = [self.first(x)]
        for strided, units in zip(self.strided, self.units, strict=True):
            image = self.halve(image)
            features.append(units(strided(features[-1], image)))
        return tuple(features)


class PyramidPooling(nn.Module):
    """Depthwise 3×3 convolutions on ever more reduced features, joined (section 4.2). forward: (B, C, H, W) → the
    same."""

    def __init__(self, channels: int, levels: int = 4) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False) for _ in range(levels)
        )
        self.project = ConvModule((levels + 1) * channels, channels, 1, norm_cfg=_BN, act_cfg=_PRELU)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out, size = [x], x.shape[2:]
        for level in self.levels:
            x = functional.avg_pool2d(x, 3, 2, 1)
            out.append(resize(level(x), size, mode="bilinear", align_corners=False))
        joined: Tensor = self.project(torch.cat(out, 1))
        return joined


@MODELS.register_module()
class ESPNetV2Head(BaseDecodeHead):
    """Joins strides 16 and 8 by an `EESP` and pyramid pooling; from there on it decides with as many channels as there
    are classes, with the encoder's features of strides 4 and 2 at their turn.

    forward: features of strides 2, 4, 8 and 16 → logits (B, K, H/2, W/2).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_transform="multiple_select", **kwargs)
        half, quarter, eighth, sixteenth = self.in_channels
        classes = self.num_classes
        self.reduce = ConvModule(sixteenth, eighth, 1, norm_cfg=_BN, act_cfg=_PRELU)
        self.context = nn.Sequential(EESP(2 * eighth, self.channels, 1, FIELDS[3]), PyramidPooling(self.channels))
        # The head's own convolution makes the classes at stride 8; those behind it refine them.
        self.norm = nn.Sequential(nn.BatchNorm2d(classes), nn.PReLU(classes))
        self.refine_quarter = ConvModule(quarter + classes, classes, 1, norm_cfg=_BN, act_cfg=_PRELU)
        self.refine_half = nn.Conv2d(half + classes, classes, 1)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """See the class."""
        half, quarter, eighth, sixteenth = self._transform_inputs(inputs)
        x = torch.cat([eighth, _like(self.reduce(sixteenth), eighth)], 1)
        x = self.norm(self.cls_seg(self.context(x)))
        x = self.refine_quarter(torch.cat([quarter, _like(x, quarter)], 1))
        logits: Tensor = self.refine_half(torch.cat([half, _like(x, half)], 1))
        return logits


def _like(x: Tensor, other: Tensor) -> Tensor:
    """`x` at the size of `other`."""
    out: Tensor = resize(x, other.shape[2:], mode="bilinear", align_corners=False)
    return out
