# SPDX-License-Identifier: Apache-2.0
"""Images of another camera, moved to the pixels at which the RGB camera would see the same things."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel
from perception.sensors.projection import MIN_DEPTH

MAX_PIXELS = 640 * 400
"""The most pixels of a registered depth image: larger ones are halved, since the network never sees their details."""


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether images of these (width, height) may be the same image, binned alike in both directions except for
    rounding."""
    large, small = (one, other) if one[0] * one[1] >= other[0] * other[1] else (other, one)
    (least_x, most_x), (least_y, most_y) = (
        ((full - 1) / (part + 0.5), (full + 1) / max(part - 0.5, 0.5)) for full, part in zip(large, small, strict=True)
    )
    return least_x <= most_y and least_y <= most_x


def same_view(one: CameraModel, other: CameraModel) -> bool:
    """Whether images of two cameras in one place show the same, at any resolution: to a pixel of the coarser one."""
    if not same_shape((one.width, one.height), (other.width, other.height)):
        return False
    fine, coarse = (one, other) if one.width >= other.width else (other, one)
    fitted = fine.resized(coarse.width, coarse.height).intrinsics
    corners = np.array([[0, 0, 1], [coarse.width - 1, coarse.height - 1, 1]], np.float64).T
    moved = fitted @ np.linalg.inv(coarse.intrinsics) @ corners
    return bool(np.abs(moved - corners).max() <= 1.0)


def register_depth(
    depth: NDArray[np.float32], source: CameraModel, target: CameraModel, source_to_target: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Depth (h, w) [m] of the camera `source` → as `target` would measure it, NaN where it does not.

    The result has the target's aspect and about as many pixels as the source has in the part that both see, so that
    few holes appear between them; holes of one pixel are filled from the nearest neighbour in space.
    source_to_target: (4, 4), optical frame to optical frame.
    """
    height, width = depth.shape
    step = int(np.ceil(np.sqrt(depth.size / MAX_PIXELS)))
    depth = depth[::step, ::step]
    to_ray = np.linalg.inv(source.resized(width, height).intrinsics)
    # One pixel of the target covers at least the angle of one pixel of the source.
    scale = min(1.0, 1 / (step * to_ray[0, 0] * target.intrinsics[0, 0]))
    target = target.resized(max(1, round(target.width * scale)), max(1, round(target.height * scale)))
    # A pixel of the source at depth z falls on the target's pixel (z · along + start), divided by its third part.
    along = target.intrinsics @ source_to_target[:3, :3] @ to_ray
    start = target.intrinsics @ source_to_target[:3, 3]
    u, v = (np.arange(0, size, step, dtype=np.float32) for size in (width, height))
    x, y, z = (
        depth * ((row[0] * u)[None] + (row[1] * v + row[2])[:, None]) + offset
        for row, offset in zip(along.astype(np.float32), start.astype(np.float32), strict=True)
    )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        seen = np.flatnonzero((z > MIN_DEPTH) & (z < np.inf) & (depth > 0))
        z = z.ravel()[seen]
        column, row = np.rint(x.ravel()[seen] / z), np.rint(y.ravel()[seen] / z)
        inside = (column >= 0) & (column < target.width) & (row >= 0) & (row < target.height)
    z, column, row = z[inside], column[inside].astype(np.intp), row[inside].astype(np.intp)
    image = np.full((target.height, target.width), np.inf, np.float32)
    np.minimum.at(image.reshape(-1), row * target.width + column, z)
    around = cv2.erode(image, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    filled = np.where(np.isinf(image), around, image)
    filled[np.isinf(filled)] = np.nan
    return np.asarray(filled, np.float32)


def register_infrared(
    image: NDArray[Any],
    source: CameraModel,
    target: CameraModel,
    source_to_target: NDArray[np.float64],
    distance: float,
) -> NDArray[Any]:
    """Infrared (h, w) of the camera `source` → as `target` would see it, 0 where the source sees nothing.

    An image has no depth: everything is assumed to be `distance` [m] ahead of the target (the homography of that plane;
    Hartley and Zisserman, 2004, 13.1). Nearer or farther things are off by the baseline's parallax.
    The result has the target's aspect and at most the source's resolution.
    """
    source = source.resized(image.shape[1], image.shape[0])
    scale = min(1.0, source.intrinsics[0, 0] / target.intrinsics[0, 0])
    size = max(1, round(target.width * scale)), max(1, round(target.height * scale))
    target = target.resized(*size)
    target_to_source = np.linalg.inv(source_to_target)
    plane = target_to_source[:3, :3] + np.outer(target_to_source[:3, 3], [0.0, 0.0, 1.0 / distance])
    homography = source.intrinsics @ plane @ np.linalg.inv(target.intrinsics)
    found = cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    x, y, one = homography[2]
    ahead = (x * np.arange(size[0]))[None] + (y * np.arange(size[1]) + one)[:, None] > 0
    if not ahead.all():  # points behind the source would appear in it upside down
        found[~ahead] = 0
    return np.asarray(found)
