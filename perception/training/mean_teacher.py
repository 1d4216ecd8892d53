# SPDX-License-Identifier: Apache-2.0
"""Mean teacher: the average of a network's past weights labels unlabelled pixels (Tarvainen and Valpola, 2017).

The average sees every sensor of a crop, the network only those that modality dropout keeps: so each sensor learns
what all of them know together.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.models import EncoderDecoder
from torch import Tensor
from torch.nn import functional


class MeanTeacher:
    """Cross-entropy to the average's classes where it is certain.

    weight: of a pixel labelled by the average against one labelled by a person. thresholds: by class id, the lowest
    probability that counts as certain. average: the segmentor, in eval mode; None until training begins.
    """

    def __init__(self, weight: float = 0.5, thresholds: Sequence[float] = (0.95, 0.95, 0.9, 0.8)) -> None:
        self.weight = weight
        self.thresholds = torch.tensor(thresholds)
        self.average: EncoderDecoder | None = None

    def loss(self, logits: Tensor, seen: Tensor, unknown: Tensor) -> Tensor:
        """The mean over all pixels, so that a crop with few such pixels has little weight; a scalar.

        logits, seen: (B, K, H, W) of the network and of its average. unknown: (B, H, W) bool, pixels without label.
        """
        probabilities, classes = seen.float().softmax(1).max(1)
        sure = unknown & (probabilities >= self.thresholds.to(seen.device)[classes])
        losses = functional.cross_entropy(logits.float(), classes, reduction="none")
        return self.weight * (losses * sure).mean()
