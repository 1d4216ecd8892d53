# SPDX-License-Identifier: Apache-2.0
"""Random predicted and true instances that overlap more or less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IDS = {"vehicle": 2, "pedestrian": 3}


def random_things(seed: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.bool_]]:
    """Predicted and true codes of 60 × 80 pixels, and where the truth is unknown, without any true instance."""
    rng = np.random.default_rng(seed)
    predicted, true = np.zeros((2, 60, 80), np.uint16)
    unknown = np.zeros((60, 80), bool)
    unknown[rng.integers(40) :, rng.integers(40, 70) :] = True
    for number in range(1, 9):
        top, left = rng.integers(0, 48), rng.integers(0, 64)
        height, width = rng.integers(6, 14, 2)
        code = int(rng.choice((2, 3))) * 1000 + number
        true[top : top + height, left : left + width] = code
        if rng.random() < 0.8:
            v, u = np.maximum(np.add((top, left), rng.integers(-2, 3, 2)), 0)
            predicted[v : v + height, u : u + width] = code if rng.random() < 0.85 else 5000 - code + 2 * number
    true[unknown] = 0
    return predicted, true, unknown
