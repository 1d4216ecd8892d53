# SPDX-License-Identifier: Apache-2.0
"""Learning without labels: what different sensors see of the same place is alike, and unlike every other place.

The local contrastive loss of Chaitanya et al., "Contrastive learning of global and local features for medical image
segmentation with limited annotations", NeurIPS 2020, between sensors as in Tian et al., "Contrastive Multiview
Coding", ECCV 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from perception.models import across
from perception.models.dual_branch import Batch
from perception.sensors.encode import AUX_SCALE
from perception.sensors.spec import splits_of
from perception.training.pretraining.pretrain import CELL, PATCH, Pretrainer, hide
from perception.training.trainee import keep

EMBEDDED = 64
"""Numbers by which a place is compared."""


class Contraster(Pretrainer):
    """Learns from two views of each crop, place by place; a place is a patch.

    The first view has every sensor. The second has the camera alone or the others alone, in turn, where there are both;
    what is hidden from the first is shown to it and the other way round, and it is mirrored. A small head that only
    pre-training needs makes the embeddings of the finest features. temperature: see `info_nce`.
    """

    way = "contrastive"
    own = ("project.",)

    def __init__(self, temperature: float = 0.1, **model: Any) -> None:
        super().__init__(**model)
        self.temperature = temperature
        channels = self.decode_head.channels
        self.project = nn.Sequential(nn.Conv2d(channels, EMBEDDED, 1), nn.ReLU(), nn.Conv2d(EMBEDDED, EMBEDDED, 1))

    def learn(self, batch: Batch, hidden_rgb: Tensor, hidden_aux: Tensor) -> dict[str, Tensor]:
        """See `Pretrainer`."""
        rows = across.rank() + across.processes() * torch.arange(len(batch.present), device=batch.present.device)
        side = one_side(batch, (rows + self.batches) % 2 == 0)
        first = self.embed(hide(batch, hidden_rgb, hidden_aux))
        second = self.embed(_mirrored(hide(side, ~hidden_rgb, ~hidden_aux))).flip(3)
        return {"loss_contrast": info_nce(first, second, measured(side), self.temperature)}

    def embed(self, batch: Batch) -> Tensor:
        """(B, EMBEDDED, H/32, W/32) of each patch."""
        finest = self.decode_head.finest(self.extract_feat(batch))
        embedded: Tensor = self.project(functional.avg_pool2d(finest, PATCH // CELL)).float()
        return embedded


def info_nce(first: Tensor, second: Tensor, counts: Tensor, temperature: float) -> Tensor:
    """The mean over the places i that count of (ℓ(a, b, i) + ℓ(b, a, i)) / 2, a scalar, where a and b are the first and
    second view's embeddings of a crop's places, divided by their lengths, and

        ℓ(a, b, i) = −log( exp(aᵢ·bᵢ / temperature) / Σⱼ exp(aᵢ·bⱼ / temperature) )

    with j over all places of the crop (InfoNCE, van den Oord et al., 2018). Other crops are not compared with: so the
    loss does not depend on how processes share a batch.

    first, second: (B, D, h, w). counts: (B, 1, h, w) bool.
    """
    a, b = (functional.normalize(each, dim=1).flatten(2) for each in (first, second))
    alike = a.transpose(1, 2) @ b / temperature
    own = alike.diagonal(dim1=1, dim2=2)
    losses = (alike.logsumexp(2) + alike.logsumexp(1)) / 2 - own
    chosen = counts.flatten(1)
    return across.mean((losses * chosen).sum(), chosen.sum())


def one_side(batch: Batch, camera: Tensor) -> Batch:
    """`batch` with the camera alone where `camera` (B,) is True, else with the others alone; crops that do not have
    both keep what they have."""
    both = (batch.present[:, :1] > 0) & (batch.present[:, 1:].amax(1, keepdim=True) > 0)
    chosen = torch.cat([camera[:, None], ~camera[:, None].expand(-1, batch.present.shape[1] - 1)], 1)
    return keep(batch, (chosen | ~both).float())


def measured(batch: Batch) -> Tensor:
    """(B, 1, H/32, W/32) bool, the patches in which any sensor of `batch` has measured something; a camera everywhere.

    Two places without any measurement cannot be told apart.
    """
    validity = torch.tensor(splits_of(batch.present.shape[1], batch.aux.shape[1])).cumsum(0) - 1
    valid = functional.max_pool2d(batch.aux[:, validity.tolist()].amax(1, keepdim=True), PATCH // AUX_SCALE) > 0
    return valid | (batch.present[:, 0] > 0)[:, None, None, None]


def _mirrored(batch: Batch) -> Batch:
    return Batch(batch.rgb.flip(3), batch.aux.flip(3), batch.present)
