# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.benchmark.frames import resized, with_points
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


def test_the_hash_is_of_every_sensor(frame: Frame) -> None:
    assert input_hash([frame]) == input_hash([resized(frame, 1.0)])
    assert input_hash([frame]) != input_hash([with_points(frame, 99)])


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.memory_gb > 0
    assert "python" in machine.versions
