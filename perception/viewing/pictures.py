# SPDX-License-Identifier: Apache-2.0
"""What every viewer is given of a frame: images small enough to keep, and a sweep thinned out of the camera's view."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.sensors.thermal import infrared_channels

JPEG_QUALITY = 90

SURROUNDINGS = 8_000
"""Number of points outside the camera's view that are kept of a sweep, evenly spaced, for orientation."""


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) RGB or (H, W) grey as JPEG."""
    ordered = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    _, encoded = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def thermal(infrared: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W) of 16 bits or 8 → 8 bits, stretched over the scene, as the network gets them."""
    height, width = infrared.shape
    return infrared_channels(infrared, width, height)[0]


def kept_rows(labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The points that are kept, in their order: those with a class id, and SURROUNDINGS of the others."""
    kept, unseen = labels != UNLABELLED, np.flatnonzero(labels == UNLABELLED)
    kept[unseen[:: max(1, -(-len(unseen) // SURROUNDINGS))]] = True
    return np.flatnonzero(kept)
