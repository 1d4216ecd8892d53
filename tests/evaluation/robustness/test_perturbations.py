# SPDX-License-Identifier: Apache-2.0
"""Sensors that fail: what is changed, what is not, and that the frame given stays whole."""

from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.robustness import damage
from perception.evaluation.robustness import perturbations as change
from perception.frame import CameraModel, Frame

CAMERA = CameraModel(np.array([[40.0, 0, 32], [0, 40, 24], [0, 0, 1]]), 64, 48)


@pytest.fixture
def frame() -> Frame:
    rng = np.random.default_rng(1)
    points = rng.uniform((2, -5, -2, 0), (40, 5, 1, 1), (4000, 4)).astype(np.float32)
    return Frame(
        1_000_000_000,
        rgb=rng.integers(1, 255, (48, 64, 3), np.uint8),
        depth=rng.uniform(5, 50, (48, 64)).astype(np.float32),
        infrared=rng.integers(20_000, 30_000, (48, 64)).astype(np.uint16),
        points=points,
        camera=CAMERA,
        lidar_to_camera=np.eye(4),
    )


def apply(what: change.Change, frame: Frame, earlier: Frame | None = None) -> Frame | None:
    before = {name: np.copy(getattr(frame, name)) for name in ("rgb", "depth", "infrared", "points")}
    changed = what(change.Moment(frame, np.random.default_rng(0), lambda seconds: earlier))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(frame, name), value)
    return changed


def test_what_is_lost_at_random_has_its_share(frame):
    lost = apply(change.drop_at_random(["rgb", "depth", "infrared", "lidar"], 0.25), frame)
    assert np.isnan(lost.depth).mean() == pytest.approx(0.25, abs=0.04)
    assert len(lost.points) / len(frame.points) == pytest.approx(0.75, abs=0.04)
    assert (lost.rgb != frame.rgb).mean() == pytest.approx(0.25, abs=0.03)
    assert (lost.infrared != frame.infrared).mean() == pytest.approx(0.25, abs=0.04)
    assert lost.infrared.dtype == np.uint16


def test_only_the_damaged_sensors_lose_anything(frame):
    lost = apply(change.drop_at_random(["depth"], 0.5), frame)
    np.testing.assert_array_equal(lost.rgb, frame.rgb)
    np.testing.assert_array_equal(lost.points, frame.points)
    assert np.isnan(lost.depth).any()


def test_salt_and_pepper_reaches_every_sensor(frame):
    noisy = apply(change.salt_and_pepper(0.2), frame)
    assert (noisy.rgb == 0).mean() == pytest.approx(0.1, abs=0.02)
    assert (noisy.rgb == 255).mean() == pytest.approx(0.1, abs=0.02)
    assert np.isin(noisy.depth, damage.RANGES).mean() == pytest.approx(0.2, abs=0.04)
    assert noisy.infrared.max() == frame.infrared.max()
    ways = [
        points[:, :3] / np.linalg.norm(points[:, :3], axis=1, keepdims=True) for points in (frame.points, noisy.points)
    ]
    np.testing.assert_allclose(ways[0], ways[1], atol=1e-5)  # points stay on their rays
    assert (noisy.points[:, :3] != frame.points[:, :3]).any(axis=1).mean() == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("beams", [16, 32])
def test_fewer_beams(frame, beams):
    elevation = np.deg2rad(np.repeat(change.HDL64_ELEVATIONS, 3))
    points = np.zeros((len(elevation), 4), np.float32)
    points[:, 0], points[:, 2] = 20 * np.cos(elevation), 20 * np.sin(elevation)
    frame.points = points
    kept = apply(change.fewer_beams(beams), frame).points
    assert len(kept) == 3 * beams
    assert kept[:, 2].max() == points[:, 2].max()


@pytest.mark.parametrize("degrees", [0.5, 2.0])
def test_a_rotated_lidar_has_turned_by_that_angle(frame, degrees):
    turned = apply(change.rotated_lidar(degrees), frame)
    rotation = turned.lidar_to_camera[:3, :3]
    assert np.rad2deg(np.arccos((np.trace(rotation) - 1) / 2)) == pytest.approx(degrees, rel=1e-3)
    assert turned.points is frame.points


def test_late_and_frozen_take_what_was_before(frame):
    before = Frame(
        0, rgb=np.zeros((48, 64, 3), np.uint8), points=frame.points[:7], camera=CAMERA, lidar_to_camera=np.eye(4)
    )
    late = apply(change.late_lidar(0.1), frame, before)
    assert len(late.points) == 7
    assert late.rgb is frame.rgb
    frozen = apply(change.frozen_camera(0.5), frame, before)
    assert not frozen.rgb.any()
    assert frozen.points is frame.points
    assert apply(change.late_lidar(0.1), frame) is None


def test_a_blind_camera_still_delivers(frame):
    assert not apply(change.uniform_camera(0), frame).rgb.any()
    assert apply(change.uniform_camera(255), frame).rgb.min() == 255


def test_what_a_frame_lacks_cannot_fail():
    only_depth = Frame(0, depth=np.ones((48, 64), np.float32))
    moment = change.Moment(only_depth, np.random.default_rng(0), lambda seconds: only_depth)
    camera = (change.keep(["rgb"]), change.corrupted("fog", 1), change.uniform_camera(0), change.frozen_camera(0.5))
    lidar = (change.fewer_beams(16), change.rotated_lidar(1), change.late_lidar(0.1))
    for what in camera + lidar:
        assert what(moment) is None
    assert change.salt_and_pepper(0.1)(moment).modalities == ("depth",)
