# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.classes import FOREGROUND, UNLABELLED
from perception.ros.grid import FREE, OCCUPIED, UNKNOWN, road_grid

ROAD, VEHICLE = FOREGROUND["road"], FOREGROUND["vehicle"]


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
