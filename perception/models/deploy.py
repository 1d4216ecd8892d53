# SPDX-License-Identifier: Apache-2.0
"""The network as an engine runs it: raw uint8 in, class ids out, everything between inside one graph."""

from __future__ import annotations

import torch
from mmseg.models import EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torch.nn import functional

from perception.models.dual_branch import Batch, DualBranchEncoder


class DeployGraph(nn.Module):
    """A trained segmentor whose backbone is a `DualBranchEncoder`, with decoding attached.

    forward: rgb (1, H, W, 3) uint8, aux (1, H/2, W/2, C) uint8, present (1, M) float32 → labels (1, H, W) uint8,
    confidence (1, H, W) uint8 (probability × 255), weights (1, M) float32.
    """

    def __init__(self, segmentor: EncoderDecoder) -> None:
        super().__init__()
        self.encoder: DualBranchEncoder = segmentor.backbone
        self.head: BaseDecodeHead = segmentor.decode_head

    def forward(self, rgb: Tensor, aux: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        batch = Batch(rgb.permute(0, 3, 1, 2).float(), aux.permute(0, 3, 1, 2).float(), present)
        features, weights = self.encoder.encode(batch)
        # Probabilities are taken before upsampling: a sixteenth of the exponentials, and the borders hardly move.
        probabilities = self.head(features).softmax(1)
        probabilities = functional.interpolate(probabilities, batch.rgb.shape[2:], mode="bilinear", align_corners=False)
        confidence, labels = probabilities.max(1)
        return labels.to(torch.uint8), (confidence * 255 + 0.5).to(torch.uint8), weights
