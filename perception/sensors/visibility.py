# SPDX-License-Identifier: Apache-2.0
"""Which LiDAR points the camera cannot see: the LiDAR is at another position, and sees past near objects."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.frame import Frame
from perception.sensors.projection import Projection

CELL = 1.4, 0.57
"""Width and height of a cell, in spacings of the sweep across and upright. A column of cells contains every beam; a row
is lower than the gap between two, so that points just above a roof do not count as beside it."""

FINEST = 0.0042
"""Radians of the smallest cell: for sweeps with more than 64 beams, smaller cells find fewer points and take longer."""

WIDEST = 0.02, 0.06
"""The widest accepted spacing, radians across and upright: a few stray points are not a sweep."""

STRIP, SOME = 0.004, 8000
"""Radians between two beams of the densest sweep, and the number of points that is enough to measure the spacing."""

ACROSS, UPRIGHT = 2, 3
"""The number of cells, in each direction, within which a nearer surface must appear."""

BEHIND, BEHIND_SHARE = 1.0, 0.05
"""How far [m, and share of its own distance] a hidden point is behind the surface; less is the inside of a car."""

SAME, SAME_SHARE = 1.0, 0.03
"""How much [m, and share of the distance] two sides of one surface may differ."""

_NOTHING = np.float32(1e6)


def hidden(projection: Projection, focal: float) -> NDArray[np.bool_]:
    """(M,) whether each point is behind a surface that appears on both sides of it, left and right or above and below.

    focal: focal length in pixels. How near both sides must be depends on the sweep's own spacing, for any LiDAR. Not
    exact: on simulated streets, 60 to 80 % of the points that something hides from the camera are found if
    32 to 128 beams or a solid-state LiDAR are 1.2 m above it, and nearly half with 16 beams, since a surface's rim is
    as wide as the gap between two beams; and of the points that the camera sees, 1 to 2 % are taken for hidden, at rims
    and in leaves. After Pintus, Gobbetti and Agus, "Real-time rendering of massive unstructured raw point clouds using
    screen-space operators" (VAST 2011), who require a free cone towards the camera.
    """
    cell = np.maximum(np.multiply(CELL, spacing(projection, focal)), FINEST)
    size = np.maximum(cell * focal, 1.0).astype(np.float32)
    width, height = int(projection.width / size[0]) + 1, int(projection.height / size[1]) + 1
    column, row = ((projection.uv + np.float32(0.5)) / size).astype(np.intp).T
    cells = row * width + column
    nearest = np.full(width * height, _NOTHING)
    np.minimum.at(nearest, cells, projection.depth)
    image = nearest.reshape(height, width)
    sides = _between(image, np.ones((1, ACROSS), np.uint8)), _between(image, np.ones((UPRIGHT, 1), np.uint8))
    return np.minimum(*sides).ravel()[cells] < projection.depth * np.float32(1 - BEHIND_SHARE) - np.float32(BEHIND)


def spacing(projection: Projection, focal: float) -> tuple[float, float]:
    """Radians between neighbouring points as the camera sees them, across and upright; at most WIDEST, 0 for none.

    Across: from point to point in strips so low that they contain one beam. Upright: from beam to beam in strips so
    narrow that each beam has a point or two in them: half of the height of a strip consists of gaps of at most this
    size.
    """
    across, upright = (projection.uv / np.float32(focal)).astype(np.float64).T
    steps = np.sort(_gaps(across, upright / STRIP))
    step = min(float(steps[len(steps) // 2]), WIDEST[0]) if len(steps) else 0.0
    if not step:
        return 0.0, 0.0
    beams = np.sort(_gaps(upright, across / (1.5 * step)))
    covered = np.cumsum(beams)
    return step, min(float(beams[np.searchsorted(covered, covered[-1] / 2)]), WIDEST[1]) if len(beams) else 0.0


def hidden_from_camera(frame: Frame, projection: Projection) -> NDArray[np.bool_]:
    """`hidden` for the points of a frame. projection: of them, at the frame's size."""
    assert frame.camera is not None  # every frame with points has it
    return hidden(projection, float(frame.camera.resized(*frame.size).intrinsics[0, 0]))


def label_points(
    frame: Frame, projection: Projection, labels: NDArray[np.uint8], confidence: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N,) class ids of the frame's N points, and (N,) their confidence: those of each point's pixel; 255 and 0 if the
    camera does not see the point.

    projection: of the frame's points, at its size. labels, confidence: (H, W) of that size.
    """
    assert frame.points is not None
    seen = ~hidden_from_camera(frame, projection)
    rows, pixels = projection.rows[seen], projection.pixels[seen]
    point_labels = np.full(len(frame.points), UNLABELLED, np.uint8)
    point_confidence = np.zeros_like(point_labels)
    point_labels[rows], point_confidence[rows] = labels.ravel()[pixels], confidence.ravel()[pixels]
    return point_labels, point_confidence


def _gaps(along: NDArray[np.float64], strip: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) the distances between neighbours `along` (M,) in some whole strips; `strip` (M,): the strip of each."""
    number = np.floor(strip).astype(np.int32)
    some = number % max(1, len(number) // SOME) == 0
    apart = 64.0  # far more than the width of any image
    order = np.sort(number[some] * apart + along[some])
    gaps = np.diff(order)
    return np.asarray(gaps[gaps < apart / 2], np.float64)


def _between(nearest: NDArray[np.float32], reach: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of the surface that appears on both sides of each cell, within `reach`; a large one for none."""
    axis = int(np.argmax(reach.shape))
    before = np.insert(reach, reach.shape[axis], 0, axis)  # the cell itself is on neither side
    after = np.flip(before)
    constant, nothing = cv2.BORDER_CONSTANT, float(_NOTHING)
    end = (before.shape[1] - 1, before.shape[0] - 1)
    one = cv2.erode(nearest, before, anchor=end, borderType=constant, borderValue=nothing)
    other = cv2.erode(nearest, after, anchor=(0, 0), borderType=constant, borderValue=nothing)
    same = np.abs(one - other) < SAME + SAME_SHARE * one
    return np.where(same, np.maximum(one, other), _NOTHING)
