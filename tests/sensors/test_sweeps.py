# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.sensors.sweeps import echoes, with_echo

NAN, INF = np.nan, np.inf


def test_what_has_no_echo_is_left_out_and_points_straight_beside_the_sensor_stay() -> None:
    points = np.float32(
        [
            [5, 1, 2, 0.5],
            [0, 0, 0, 0.5],
            [0, 3, 0, 0.5],
            [0, 0, -2, 0.5],
            [NAN, 1, 2, 0.5],
            [1, INF, 2, 0.5],
            [0, NAN, 0, 0.5],
            [4, 1, 2, NAN],
        ]
    )
    np.testing.assert_array_equal(echoes(points.copy()), [True, False, True, True, False, False, False, True])
    left = with_echo(points)
    np.testing.assert_array_equal(left, np.float32([[5, 1, 2, 0.5], [0, 3, 0, 0.5], [0, 0, -2, 0.5], [4, 1, 2, 0]]))


def test_a_sweep_in_which_every_point_has_an_echo_is_not_copied() -> None:
    points = np.float32([[5, 1, 2, 0.5], [0, 3, 0, 0.5]])
    assert echoes(points) is None
    assert with_echo(points) is points
