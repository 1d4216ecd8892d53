# SPDX-License-Identifier: Apache-2.0
"""mmseg's PIDNet with the features of its branches always in one form, so that they can be fused with others."""

from __future__ import annotations

from mmseg.models import PIDHead, PIDNet
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class PIDNetBranches(PIDNet):
    """Gives what mmseg's gives in training alone, always.

    forward: (B, in_channels, H, W) → the P branch after stage 3 (B, 2·channels, H/8, W/8), the sum of the three
    branches (B, 4·channels, …) and the D branch after stage 4 (B, 2·channels, …).
    """

    training: bool

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        mode = self.training
        self.training = True  # this module alone: those inside keep their mode
        try:
            features: tuple[Tensor, ...] = super().forward(x)
        finally:
            self.training = mode
        return features


@MODELS.register_module()
class PIDBranchesHead(PIDHead):
    """mmseg's head on the features of all branches, also outside of training, where it needs the sum alone."""

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        """See the class."""
        logits: Tensor | tuple[Tensor, ...] = super().forward(inputs if self.training else inputs[1])
        return logits
