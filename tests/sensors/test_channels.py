# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.frame import CameraModel
from perception.sensors.channels import depth_channels, height_code, infrared_channels, lidar_channels, log_depth
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


def test_depth_and_lidar_agree_on_the_same_surface() -> None:
    depth = np.full((40, 80), 10, np.float32)
    v, u = np.mgrid[0:40, 0:80]
    x, y = (u - 39.5) * 10 / 70, (v - 19.5) * 10 / 70
    points = np.stack([np.full_like(x, 10), -x, -y, np.full_like(x, 0.5)], -1).reshape(-1, 4).astype(np.float32)
    by_depth = depth_channels(depth, CAMERA, 80, 40)
    by_lidar = lidar_channels(points, project(points, FORWARD, CAMERA), 80, 40)
    assert (by_lidar[3] == 255).all()
    assert np.abs(by_depth[:2].astype(int) - by_lidar[:2].astype(int)).max() <= 1
    assert set(np.unique(by_lidar[2])) == {127}


def test_invalid_depth_is_zero_in_every_channel() -> None:
    depth = np.full((40, 80), 10, np.float32)
    depth[:20] = np.nan
    depth[20] = np.inf
    depth[21] = 0
    channels = depth_channels(depth, CAMERA, 80, 40)
    assert not channels[:, :22].any()
    assert channels[:, 22:].all()


def test_depth_without_a_camera_has_no_height() -> None:
    channels = depth_channels(np.full((4, 4), 5, np.float32), None, 4, 4)
    assert channels[0].all()
    assert not channels[1].any()


def test_16_bit_infrared_is_stretched_and_8_bit_is_kept() -> None:
    ramp = np.linspace(20000, 30000, 64 * 64).reshape(64, 64).astype(np.uint16)
    stretched = infrared_channels(ramp, 64, 64)
    assert stretched.min() == 0
    assert stretched.max() == 255
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(infrared_channels(grey, 16, 16)[0], grey)


def test_infrared_of_one_temperature_is_not_amplified_noise() -> None:
    flat = np.full((64, 64), 20000, np.uint16) + np.random.default_rng(0).integers(0, 4, (64, 64), np.uint16)
    assert infrared_channels(flat, 64, 64).max() < 20
