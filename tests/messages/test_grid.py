# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from helpers.readers.nav2 import FREE_SPACE, LETHAL_OBSTACLE, NO_INFORMATION, costs
from hypothesis import given
from hypothesis import strategies as st

from perception.classes import FOREGROUND, UNLABELLED
from perception.frame import CameraModel, Frame
from perception.ground import Ground
from perception.messages.grid import FREE, OCCUPIED, UNKNOWN, near_ground, road_grid

ROAD, VEHICLE, PEDESTRIAN = (FOREGROUND[name] for name in ("road", "vehicle", "pedestrian"))


def test_x_is_columns_and_y_is_rows_from_the_right() -> None:
    points = np.array([[3.5, 0.5, 0], [3.5, -1.5, 0], [-3.5, 0.5, 1], [0.5, 0.5, 0], [9.0, 0, 0]])
    grid = road_grid(points, np.array([ROAD, VEHICLE, 0, UNLABELLED, ROAD], np.uint8), 1.0, 8.0)
    assert grid.shape == (8, 8)
    assert grid.dtype == np.int8
    assert (grid[4, 7], grid[2, 7], grid[4, 0]) == (FREE, OCCUPIED, OCCUPIED)
    assert (grid != UNKNOWN).sum() == 3


def test_one_point_of_a_vehicle_outweighs_the_road_under_it() -> None:
    points = np.zeros((10, 3))
    labels = np.full(10, ROAD, np.uint8)
    assert road_grid(points, labels, 1.0, 2.0)[1, 1] == FREE
    labels[:4] = 0
    assert road_grid(points, labels, 1.0, 2.0)[1, 1] == FREE
    labels[0] = VEHICLE
    assert road_grid(points, labels, 1.0, 2.0)[1, 1] == OCCUPIED


@pytest.mark.parametrize("trinary", [True, False])
def test_to_nav2_the_road_is_free_things_are_lethal_and_the_rest_is_unknown(trinary: bool) -> None:
    points = np.array([[0.5, 0.5, 0], [1.5, 0.5, 0], [2.5, 0.5, 0], [3.5, 0.5, 0], [4.5, 0.5, 0]])
    grid = road_grid(points, np.array([ROAD, VEHICLE, PEDESTRIAN, 0, UNLABELLED], np.uint8), 1.0, 12.0)
    found = costs(grid, trinary=trinary)
    assert found[6, 6:12].tolist() == [FREE_SPACE, *[LETHAL_OBSTACLE] * 3, NO_INFORMATION, NO_INFORMATION]
    assert (found == NO_INFORMATION).sum() == 12 * 12 - 4
    assert costs(grid, trinary=trinary, track_unknown=False)[6, 10] == FREE_SPACE


@given(st.integers(0, 2**32 - 1), st.integers(0, 300))
def test_every_cell_is_what_its_points_say(seed: int, count: int) -> None:
    """Against a loop over the points."""
    rng = np.random.default_rng(seed)
    points, labels = rng.uniform(-6, 6, (count, 3)), rng.choice([0, 1, 2, 3, 255], count).astype(np.uint8)
    wanted = np.full((8, 8), UNKNOWN)
    cells: dict[tuple[int, int], list[int]] = {}
    for (x, y, _), label in zip(points, labels, strict=True):
        if abs(x) < 4 and abs(y) < 4 and label != UNLABELLED:
            cells.setdefault((int(y + 4), int(x + 4)), []).append(int(label))
    for cell, found in cells.items():
        free = not {2, 3} & set(found) and 2 * found.count(ROAD) > len(found)
        wanted[cell] = FREE if free else OCCUPIED
    np.testing.assert_array_equal(road_grid(points, labels, 1.0, 8.0), wanted)


AXES = np.array([[0, -1, 0, 0], [0, 0, -1, -0.2], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])
"""A LiDAR 0.2 m above the camera and 0.3 m behind it."""


def under_a_tree(ground: Ground | None = None) -> Frame:
    """The road, a lorry's side, leaves and a mirror's echo, all in view of a camera 1.65 m up, the LiDAR at 1.85 m."""
    above = np.array([0.0, 2.0, 5.7, -3.0])
    points = np.stack([np.full(4, 10.0), np.zeros(4), above - 1.85, np.ones(4)], 1).astype(np.float32)
    camera = CameraModel(np.array([[500, 0, 320], [0, 500, 240], [0, 0, 1.0]]), 640, 480)
    return Frame(0, points=points, camera=camera, lidar_to_camera=AXES, ground=ground)


def test_leaves_above_the_road_and_echoes_below_it_occupy_nothing() -> None:
    mounted = Ground.mounted(1.65)
    for frame, fitted in ((under_a_tree(), mounted), (under_a_tree(mounted), None)):
        kept = near_ground(frame, fitted, -1.0, 2.5)
        assert kept.tolist() == [True, True, False, False]
    assert frame.points is not None
    labels = np.zeros(4, np.uint8)
    grid = road_grid(frame.points[:, :3], labels, 1.0, 40.0)
    assert (grid == OCCUPIED).sum() == 1
    leaves = near_ground(frame, mounted, -1.0, 2.5) & [False, False, True, True]
    assert (road_grid(frame.points[leaves, :3], labels[leaves], 1.0, 40.0) == UNKNOWN).all()


def test_heights_go_by_the_plane_and_not_by_the_lidar() -> None:
    """A camera that looks down by 5°: 10 m ahead of it, what is on its axis is 0.87 m lower."""
    frame = under_a_tree()
    tilted = Ground.mounted(1.65, pitch=np.radians(5.0))
    assert near_ground(frame, tilted, 0.9, 1.2).tolist() == [False, True, False, False]


def test_where_no_ground_is_known_every_point_counts() -> None:
    assert near_ground(under_a_tree(), None, -1.0, 2.5).all()
