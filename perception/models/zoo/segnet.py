# SPDX-License-Identifier: Apache-2.0
"""SegNet (Badrinarayanan, Kendall and Cipolla, TPAMI 2017, arXiv 1511.00561), in the paper's small version."""

from __future__ import annotations

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from perception.models.zoo.unpool import max_pool, max_unpool

DEPTH = 4
"""Encoders, and decoders."""


@MODELS.register_module()
class SegNetBasic(BaseModule):
    """SegNet-Basic, section 3.1 of the paper: four encoders and four decoders, each with one 7×7 convolution.

    An encoder is convolution, batch normalisation, ReLU and 2×2 max pooling; a decoder puts its input where the maxima
    of the encoder of the same size were (figure 3), then has convolution and batch normalisation without ReLU. The
    local contrast normalisation of the input is left out: the encoder around it normalises the colours.

    forward: (B, 3, H, W), both multiples of 16 → one feature (B, channels, H, W) in a tuple.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__(dict(type="Kaiming", layer="Conv2d"))
        norm = dict(type="BN")
        self.encoders = nn.ModuleList(
            ConvModule(3 if level == 0 else channels, channels, 7, padding=3, norm_cfg=norm) for level in range(DEPTH)
        )
        self.decoders = nn.ModuleList(
            ConvModule(channels, channels, 7, padding=3, norm_cfg=norm, act_cfg=None) for _ in range(DEPTH)
        )

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """See the class."""
        places = []
        for encoder in self.encoders:
            x, where = max_pool(encoder(x))
            places.append(where)
        for decoder in self.decoders:
            x = decoder(max_unpool(x, places.pop()))
        return (x,)
