# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.sensors.sweeps import echoes, with_echo


def sweep(*points: tuple[float, ...]) -> np.ndarray:
    return np.array(points, np.float32)


def test_where_all_have_an_echo_nothing_is_copied() -> None:
    points = sweep((1, 2, 3, 0.5), (9, 0, 0, 0.0))
    assert echoes(points) is None
    assert with_echo(points) is points


def test_a_point_on_an_axis_has_one() -> None:
    points = sweep((0, 0, -1, 0.5), (0, 5, 0, 0.0), (2, 0, 0, 0.1))
    assert with_echo(points).tolist() == points.tolist()


def test_points_at_the_sensor_and_at_no_place_have_none() -> None:
    nan, inf = np.nan, np.inf
    points = sweep((0, 0, 0, 0.9), (nan, nan, nan, 0), (1, inf, 3, 0), (-0.0, 0, 0, 0), (0, 0, 2, 0.1), (1, 2, 3, 0.2))
    assert with_echo(points).tolist() == points[4:].tolist()


def test_a_point_without_an_intensity_is_a_point() -> None:
    points = sweep((1, 2, 3, np.nan), (np.nan, 0, 0, np.nan), (4, 5, 6, 0.5))
    assert with_echo(points).tolist() == [[1, 2, 3, 0], [4, 5, 6, 0.5]]
