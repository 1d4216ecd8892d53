# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.assembly.own_vehicle import OwnVehicle
from perception.messages.clouds import Sweep


@given(st.integers(0, 2**32 - 1), st.floats(-180, 180))
def test_what_is_found_is_in_the_box_however_the_lidar_is_turned(seed: int, degrees: float) -> None:
    points = np.random.default_rng(seed).uniform(-6, 6, (300, 4)).astype(np.float32)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    mount = np.array([[cosine, -sine, 0, 1.2], [sine, cosine, 0, 0.3], [0, 0, 1, 1.9], [0, 0, 0, 1]])
    there = points[:, :3] @ mount[:3, :3].T + mount[:3, 3]
    inside = ((there > [-1, -1, 0]) & (there < [4, 1, 2])).all(1)
    found = OwnVehicle("base_link", (-1.0, 4.0, -1.0, 1.0, 0.0, 2.0)).inside(points, mount)
    np.testing.assert_array_equal(found, np.flatnonzero(inside))


def test_a_box_without_a_volume_holds_nothing() -> None:
    points = np.zeros((3, 4), np.float32)
    assert not len(OwnVehicle("", (0.0,) * 6).inside(points))
    assert len(OwnVehicle().inside(points)) == 3


def test_points_and_their_times_go_together() -> None:
    sweep = Sweep(np.arange(12, dtype=np.float32).reshape(3, 4), np.arange(3, dtype=np.uint32), "t")
    left = sweep.without(np.array([1]))
    assert left.points[:, 0].tolist() == [0, 8]
    assert left.times is not None
    assert left.times.tolist() == [0, 2]
    assert sweep.without(np.array([], np.intp)) is sweep
