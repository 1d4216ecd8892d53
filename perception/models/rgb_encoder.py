# SPDX-License-Identifier: Apache-2.0
"""Networks of the camera alone: any backbone of mmseg's in place of a `DualBranchEncoder`."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from perception.frame import MODALITIES
from perception.models.dual_branch import Batch, normalise


@MODELS.register_module()
class RgbEncoder(BaseModule):
    """A single-image backbone on the camera's image; the batch's other channels are not looked at.

    backbone: any of mmseg's. sensors: those that the network sees.

    forward: `Batch` → what the backbone makes of the RGB image, which is normalised here.
    """

    sensors = MODALITIES[:1]

    def __init__(self, backbone: dict[str, Any]) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)

    def forward(self, batch: Batch) -> Any:
        """See the class."""
        return self.encode(normalise(batch))[0]

    def encode(self, batch: Batch) -> tuple[Any, Tensor]:
        """The backbone's features, and how much the camera counted (B, 1): wholly, where it is present.

        batch: the result of `normalise`.
        """
        return self.backbone(batch.rgb), batch.present[:, :1]
