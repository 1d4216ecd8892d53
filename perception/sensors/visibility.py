# SPDX-License-Identifier: Apache-2.0
"""Which LiDAR points the camera cannot see: the LiDAR stands elsewhere, and looks past what is near."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.frame import Frame
from perception.sensors.projection import Projection

CELL = 0.0042
"""Radians; of cells so large a sweep of 64 beams leaves few empty where there is a surface."""

ACROSS, UPRIGHT = 2, 3
"""Cells, each way, within which a nearer surface must show."""

BEHIND, BEHIND_SHARE = 1.0, 0.05
"""Metres, and share of its own distance, that a hidden point lies behind it; less is the inside of a car."""

SAME, SAME_SHARE = 1.0, 0.03
"""Metres, and share of the distance, by which two sides of one surface differ."""

_NOTHING = np.float32(1e6)


def hidden(projection: Projection, focal: float) -> NDArray[np.bool_]:
    """(M,) whether each point lies behind a surface that shows on both sides of it, left and right or above and below.

    focal: focal length in pixels. Not exact: of the points so found on simulated streets, where depth images know
    better, two thirds are hidden by more than a pixel, the others at the rim of things or between leaves; and of the
    points that fall on a pixel of another class, a good third are found. After Pintus, Gobbetti and Agus, "Real-time
    rendering of massive unstructured raw point clouds using screen-space operators" (VAST 2011), who ask for a free
    cone towards the camera.
    """
    size = max(1.0, CELL * focal)
    width, height = int(projection.width / size) + 1, int(projection.height / size) + 1
    column, row = ((projection.uv + np.float32(0.5)) / np.float32(size)).astype(np.intp).T
    cells = row * width + column
    nearest = np.full(width * height, _NOTHING)
    np.minimum.at(nearest, cells, projection.depth)
    image = nearest.reshape(height, width)
    sides = _between(image, np.ones((1, ACROSS), np.uint8)), _between(image, np.ones((UPRIGHT, 1), np.uint8))
    return np.minimum(*sides).ravel()[cells] < projection.depth * np.float32(1 - BEHIND_SHARE) - np.float32(BEHIND)


def hidden_from_camera(frame: Frame, projection: Projection) -> NDArray[np.bool_]:
    """`hidden` for the points of a frame. projection: of them, at the frame's size."""
    assert frame.camera is not None  # it comes with points
    return hidden(projection, float(frame.camera.resized(*frame.size).intrinsics[0, 0]))


def label_points(frame: Frame, projection: Projection, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N,) class ids of the frame's N points: that of the pixel each falls on, 255 where the camera does not see it.

    projection: of the frame's points, at its size. labels: (H, W) of that size.
    """
    assert frame.points is not None
    seen = ~hidden_from_camera(frame, projection)
    point_labels = np.full(len(frame.points), UNLABELLED, np.uint8)
    point_labels[projection.rows[seen]] = labels.ravel()[projection.pixels[seen]]
    return point_labels


def _between(nearest: NDArray[np.float32], reach: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of the surface that shows on both sides of each cell, within `reach`; a great one for none."""
    axis = int(np.argmax(reach.shape))
    before = np.insert(reach, reach.shape[axis], 0, axis)  # the cell itself is on neither side
    after = np.flip(before)
    constant, nothing = cv2.BORDER_CONSTANT, float(_NOTHING)
    end = (before.shape[1] - 1, before.shape[0] - 1)
    one = cv2.erode(nearest, before, anchor=end, borderType=constant, borderValue=nothing)
    other = cv2.erode(nearest, after, anchor=(0, 0), borderType=constant, borderValue=nothing)
    same = np.abs(one - other) < SAME + SAME_SHARE * one
    return np.where(same, np.maximum(one, other), _NOTHING)
