# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perception.errors import FrameError
from perception.frame import CameraModel
from perception.ground import Ground
from perception.sensors.ground import GroundTracker, depth_points, expected_or_fitted, fit_ground, sweep_points

CAMERA = CameraModel(np.array([[350.0, 0, 319.5], [0, 350, 119.5], [0, 0, 1]]), 640, 240)


def road(ground: Ground, seed: int, count: int = 4000) -> NDArray[np.float32]:
    """(N, 3) points of a street in the optical frame: the road, a wall beside it, and a car's side and roof on it."""
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(-8, 8, count), rng.uniform(3, 28, count)
    up, height = ground.up, ground.height
    y = -(height + up[0] * x + up[2] * z) / up[1]
    flat = np.stack([x, y, z], 1) + rng.normal(0, 0.02, (count, 3))
    wall = np.stack([np.full(count // 3, 7.0), rng.uniform(-3, height, count // 3), rng.uniform(3, 28, count // 3)], 1)
    roof = np.stack([rng.uniform(1, 3, 500), np.full(500, height - 1.5), rng.uniform(8, 12, 500)], 1)
    side = np.stack([np.full(500, 1.0), rng.uniform(height - 1.5, height - 0.3, 500), rng.uniform(8, 12, 500)], 1)
    return np.concatenate([flat, wall, roof, side]).astype(np.float32)


@given(st.floats(0.5, 2.6), st.floats(-6, 6), st.floats(-3, 3), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_finds_how_a_camera_is_mounted(height: float, pitch: float, roll: float, seed: int) -> None:
    true = Ground.mounted(height, np.radians(pitch), np.radians(roll))
    found = fit_ground(road(true, seed))
    assert found is not None
    assert found.height == pytest.approx(height, abs=0.05)
    assert np.degrees(found.pitch) == pytest.approx(pitch, abs=0.4)
    assert np.degrees(found.roll) == pytest.approx(roll, abs=0.4)


def test_a_camera_that_looks_down_sees_the_road_rise_towards_the_horizon() -> None:
    ground = Ground.mounted(1.5, np.radians(10))
    straight_ahead = np.array([[0, 0, 5]], np.float32)  # along the optical axis, which meets the road after 8.6 m
    assert ground.above(straight_ahead)[0] == pytest.approx(1.5 - 5 * np.sin(np.radians(10)), abs=1e-5)
    assert ground.pitch == pytest.approx(np.radians(10))
    leaning = Ground.mounted(1.5, 0, np.radians(5))
    to_the_right = np.array([[2, 0, 5]], np.float32)
    assert leaning.above(to_the_right)[0] == pytest.approx(1.5 - 2 * np.sin(np.radians(5)), abs=1e-5)
    assert leaning.mirrored().roll == pytest.approx(-np.radians(5))


def test_no_ground_where_too_little_of_it_is_seen() -> None:
    rng = np.random.default_rng(0)
    assert fit_ground(np.zeros((0, 3), np.float32)) is None
    wall = np.stack([rng.uniform(-5, 5, 4000), rng.uniform(-3, 1.6, 4000), np.full(4000, 6.0)], 1)
    assert fit_ground(wall.astype(np.float32)) is None
    assert fit_ground(road(Ground.mounted(9.0), 0)) is None  # no vehicle is so high


@pytest.mark.parametrize("off", [0.0, 1.5, 9.0])
def test_it_finds_the_ground_from_an_expected_one_near_or_far(off: float) -> None:
    true = Ground.mounted(1.4, np.radians(2), np.radians(-1))
    expected = Ground.mounted(1.4 + 0.1 * off, np.radians(2 + off))
    found = fit_ground(road(true, 5), "lidar", expected)
    assert found is not None
    assert found.height == pytest.approx(1.4, abs=0.04)
    assert found.angle_to(true) < np.radians(0.3)


def test_a_roof_is_not_the_ground() -> None:
    rng = np.random.default_rng(1)
    true = Ground.mounted(2.5)
    few = road(true, 1, 900)
    roofs = np.stack([rng.uniform(-6, 6, 2500), np.full(2500, 1.0), rng.uniform(4, 25, 2500)], 1)
    found = fit_ground(np.concatenate([few, roofs]).astype(np.float32))
    assert found is not None
    assert found.height == pytest.approx(2.5, abs=0.05)


def test_depth_and_sweep_show_the_same_ground() -> None:
    true = Ground.mounted(1.2, np.radians(3), np.radians(-2))
    v, u = np.mgrid[0:240, 0:640]
    rays = np.stack([(u - 319.5) / 350, (v - 119.5) / 350, np.ones_like(u, float)], -1)
    with np.errstate(divide="ignore"):
        depth = -1.2 / (rays @ true.up)
    depth = np.where((depth > 0) & (depth < 60), depth, np.nan).astype(np.float32)
    by_depth = fit_ground(depth_points(depth, CAMERA), "depth")
    assert by_depth is not None
    assert by_depth.source == "depth"
    assert by_depth.height == pytest.approx(1.2, abs=0.01)
    assert by_depth.angle_to(true) < np.radians(0.2)
    to_camera = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0.3], [1, 0, 0, 0.1], [0, 0, 0, 1]])
    optical = road(true, 3)
    lidar = (np.c_[optical, np.ones(len(optical))] @ np.linalg.inv(to_camera).T).astype(np.float32)
    np.testing.assert_allclose(sweep_points(lidar, to_camera), optical, atol=1e-4)


def test_the_expected_ground_stands_in_and_holds_against_one_that_is_far_off() -> None:
    expected = Ground.mounted(1.65, np.radians(1))
    near = Ground.mounted(1.75, np.radians(2))
    off = Ground.mounted(0.8, np.radians(-5))
    assert expected_or_fitted(None, None) is None
    assert expected_or_fitted(None, expected) is expected
    assert expected_or_fitted(near, None) is near
    assert expected_or_fitted(off, expected) is expected
    between = expected_or_fitted(near, expected)
    assert between is not None
    assert between.height == pytest.approx(1.7)
    assert np.degrees(between.pitch) == pytest.approx(1.5, abs=0.01)


def test_a_tracker_follows_slowly_and_gives_in_to_what_stays() -> None:
    tracker = GroundTracker()
    assert tracker.expected is None
    for _ in range(5):
        tracker.add(Ground.mounted(1.65))
    tracker.add(Ground.mounted(0.8))  # one frame's nonsense
    assert tracker.expected is not None
    assert tracker.expected.height == pytest.approx(1.65)
    for _ in range(8):
        tracker.add(Ground.mounted(0.8))  # the camera was moved
    assert tracker.expected.height == pytest.approx(0.8, abs=0.01)
    told = GroundTracker(Ground.mounted(2.0))
    told.add(Ground.mounted(1.0))
    assert told.expected is not None
    assert told.expected.height == 2.0


def test_a_ground_without_a_normal_is_refused() -> None:
    with pytest.raises(FrameError, match="expected finite numbers"):
        Ground(np.zeros(3), 1.0)
