# SPDX-License-Identifier: Apache-2.0
"""Losses that mmseg lacks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

from perception.models import across


@MODELS.register_module()
class WeightedCrossEntropy(nn.Module):
    """Cross-entropy whose mean is weighted by class and leaves unlabelled pixels out.

    mmseg's CrossEntropyLoss fails with `class_weight` and `avg_non_ignore` together (1.2.2), and PyTorch's is faster.

    class_weight: one per class. loss_weight: factor of the whole loss. loss_name: the name in mmseg's log.

    forward: logits (B, K, H, W), labels (B, H, W) int64 → scalar; 0 if every pixel is `ignore_index`.
    """

    def __init__(self, class_weight: Sequence[float], loss_weight: float = 1.0, loss_name: str = "loss_ce") -> None:
        super().__init__()
        self.class_weight = [float(weight) for weight in class_weight]
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None = None, ignore_index: int = 255) -> Tensor:
        """See the class; `weight`, mmseg's per-pixel weight, is not supported and must be None."""
        assert weight is None
        weights = torch.tensor(self.class_weight, device=logits.device)
        total = functional.cross_entropy(logits.float(), labels, weights, ignore_index=ignore_index, reduction="sum")
        counted = labels.flatten().bincount(minlength=len(weights))[: len(weights)].to(weights) @ weights
        return self.loss_weight * across.mean(total, counted)
