# SPDX-License-Identifier: Apache-2.0
"""The labelled sweep from above, road and obstacles, in the form of nav_msgs/OccupancyGrid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import Frame
from perception.ground import Ground
from perception.sensors.ground import expected_or_fitted

FREE, OCCUPIED, UNKNOWN = 0, 100, -1


def near_ground(frame: Frame, fitted: Ground | None, lowest: float, highest: float) -> NDArray[np.bool_]:
    """(N,) which of the frame's N points are `lowest` to `highest` [m] above the ground; all if it is unknown.

    fitted: the plane fitted to the frame; it is used unless it contradicts the expected ground.
    """
    assert frame.points is not None
    assert frame.lidar_to_camera is not None  # every frame with points has it
    ground = expected_or_fitted(fitted, frame.ground)
    if ground is None:
        return np.ones(len(frame.points), np.bool_)
    up = (ground.up @ frame.lidar_to_camera[:3, :3]).astype(np.float32)
    height = frame.points[:, :3] @ up + np.float32(ground.up @ frame.lidar_to_camera[:3, 3] + ground.height)
    return np.asarray((height >= lowest) & (height <= highest))


def road_grid(
    points: NDArray[np.floating[Any]], labels: NDArray[np.uint8], resolution: float, size: float
) -> NDArray[np.int8]:
    """(n, n) int8 from above, row by row along y and column by column along x, the vehicle in the middle.

    points: (N, 3) x forward, y left, z up [m]. labels: (N,) class of each, of the first four, 255 for points that the
    camera does not see. resolution, size: of a cell and of the whole grid [m]. A cell is OCCUPIED if any point is of a
    vehicle or a pedestrian, or most are of no class; FREE if most are road; UNKNOWN without points.
    """
    cells = max(1, round(size / resolution))
    index = np.floor(points[:, :2] / resolution + cells / 2)
    seen = ((index >= 0) & (index < cells)).all(1) & (labels != UNLABELLED)
    columns, rows = index[seen].astype(np.int64).T
    place, labels = rows * cells + columns, labels[seen]

    def count(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(place[chosen], minlength=cells * cells)

    everything, road = count(np.ones(len(labels), np.bool_)), count(labels == ROAD)
    obstacles = count(np.isin(labels, (VEHICLE, PEDESTRIAN)))
    grid = np.where(2 * road > everything, FREE, OCCUPIED)
    grid[obstacles > 0] = OCCUPIED
    grid[everything == 0] = UNKNOWN
    return grid.astype(np.int8).reshape(cells, cells)
