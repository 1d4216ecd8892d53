# SPDX-License-Identifier: Apache-2.0
"""Mean teacher: the average of a network's own past weights labels what nobody did (Tarvainen and Valpola, 2017).

The average sees every sensor of a crop, the network itself only those that modality dropout leaves it: what the
sensors know together is learnt by each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.models import EncoderDecoder
from torch import Tensor
from torch.nn import functional


class MeanTeacher:
    """Cross-entropy to the average's classes where it is sure.

    weight: of a pixel that the average labels against one that a person did. thresholds: by class id, the least
    probability that counts as sure. average: the segmentor, in eval mode; None until training begins.
    """

    def __init__(self, weight: float = 0.5, thresholds: Sequence[float] = (0.95, 0.95, 0.9, 0.8)) -> None:
        self.weight = weight
        self.thresholds = torch.tensor(thresholds)
        self.average: EncoderDecoder | None = None

    def loss(self, logits: Tensor, seen: Tensor, unknown: Tensor) -> Tensor:
        """Mean over all pixels, so that a crop with few of them counts for little; a scalar.

        logits, seen: (B, K, H, W) of the network and of its average. unknown: (B, H, W) bool, pixels without label.
        """
        probabilities, classes = seen.float().softmax(1).max(1)
        sure = unknown & (probabilities >= self.thresholds.to(seen.device)[classes])
        losses = functional.cross_entropy(logits.float(), classes, reduction="none")
        return self.weight * (losses * sure).mean()
