# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.sensors.motion import displacement, move_points

speeds = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3).map(np.array)


def test_straight_ahead() -> None:
    np.testing.assert_allclose(displacement(np.array([20.0, 0, 0]), np.zeros(3), 0.05)[:3, 3], [1.0, 0, 0])


def test_a_quarter_turn_to_the_left_ends_ahead_and_left() -> None:
    """A circle of radius 1 m, driven for a quarter."""
    pose = displacement(np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), np.pi / 2)
    np.testing.assert_allclose(pose[:3, 3], [1.0, 1.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(pose[:3, 0], [0.0, 1.0, 0.0], atol=1e-9)


@given(speeds, speeds, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_motion_composes(linear: np.ndarray, angular: np.ndarray, first: float, second: float) -> None:
    whole = displacement(linear, angular, first + second)
    parts = displacement(linear, angular, first) @ displacement(linear, angular, second)
    np.testing.assert_allclose(whole, parts, atol=1e-6)


@given(speeds, speeds)
def test_small_steps_add_up_to_it(linear: np.ndarray, angular: np.ndarray) -> None:
    """Euler's method, without the exponential."""
    pose, step = np.eye(4), 1e-4
    x, y, z = angular * step
    small = np.eye(4)
    small[:3] = [[1, -z, y, linear[0] * step], [z, 1, -x, linear[1] * step], [-y, x, 1, linear[2] * step]]
    pose = np.linalg.matrix_power(small, 1000)
    np.testing.assert_allclose(displacement(linear, angular, 0.1)[:3], pose[:3], atol=1e-3)


def test_many_instants_at_once() -> None:
    seconds = np.array([-0.1, 0.0, 1e-6, 0.4])
    linear, angular = np.array([[20.0, 1, 0]] * 4), np.array([[0.1, -0.2, 0.5]] * 4)
    together = displacement(linear, angular, seconds)
    for number, each in enumerate(seconds):
        np.testing.assert_allclose(together[number], displacement(linear[0], angular[0], float(each)), atol=1e-12)


def test_points_are_moved_by_their_own_pose() -> None:
    points = np.arange(24, dtype=np.float32).reshape(6, 4)
    place = np.array([2, 0, 1, 1, 0, 2])
    poses = displacement(np.array([[20.0, 1, 0]] * 3), np.array([[0, 0, 0.5]] * 3), np.array([0.0, 0.05, 0.1]))
    wanted = np.einsum("nij,nj->ni", poses[place][:, :3, :3], points[:, :3]) + poses[place][:, :3, 3]
    intensity = points[:, 3].copy()
    move_points(points, place, poses)
    np.testing.assert_allclose(points[:, :3], wanted, rtol=1e-6)
    np.testing.assert_array_equal(points[:, 3], intensity)
