# SPDX-License-Identifier: Apache-2.0
"""Images of another camera, moved to where the RGB camera would see the same things."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel
from perception.sensors.projection import nearest_per_pixel, project


def register_depth(
    depth: NDArray[np.float32], source: CameraModel, target: CameraModel, source_to_target: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Depth (h, w) [m] of the camera `source` → as `target` would measure it, NaN where it does not.

    The result has the target's aspect and about as many pixels as the source has in the part that both see, so that
    few holes appear between them; those of one pixel are filled from the nearest neighbour in space.
    source_to_target: (4, 4), optical frame to optical frame.
    """
    height, width = depth.shape
    source = source.resized(width, height)
    v, u = np.nonzero(depth > 0)
    z = depth[v, u]
    rays = np.linalg.inv(source.intrinsics) @ np.stack([u, v, np.ones_like(u)]).astype(np.float64)
    points = (rays * z).T.astype(np.float32)
    # One pixel of the target takes in at least the angle of one pixel of the source.
    scale = min(1.0, source.intrinsics[0, 0] / target.intrinsics[0, 0])
    size = max(1, round(target.width * scale)), max(1, round(target.height * scale))
    projection = project(points, source_to_target, target.resized(*size))
    registered = np.full(size[0] * size[1], np.inf, np.float32)
    pixels, nearest = nearest_per_pixel(projection)
    registered[pixels] = projection.depth[nearest]
    image = registered.reshape(size[1], size[0])
    around = cv2.erode(image, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    filled = np.where(np.isinf(image), around, image)
    return np.where(np.isinf(filled), np.nan, filled).astype(np.float32)


def register_infrared(
    image: NDArray[Any],
    source: CameraModel,
    target: CameraModel,
    source_to_target: NDArray[np.float64],
    distance: float,
) -> NDArray[Any]:
    """Infrared (h, w) of the camera `source` → as `target` would see it, 0 where the source sees nothing.

    An image tells no depth: everything is taken to be `distance` [m] ahead of the target (the homography of that plane;
    Hartley and Zisserman, 2004, 13.1). What is nearer or farther is off by the baseline's parallax.
    The result has the target's aspect and at most the source's resolution.
    """
    source = source.resized(image.shape[1], image.shape[0])
    scale = min(1.0, source.intrinsics[0, 0] / target.intrinsics[0, 0])
    size = max(1, round(target.width * scale)), max(1, round(target.height * scale))
    target = target.resized(*size)
    target_to_source = np.linalg.inv(source_to_target)
    plane = target_to_source[:3, :3] + np.outer(target_to_source[:3, 3], [0.0, 0.0, 1.0 / distance])
    homography = source.intrinsics @ plane @ np.linalg.inv(target.intrinsics)
    return np.asarray(cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP))
