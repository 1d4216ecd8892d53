# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.benchmark.frames import JITTER, resized, with_points
from perception.benchmark.machine import describe_machine, input_hash
from perception.frame import CameraModel, Frame


@pytest.fixture
def frame() -> Frame:
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=1,
        rgb=rng.integers(0, 256, (20, 60, 3), np.uint8),
        depth=rng.uniform(1, 50, (20, 60)).astype(np.float32),
        infrared=rng.integers(0, 60000, (20, 60), np.uint16),
        points=np.arange(400, dtype=np.float32).reshape(100, 4) / np.array([1, 1, 1, 400], np.float32),
        camera=CameraModel(np.array([[30.0, 0, 30], [0, 30, 10], [0, 0, 1]]), 60, 20),
        lidar_to_camera=np.eye(4),
    )


@pytest.mark.parametrize("count", [1, 40, 100, 130, 555])
def test_a_sweep_has_as_many_points_as_asked_for_in_their_order(frame: Frame, count: int) -> None:
    assert frame.points is not None
    points = with_points(frame, count).points
    assert points is not None
    assert points.shape == (count, 4)
    assert (np.diff(points[:, 3]) >= 0).all()
    nearest = np.abs(points[:, None, :3] - frame.points[None, :, :3]).max(2).min(1)
    assert nearest.max() < 6 * JITTER
    np.testing.assert_array_equal(with_points(frame, count).points, points)


@pytest.mark.parametrize(("scale", "size"), [(0.25, (15, 5)), (1.0, (60, 20)), (2.0, (120, 40))])
def test_every_image_takes_the_new_size(frame: Frame, scale: float, size: tuple[int, int]) -> None:
    other = resized(frame, scale)
    assert other.camera is not None
    assert other.rgb is not None
    assert other.depth is not None
    assert other.infrared is not None
    assert other.size == (other.camera.width, other.camera.height) == size
    assert other.rgb.shape[1::-1] == other.depth.shape[::-1] == other.infrared.shape[::-1] == size
    assert other.infrared.dtype == np.uint16
    assert other.points is frame.points


def test_the_hash_is_of_every_sensor(frame: Frame) -> None:
    assert input_hash([frame]) == input_hash([resized(frame, 1.0)])
    assert input_hash([frame]) != input_hash([with_points(frame, 99)])


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.memory_gb > 0
    assert "python" in machine.versions
