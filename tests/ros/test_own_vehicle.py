# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.ros.own_vehicle import OwnVehicle


@given(st.integers(0, 2**32 - 1), st.floats(-180, 180))
def test_what_is_left_is_outside_the_box_however_the_lidar_is_turned(seed: int, degrees: float) -> None:
    points = np.random.default_rng(seed).uniform(-6, 6, (300, 4)).astype(np.float32)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    mount = np.array([[cosine, -sine, 0, 1.2], [sine, cosine, 0, 0.3], [0, 0, 1, 1.9], [0, 0, 0, 1]])
    there = points[:, :3] @ mount[:3, :3].T + mount[:3, 3]
    inside = ((there > [-1, -1, 0]) & (there < [4, 1, 2])).all(1)
    left = OwnVehicle("base_link", (-1.0, 4.0, -1.0, 1.0, 0.0, 2.0)).outside(points, mount)
    np.testing.assert_array_equal(left, points[~inside])


def test_a_box_without_a_volume_holds_nothing() -> None:
    points = np.zeros((3, 4), np.float32)
    assert OwnVehicle("", (0.0,) * 6).outside(points) is points
    assert not len(OwnVehicle().outside(points))
