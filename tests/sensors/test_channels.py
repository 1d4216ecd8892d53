# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.frame import CameraModel
from perception.ground import Ground
from perception.sensors.channels import HEIGHT_RANGE, depth_channels, height_code, lidar_channels, log_depth
from perception.sensors.projection import project

CAMERA = CameraModel(np.array([[70.0, 0, 39.5], [0, 70, 19.5], [0, 0, 1]]), 80, 40)
FORWARD = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


@given(st.floats(1, 100), st.floats(1, 100))
def test_log_depth_keeps_the_order_and_never_says_invalid(a: float, b: float) -> None:
    near, far = log_depth(np.array([min(a, b), max(a, b)], np.float32))
    assert 1 <= near <= far


@given(st.floats(1, 100))
def test_log_depth_resolves_two_percent(metres: float) -> None:
    code = log_depth(np.array([metres], np.float32)).astype(float) - 1
    decoded = 100 ** (code / 254)
    assert abs(decoded[0] / metres - 1) < 0.02


@given(st.floats(-50, 50))
def test_height_code_is_never_zero(metres: float) -> None:
    assert height_code(np.array([metres], np.float32))[0] >= 1


@pytest.mark.parametrize(("height", "pitch", "roll"), [(1.65, 0, 0), (0.6, 4, -2), (2.6, -5, 3)])
def test_depth_and_lidar_agree_on_the_same_surface(height: float, pitch: float, roll: float) -> None:
    ground = Ground.mounted(height, np.radians(pitch), np.radians(roll))
    depth = np.full((40, 80), 10, np.float32)
    v, u = np.mgrid[0:40, 0:80]
    x, y = (u - 39.5) * 10 / 70, (v - 19.5) * 10 / 70
    points = np.stack([np.full_like(x, 10), -x, -y, np.full_like(x, 0.5)], -1).reshape(-1, 4).astype(np.float32)
    by_depth = depth_channels(depth, CAMERA, ground, 80, 40)
    by_lidar = lidar_channels(points, project(points, FORWARD, CAMERA), ground, 80, 40)
    assert (by_lidar[3] == 255).all()
    assert np.abs(by_depth[:2].astype(int) - by_lidar[:2].astype(int)).max() <= 1
    assert set(np.unique(by_lidar[2])) == {127}


@pytest.mark.parametrize(("height", "pitch", "roll"), [(1.65, 0, 0), (0.5, 6, -3), (2.6, -6, 3)])
def test_the_road_has_height_zero_wherever_the_camera_hangs(height: float, pitch: float, roll: float) -> None:
    ground = Ground.mounted(height, np.radians(pitch), np.radians(roll))
    rays = np.stack([*np.meshgrid((np.arange(80) - 39.5) / 70, (np.arange(40) - 19.5) / 70), np.ones((40, 80))], -1)
    with np.errstate(divide="ignore"):
        depth = -height / (rays @ ground.up)
    depth = np.where((depth > 0) & (depth < 80), depth, np.nan).astype(np.float32)
    heights = depth_channels(depth, CAMERA, ground, 80, 40)[1]
    zero = height_code(np.zeros(1, np.float32))[0]
    assert np.isfinite(depth).any()
    assert set(np.unique(heights[np.isfinite(depth)])) <= {zero - 1, zero, zero + 1}
    assert HEIGHT_RANGE[0] < 0 < HEIGHT_RANGE[1]


def test_invalid_depth_is_zero_in_every_channel() -> None:
    depth = np.full((40, 80), 10, np.float32)
    depth[:20] = np.nan
    depth[20] = np.inf
    depth[21] = 0
    channels = depth_channels(depth, CAMERA, Ground.mounted(1.65), 80, 40)
    assert not channels[:, :22].any()
    assert channels[:, 22:].all()


def test_without_a_camera_or_a_ground_there_is_no_height() -> None:
    depth = np.full((40, 80), 5, np.float32)
    for camera, ground in ((None, Ground.mounted(1.65)), (CAMERA, None)):
        channels = depth_channels(depth, camera, ground, 80, 40)
        assert channels[0].all()
        assert not channels[1].any()
    points = np.array([[10, 0, 0, 1]], np.float32)
    assert not lidar_channels(points, project(points, FORWARD, CAMERA), None, 80, 40)[1].any()
