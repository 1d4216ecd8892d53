# SPDX-License-Identifier: Apache-2.0
"""The network as an engine runs it: raw uint8 in, class ids out, everything between inside one graph."""

from __future__ import annotations

import torch
from mmseg.models import EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torch.nn import functional

from perception.models.dual_branch import Batch, DualBranchEncoder
from perception.models.light_fpn_head import SUBPIXELS, LightFPNHead


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
        if isinstance(self.head, LightFPNHead):
            logits = self.head.subpixels(features).chunk(self.head.num_classes, 1)
            labels, confidence = (functional.pixel_shuffle(x, SUBPIXELS)[:, 0] for x in _decide(logits))
        else:  # any head of mmseg's
            labels, confidence = _decide_upsampled(self.head(features), batch.rgb.shape[2:])
        return labels, confidence, weights


def _decide(logits: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The likeliest class and its probability × 255, both uint8, from the logits of each class, all of one shape.

    Written without argmax and softmax: engines fuse these element-wise steps into one pass over the memory.
    """
    best, labels = logits[0], torch.zeros_like(logits[0])
    for class_id, candidate in enumerate(logits[1:], 1):
        labels = torch.where(candidate > best, torch.full_like(labels, class_id), labels)
        best = torch.maximum(best, candidate)
    total = torch.zeros_like(best)
    for candidate in logits:
        total = total + (candidate - best).exp()
    return labels.to(torch.uint8), (255 / total + 0.5).to(torch.uint8)


def _decide_upsampled(logits: Tensor, size: torch.Size) -> tuple[Tensor, Tensor]:
    """The same from coarse logits (B, K, h, w), interpolated to `size`.

    Probabilities are taken before upsampling: fewer exponentials, and the borders hardly move.
    """
    probabilities = functional.interpolate(logits.softmax(1), size, mode="bilinear", align_corners=False)
    confidence, labels = probabilities.max(1)
    return labels.to(torch.uint8), (confidence * 255 + 0.5).to(torch.uint8)
