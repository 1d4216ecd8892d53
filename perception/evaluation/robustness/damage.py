# SPDX-License-Identifier: Apache-2.0
"""What each sensor's data become where a share of them is lost, or extreme: the functions that the table of sensors
names. Every one takes the data, the share and random numbers, and leaves the data as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MEAN_RGB = (124, 116, 104)
"""The mean colour of ImageNet: what zero is after normalisation."""

RANGES = (1.5, 80.0)
"""Metres at which a LiDAR reports nonsense: its nearest and its farthest."""


def lose_colours(rgb: NDArray[np.uint8], share: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each channel of each lost pixel becomes MEAN_RGB's."""
    return np.where(rng.random(rgb.shape, np.float32) < share, np.array(MEAN_RGB, np.uint8), rgb)


def lose_depth(depth: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A lost pixel has no value."""
    return np.where(rng.random(depth.shape, np.float32) < share, np.float32(np.nan), depth)


def lose_infrared(infrared: NDArray[Any], share: float, rng: np.random.Generator) -> NDArray[Any]:
    """A lost pixel becomes the image's median."""
    lost = rng.random(infrared.shape, np.float32) < share
    return np.where(lost, infrared.dtype.type(np.median(infrared)), infrared)


def lose_points(points: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A lost point is gone."""
    return points[rng.random(len(points), np.float32) >= share]


def speckle_colours(rgb: NDArray[np.uint8], share: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Each channel of each such pixel becomes 0 or 255."""
    return speckled(rgb, 0, 255, share, rng)


def speckle_depth(depth: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Such a pixel says one of RANGES."""
    return speckled(depth, *RANGES, share, rng)


def speckle_infrared(infrared: NDArray[Any], share: float, rng: np.random.Generator) -> NDArray[Any]:
    """Such a pixel becomes one of the image's own extremes."""
    return speckled(infrared, infrared.min(), infrared.max(), share, rng)


def speckle_points(points: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Such a point moves along its ray to one of RANGES."""
    distance = np.maximum(np.linalg.norm(points[:, :3], axis=1), 1e-3)
    factor = speckled(distance, *RANGES, share, rng) / distance
    return np.hstack([points[:, :3] * factor[:, None], points[:, 3:]])


def speckled(values: NDArray[Any], low: float, high: float, share: float, rng: np.random.Generator) -> NDArray[Any]:
    """`values` of which that share is `low` or `high`, either one as often."""
    chance = rng.random(values.shape, np.float32)
    extremes = np.where(chance < share / 2, values.dtype.type(low), values.dtype.type(high))
    return np.where(chance < share, extremes, values)
