# SPDX-License-Identifier: Apache-2.0
"""Losses for small and rare things: by the IoU itself, by the hardest pixels, by the distance to a border.

All take logits (B, K, H, W) and labels (B, H, W) int64, and are 0 if every pixel is `ignore_index`. Over several
processes they are the losses of the whole batch (see `perception.models.across`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmseg.models.losses.lovasz_loss import lovasz_softmax_flat
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

from perception.models import across

STRIDE = 2
"""Lovász sorts the pixels, once per class: one of every STRIDE × STRIDE is enough and takes a quarter of the time."""


@MODELS.register_module()
class LovaszSoftmax(nn.Module):
    """A convex surrogate of 1 − IoU, the mean of the classes that occur (Berman et al., CVPR 2018).

    mmseg's LovaszLoss returns no scalar if nothing is labelled (1.2.2) and sorts every pixel; its kernel is used.

    per_image: the mean over the images with labels, each by itself. Otherwise the IoU is that of the whole batch, for
    which every process gets, and sorts, the pixels of all of them.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = "loss_lovasz", per_image: bool = False) -> None:
        super().__init__()
        self.per_image = per_image
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, ignore_index: int = 255) -> Tensor:
        """See the module."""
        labels = labels[:, ::STRIDE, ::STRIDE]
        probabilities = logits[:, :, ::STRIDE, ::STRIDE].float().softmax(1)
        if self.per_image:
            losses = [
                _lovasz(*pair, ignore_index) for pair in zip(probabilities.split(1), labels.split(1), strict=True)
            ]
            counted = (labels != ignore_index).flatten(1).any(1).sum()
            return self.loss_weight * across.mean(torch.stack([probabilities.sum() * 0, *losses]).sum(), counted)
        # The order of all pixels decides each one's weight, so that every process needs them all; a byte is a label.
        labels = across.gathered(labels.to(torch.uint8)).long()
        return self.loss_weight * _lovasz(across.gathered(probabilities), labels, ignore_index)


@MODELS.register_module()
class HardPixelCrossEntropy(nn.Module):
    """Cross-entropy of only the hardest pixels, OHEM (Shrivastava et al., CVPR 2016).

    These are the pixels whose right class has a probability below `threshold`, and at least the share `keep` of all.
    mmseg's OhemCrossEntropy takes no ignore_index from a head (1.2.2) and sorts every pixel.
    """

    def __init__(
        self,
        threshold: float = 0.7,
        keep: float = 0.1,
        class_weight: Sequence[float] | None = None,
        loss_weight: float = 1.0,
        loss_name: str = "loss_ohem",
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.keep = keep
        self.class_weight = None if class_weight is None else [float(weight) for weight in class_weight]
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """See the module; `weight`, mmseg's per-pixel weight, is not supported and must be None."""
        assert weight is None
        known = labels != ignore_index
        losses = functional.cross_entropy(logits.float(), labels, ignore_index=ignore_index, reduction="none")[known]
        everywhere = across.gathered(losses.detach())
        if not len(everywhere):
            return logits.sum() * 0
        rank = max(1, round((1 - self.keep) * len(everywhere)))
        easiest = everywhere.kthvalue(rank).values.clamp(max=-math.log(self.threshold))
        hard = losses >= easiest
        if self.class_weight is None:
            return self.loss_weight * across.mean(losses[hard].sum(), hard.sum())
        weights = torch.tensor(self.class_weight, device=logits.device)[labels[known][hard]]
        return self.loss_weight * across.mean((losses[hard] * weights).sum(), weights.sum())


@MODELS.register_module()
class BoundaryCrossEntropy(nn.Module):
    """Cross-entropy of only the pixels within `radius` rows and columns of a pixel of another class.

    Small things consist mostly of border: this gives them more weight. Unlabelled pixels do not make a border.
    """

    def __init__(self, radius: int = 2, loss_weight: float = 1.0, loss_name: str = "loss_boundary") -> None:
        super().__init__()
        self.radius = radius
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, ignore_index: int = 255) -> Tensor:
        """See the module."""
        border = near_border(labels, self.radius, ignore_index)
        chosen = logits.permute(0, 2, 3, 1)[border]
        losses = functional.cross_entropy(chosen.float(), labels[border], reduction="sum")
        return self.loss_weight * across.mean(losses, border.sum())


def _lovasz(probabilities: Tensor, labels: Tensor, ignore_index: int) -> Tensor:
    """Of all pixels together; a scalar, 0 if none is labelled."""
    known = labels != ignore_index
    if not known.any():
        return probabilities.sum() * 0
    loss: Tensor = lovasz_softmax_flat(probabilities.permute(0, 2, 3, 1)[known], labels[known])
    return loss


def near_border(labels: Tensor, radius: int, ignore_index: int = 255) -> Tensor:
    """(B, H, W) bool, which labelled pixels have one of another class at most `radius` rows and columns away."""
    known = labels != ignore_index
    classes = labels[:, None].float()
    window = 2 * radius + 1
    highest = functional.max_pool2d(classes.masked_fill(~known[:, None], -1), window, 1, radius)
    lowest = -functional.max_pool2d(-classes.masked_fill(~known[:, None], ignore_index), window, 1, radius)
    return (highest > lowest)[:, 0] & known
