# SPDX-License-Identifier: Apache-2.0
"""Ways to fuse a stage's RGB and auxiliary features; a config's `fusion` names one of them.

All share one interface: forward(rgb (B, C, H, W), aux (B, A, H, W), present (B, 2), lean (B, 1)) → fused (B, C, H, W)
and how much each branch counted (B, 2). A branch that is not present contributes nothing, whatever its features are.
lean: how much more the camera is trusted than the others in the image as a whole (see `perception.models.condition`),
in logits; fusions without a gate ignore it.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


class Fusion(BaseModule):
    """Converts the auxiliary features to the RGB width and sets absent branches to zero, for the fusions below.

    channels: C, of the RGB stage and of the result. aux_channels: A, of the auxiliary stage.
    """

    def __init__(self, channels: int, aux_channels: int) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        self.align = ConvModule(aux_channels, channels, 1, norm_cfg=dict(type="BN"))

    def forward(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See the module."""
        rgb = rgb * present[:, :1, None, None]
        aux = self.align(aux) * present[:, 1:, None, None]
        return self.fuse(rgb, aux, present, lean)

    @abstractmethod
    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse two (B, C, H, W) features; absent ones are already zero."""


def equal_shares(present: Tensor) -> Tensor:
    """(B, 2) weights of a fusion that treats its branches alike."""
    return present / present.sum(1, keepdim=True).clamp(min=1)


@MODELS.register_module()
class AddFusion(Fusion):
    """The sum, as in FuseNet (Hazirbas et al., ACCV 2016)."""

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        return rgb + aux, equal_shares(present)


@MODELS.register_module()
class MaxFusion(Fusion):
    """The larger of both, per channel and pixel. Features are not negative, so an absent branch never wins."""

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        return torch.maximum(rgb, aux), equal_shares(present)


@MODELS.register_module()
class ConditionFusion(Fusion):
    """The sum, weighted by the image's condition alone (`perception.models.condition`), as in CAFuser's manner."""

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        rgb_present, aux_present = present.chunk(2, 1)
        rgb_share = rgb_present * (1 - aux_present * (1 - lean.sigmoid()))
        aux_share = aux_present * (1 - rgb_present * lean.sigmoid())
        # ×2: before training, both pass unchanged.
        fused = 2 * (rgb * rgb_share[:, :, None, None] + aux * aux_share[:, :, None, None])
        return fused, torch.cat([rgb_share, aux_share], 1)


@MODELS.register_module()
class ConcatFusion(Fusion):
    """Both, concatenated, mixed by a 1×1 convolution."""

    def __init__(self, channels: int, aux_channels: int) -> None:
        super().__init__(channels, aux_channels)
        self.mix = ConvModule(2 * channels, channels, 1, norm_cfg=dict(type="BN"))

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        return self.mix(torch.cat([rgb, aux], 1)), equal_shares(present)


class _SqueezeExcite(nn.Sequential):
    """Channel attention in 0–1 from the mean over space (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int, out_channels: int, reduction: int = 8) -> None:
        hidden = max(channels // reduction, 8)
        super().__init__(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, out_channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mean((2, 3), keepdim=True))


@MODELS.register_module()
class SEFusion(Fusion):
    """Each branch re-weighted by its own channel attention, then summed: ESANet (Seichter et al., ICRA 2021)."""

    def __init__(self, channels: int, aux_channels: int) -> None:
        super().__init__(channels, aux_channels)
        self.rgb_attention = _SqueezeExcite(channels, channels)
        self.aux_attention = _SqueezeExcite(channels, channels)

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        return rgb * self.rgb_attention(rgb) + aux * self.aux_attention(aux), equal_shares(present)


@MODELS.register_module()
class CBAMFusion(Fusion):
    """Channel, then spatial attention on the sum, computed from both branches: CBAM (Woo et al., ECCV 2018)."""

    def __init__(self, channels: int, aux_channels: int) -> None:
        super().__init__(channels, aux_channels)
        self.channel = _SqueezeExcite(2 * channels, channels)
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        x = (rgb + aux) * self.channel(torch.cat([rgb, aux], 1))
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * self.spatial(pooled).sigmoid(), equal_shares(present)


@MODELS.register_module()
class CrossAttentionFusion(Fusion):
    """Each branch attends to the other through attention over channels: CMX (Zhang et al., T-ITS 2023)."""

    def __init__(self, channels: int, aux_channels: int) -> None:
        super().__init__(channels, aux_channels)
        self.rgb_query, self.aux_query = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)
        self.rgb_key_value, self.aux_key_value = (
            nn.Conv2d(channels, 2 * channels, 1),
            nn.Conv2d(channels, 2 * channels, 1),
        )
        self.mix = ConvModule(2 * channels, channels, 1, norm_cfg=dict(type="BN"))

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        seen_by_rgb = _attend(self.rgb_query(rgb), self.aux_key_value(aux)) * present[:, 1:, None, None]
        seen_by_aux = _attend(self.aux_query(aux), self.rgb_key_value(rgb)) * present[:, :1, None, None]
        return self.mix(torch.cat([rgb + seen_by_rgb, aux + seen_by_aux], 1)), equal_shares(present)


def _attend(query: Tensor, key_value: Tensor) -> Tensor:
    """Queries (B, C, H, W) against the C×C context of keys and values (B, 2C, H, W)."""
    keys, values = key_value.flatten(2).chunk(2, 1)
    context = (keys @ values.transpose(1, 2) / keys.shape[2]).softmax(1)
    return (context.transpose(1, 2) @ query.flatten(2)).view_as(query)


@MODELS.register_module()
class GatedAttentionFusion(Fusion):
    """Channel attention from both branches, then a softmax gate per pixel between them; an absent branch gets 0.

    The gate's logits are a spatial map of each branch plus a bias from both branches' global context, so that the
    network can prefer the LiDAR at night as a whole, and the camera wherever the LiDAR has no point.
    """

    def __init__(self, channels: int, aux_channels: int, reduction: int = 4) -> None:
        super().__init__(channels, aux_channels)
        hidden = max(channels // reduction, 8)
        self.context = nn.Sequential(nn.Conv2d(2 * channels + 2, hidden, 1), nn.ReLU())
        self.channel = nn.Conv2d(hidden, 2 * channels, 1)
        self.bias = nn.Conv2d(hidden, 2, 1)
        self.rgb_gate = nn.Conv2d(channels, 1, 1)
        self.aux_gate = nn.Conv2d(channels, 1, 1)

    def fuse(self, rgb: Tensor, aux: Tensor, present: Tensor, lean: Tensor) -> tuple[Tensor, Tensor]:
        """See `Fusion`."""
        present = present[:, :, None, None]
        means = [rgb.mean((2, 3), keepdim=True), aux.mean((2, 3), keepdim=True), present]
        context = self.context(torch.cat(means, 1))
        rgb_channel, aux_channel = self.channel(context).sigmoid().chunk(2, 1)
        rgb_bias, aux_bias = self.bias(context).chunk(2, 1)
        rgb_present, aux_present = present.chunk(2, 1)
        # A softmax of two is a sigmoid of their difference, which needs no copy of both concatenated.
        lead = (self.rgb_gate(rgb) - self.aux_gate(aux) + (rgb_bias - aux_bias) + lean[:, :, None, None]).sigmoid()
        rgb_share = rgb_present * (1 - aux_present * (1 - lead))
        aux_share = aux_present * (1 - rgb_present * lead)
        # ×2: before training, the sigmoid must pass the features on unchanged.
        fused = 2 * (rgb * rgb_channel * rgb_share + aux * aux_channel * aux_share)
        return fused, torch.cat([rgb_share.mean((2, 3)), aux_share.mean((2, 3))], 1)
