# SPDX-License-Identifier: Apache-2.0
"""Learning from probabilities: from soft labels and from other networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from perception.models import across


def divergence(logits: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Kullback-Leibler divergence of the predicted from the target's probabilities, (B, H, W) float32.

    logits: (B, K, H, W). target: (B, K, H, W) probabilities, already softened. The logits are divided by
    `temperature` and the result is multiplied by its square, so that gradients keep their size (Hinton et al., 2015).
    """
    predicted = (logits.float() / temperature).log_softmax(1)
    return temperature**2 * functional.kl_div(predicted, target, reduction="none").sum(1)


def soften(probabilities: Tensor, temperature: float) -> Tensor:
    """(B, K, H, W) probabilities as if their logits had been divided by `temperature`; each pixel sums to 1."""
    raised = probabilities.clamp(min=1e-6) ** (1 / temperature)
    return raised / raised.sum(1, keepdim=True)


def confidence(probabilities: Tensor) -> Tensor:
    """(B, H, W) how certain (B, K, H, W) probabilities are: 0 if all are equal or all 0, 1 if one is 1."""
    classes = probabilities.shape[1]
    return ((classes * probabilities.amax(1) - 1) / (classes - 1)).clamp(min=0)


def mean_probabilities(logits: Sequence[Tensor], temperature: float) -> Tensor:
    """(B, K, H, W) mean of the softened probabilities of several networks."""
    return torch.stack([(each.float() / temperature).softmax(1) for each in logits]).mean(0)


class SoftLabelLoss:
    """Learns from soft labels of a coarser resolution; each pixel is weighted by its confidence.

    temperature: softens labels and predictions. weight: of a fully confident soft pixel against a hard one.
    """

    def __init__(self, temperature: float = 1.0, weight: float = 1.0) -> None:
        self.temperature = temperature
        self.weight = weight

    def __call__(self, logits: Tensor, soft: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted mean divergence, and the sum of the weights in pixels of the logits; both scalars, and of the
        whole batch where several processes train (see `perception.models.across`).

        logits: (B, K, H, W). soft: (B, K, h, w) uint8, probability × 255, all 0 if unknown.
        """
        probabilities = soft.float() / 255
        weights = self.weight * confidence(probabilities)
        small = functional.interpolate(logits.float(), soft.shape[2:], mode="area")
        losses = divergence(small, soften(probabilities, self.temperature), self.temperature)
        pixels = logits.shape[2:].numel() / soft.shape[2:].numel()
        return across.mean((losses * weights).sum(), weights.sum()), across.total(weights.sum()) * pixels
