# SPDX-License-Identifier: Apache-2.0
"""STDC's detail guidance, with two classes of its own whatever the network's are."""

from __future__ import annotations

from typing import Any

from mmseg.models import STDCHead
from mmseg.registry import MODELS


@MODELS.register_module()
class DetailHead(STDCHead):
    """mmseg's STDCHead with the settings of the paper (Fan et al., CVPR 2021, section 3.3): binary cross-entropy and
    Dice loss of where the labels' Laplacian pyramid is above 0.1; for training alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            num_classes=2,
            num_convs=1,
            concat_input=False,
            boundary_threshold=0.1,
            align_corners=True,
            loss_decode=[
                dict(type="CrossEntropyLoss", loss_name="loss_ce", use_sigmoid=True),
                dict(type="DiceLoss", loss_name="loss_dice"),
            ],
            **kwargs,
        )
