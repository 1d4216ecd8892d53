# SPDX-License-Identifier: Apache-2.0
"""An explanation that is known in every pixel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from perception.explanation.ablation import Ablation
from perception.explanation.explain import Explanation
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.frame import Frame, Prediction

ROAD_ABOVE = np.repeat(np.array([1, 0], np.uint8), 32)[:, None].repeat(96, 1)
"""(64, 96): the upper half is road."""


def explanation(**changes: Any) -> Explanation:
    """Of camera and depth; without depth a quarter of the image is a vehicle instead of background."""
    rng = np.random.default_rng(0)
    frame = Frame(0, rng.integers(0, 256, (64, 96, 3)).astype(np.uint8), np.full((64, 96), 9, np.float32))
    prediction = Prediction(0, ROAD_ABOVE, np.full((64, 96), 204, np.uint8), {"rgb": 0.7, "depth": 0.3})
    other = ROAD_ABOVE.copy()
    other[48:] = 2
    area = {"background": -0.25, "road": 0.0, "vehicle": 0.25, "pedestrian": 0.0}
    ablations = {"depth": Ablation(other, 0.25, area, None)}
    found = Explanation(frame, prediction, None, None, DEFAULT_STRIDE, GRAD_CAM, {}, None, ablations, None)
    return replace(found, **changes)
