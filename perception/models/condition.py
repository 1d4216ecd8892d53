# SPDX-License-Identifier: Apache-2.0
"""How much each sensor can be trusted in an image as a whole, based on the condition token of CAFuser (arXiv
2410.10791).

The inputs are measurements: exposure, contrast and noise of the camera image, coverage and contrast of the others, and
how well the outlines in the sensors' images agree. Two layers compute, per stage, how much to prefer the camera, and a
gain per auxiliary sensor.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional

from perception.models.dual_branch import RGB_MEAN, RGB_STD, Batch


@MODELS.register_module()
class ConditionToken(BaseModule):
    """Measures a batch and weighs its sensors; before training it prefers the camera by `favour` logits.

    splits: channels of the auxiliary modalities in their order; the last channel of each tells where it has a
    measurement, the first is the measurement.
    forward: what `glance_of` leaves of a normalised `Batch` → lean (B, stages) and gains (B, sensors), both in logits.
    """

    def __init__(self, splits: Sequence[int], stages: int, hidden: int = 24, favour: float = 0.0) -> None:
        super().__init__()
        self.splits = list(splits)
        self.stages = stages
        measures, weights = 6 + 4 * len(self.splits), stages + len(self.splits)
        last = nn.Linear(hidden, weights)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with torch.no_grad():
            last.bias[:stages] = favour
        self.token = nn.Sequential(nn.Linear(measures, hidden), nn.ReLU(), last)

    def forward(self, glance: Batch) -> tuple[Tensor, Tensor]:
        """See the class."""
        weights = self.token(self.measure(glance))
        return weights[:, : self.stages], weights[:, self.stages :]

    def measure(self, glance: Batch) -> Tensor:
        """(B, measures) measurements of the sensors over the whole image; 0 for those that are not present."""
        grey = (glance.rgb.mean(1, keepdim=True) * RGB_STD + RGB_MEAN).float()
        edges = _edges(grey)
        camera = torch.cat(
            [
                grey.mean((2, 3)),
                _spread(grey),
                (0.08 - grey).clamp(0, 0.08).mean((2, 3)) / 0.08,  # darkness
                (grey - 0.92).clamp(0, 0.08).mean((2, 3)) / 0.08,  # glare
                edges.mean((2, 3)),
                grey.amax((2, 3)),
            ],
            1,
        )
        measures = [camera * glance.present[:, :1]]
        start = 0
        for number, channels in enumerate(self.splits):
            first, valid = start, start + channels - 1
            start += channels
            seen = glance.aux[:, valid : valid + 1].float()
            what = glance.aux[:, first : first + 1].float()
            outlines = _edges(what) * seen
            both = (outlines * edges).mean((2, 3)) - outlines.mean((2, 3)) * edges.mean((2, 3))
            agreement = both / (_spread(outlines) * _spread(edges) + 1e-3)
            parts = [seen.mean((2, 3)), _spread(what * seen), outlines.mean((2, 3)), agreement]
            measures.append(torch.cat(parts, 1) * glance.present[:, number + 1 : number + 2])
        return torch.cat(measures, 1)


def _spread(image: Tensor) -> Tensor:
    """(B, 1) standard deviation of (B, 1, h, w)."""
    mean = image.mean((2, 3), keepdim=True)
    return ((image - mean).square().mean((2, 3)) + 1e-6).sqrt()


def _edges(image: Tensor) -> Tensor:
    """(B, 1, h, w) how much (B, 1, h, w) differs from its right and lower neighbours."""
    across = functional.pad((image[:, :, :, 1:] - image[:, :, :, :-1]).abs(), (0, 1, 0, 0))
    down = functional.pad((image[:, :, 1:] - image[:, :, :-1]).abs(), (0, 0, 0, 1))
    return across + down
