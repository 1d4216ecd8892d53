# SPDX-License-Identifier: Apache-2.0
"""An overexposed sky, which a labelling network mistakes for the white side of a lorry."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.sensors import Projection

WHITE = 250
"""Of 255; every channel of an overexposed pixel has at least this."""

SPECK = 5
"""Pixels; white areas that do not contain a square of this side are highlights, not the sky."""

BESIDE = 20
"""Pixels to the left and right of a column in which its highest LiDAR point still counts."""

SURE = 0.95
"""A white patch with this mean probability of vehicle is left unchanged: a lorry may be overexposed too."""


def white_sky(rgb: NDArray[np.uint8], projection: Projection, vehicle: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W) the white patches above every LiDAR beam that reach the image's upper edge and may be not a vehicle.

    rgb: (H, W, 3). projection: of the sweep, at the image's size. vehicle: (H, W) its probability by the soft labels.
    """
    height, width = vehicle.shape
    highest = np.full(width, height, np.float32)
    np.minimum.at(highest, projection.pixels % width, projection.uv[:, 1])
    highest = np.asarray(cv2.erode(highest[None], np.ones((1, 2 * BESIDE + 1), np.uint8)), np.float32)
    white = (rgb.min(2) >= WHITE) & (np.arange(height)[:, None] < highest)
    solid = cv2.morphologyEx(white.astype(np.uint8), cv2.MORPH_OPEN, np.ones((SPECK, SPECK), np.uint8))
    count, patches = cv2.connectedComponents(solid)
    sizes = np.bincount(patches.ravel(), minlength=count)
    means = np.bincount(patches.ravel(), vehicle.ravel(), count) / np.maximum(sizes, 1)
    reaches_up = np.isin(np.arange(count), patches[0])
    sky = reaches_up & (means < SURE)
    sky[0] = False  # the component of all pixels that are not white
    return np.asarray(sky[patches])
