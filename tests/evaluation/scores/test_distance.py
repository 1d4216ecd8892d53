# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.evaluation.scores.distance import DistanceBands, distance_map
from perception.frame import CameraModel, Frame

CAMERA = CameraModel(np.array([[10.0, 0, 2], [0, 10, 1], [0, 0, 1]]), 4, 2)
MOUNT = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])


def test_a_pixel_belongs_to_the_band_of_its_distance_and_bounds_to_the_farther() -> None:
    bands = DistanceBands()
    distance = np.array([[14.9, 15, 29, 30, 60, np.nan]], np.float32)
    bands.update(np.ones((1, 6), np.uint8), np.array([[1, 1, 2, 1, 1, 1]], np.uint8), distance)
    found = bands.scores()
    assert {band: each.pixels for band, each in found.items()} == {
        "0–15 m": 1,
        "15–30 m": 2,
        "30–60 m": 1,
        "over 60 m": 1,
    }
    assert found["15–30 m"].iou["road"] == 0.5


def test_depth_goes_before_the_laser_and_the_nearest_point_counts() -> None:
    points = np.array([[20, 0, 0, 0], [10, 0, 0, 0], [10, 1, 0, 0]], np.float32)  # ahead twice, and 1 m to the left
    depth = np.full((2, 4), np.nan, np.float32)
    depth[0, 0] = 5
    seen = distance_map(Frame(0, depth=depth, points=points, camera=CAMERA, lidar_to_camera=MOUNT), 4, 2)
    nan = np.nan
    np.testing.assert_allclose(seen, [[5, nan, nan, nan], [nan, 10, 10, nan]])


def test_a_camera_alone_knows_no_distance() -> None:
    assert distance_map(Frame(0, rgb=np.zeros((2, 4, 3), np.uint8)), 4, 2) is None
