# SPDX-License-Identifier: Apache-2.0
"""Patches of some sensors are hidden, so that each learns to replace the others (after CRM, arXiv 2303.17386)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perception.models.dual_branch import RGB_MEAN
from perception.sensors import NetworkInput
from perception.sensors.encode import AUX_SCALE
from perception.settings import Settings

SIZE = 32
"""The side of a patch in pixels of the camera image."""


@dataclass(frozen=True)
class Patches(Settings):
    """In a `share` of the crops that have the camera and another sensor, half of the patches are hidden: in the one, in
    the other, or complementary halves in each, each in a third of the cases."""

    share: float = 0.0

    def apply(self, network_input: NetworkInput, rng: np.random.Generator) -> None:
        """Hide patches in `network_input`, changing it."""
        several = network_input.present[0] and network_input.present[1:].any()
        if not self.share or not several or rng.random() >= self.share:
            return
        height, width = network_input.rgb.shape[:2]
        hidden = rng.random((height // SIZE + 1, width // SIZE + 1)) < 0.5
        whole = hidden.repeat(SIZE, 0).repeat(SIZE, 1)[:height, :width]
        kind = int(rng.integers(3))
        if kind != 1:
            network_input.rgb[whole] = round(255 * RGB_MEAN)  # zero after normalisation
        if kind != 0:
            small = (whole if kind == 1 else ~whole)[::AUX_SCALE, ::AUX_SCALE]
            network_input.aux[small] = 0  # not valid
