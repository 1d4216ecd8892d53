# SPDX-License-Identifier: Apache-2.0
"""Frames from files: frozen sensors are left out of them, in whatever order they are read."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from perception.frame import CameraModel, Frame
from perception.recordings.stored import StoredFrames

CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)
COUNT = 12


class Drive:
    """Reads frames whose camera is frozen from frame 3 to 8, and counts the reads."""

    def __init__(self, lidar: bool = True, broken: int | None = None) -> None:
        self.lidar, self.broken, self.read = lidar, broken, 0

    def __call__(self, index: int) -> Frame:
        self.read += 1
        rng = np.random.default_rng(3 if 3 <= index < 9 else index)
        rgb = rng.integers(0, 256, (64, 96, 3), np.uint8)
        ahead = np.random.default_rng(index).uniform((-1, -1, 5, 0), (1, 1, 20, 1), (20, 4)).astype(np.float32)
        if not self.lidar:
            return Frame(index, rgb)
        return Frame(index, rgb, points=ahead, camera=CAMERA, lidar_to_camera=np.eye(4))


def stored(drive: Drive, step_ns: int = 100_000_000) -> StoredFrames:
    return StoredFrames(Path("drive"), [str(n) for n in range(COUNT)], [n * step_ns for n in range(COUNT)], drive)


def test_a_frozen_camera_is_left_out_from_its_third_repeat_on() -> None:
    drive = Drive()
    frames = stored(drive)
    wanted = [("rgb", "lidar")] * 6 + [("lidar",)] * 3 + [("rgb", "lidar")] * 3
    assert [frame.modalities for frame in frames] == wanted
    assert drive.read == COUNT, "nothing is read twice"
    assert frames.absent == {}
    assert frames[7].size == (96, 64)
    assert list(frames.absent) == ["rgb"]
    assert frames.absent["rgb"].startswith("rgb is frozen: ")
    elsewhere = pickle.loads(pickle.dumps(stored(Drive())))
    assert [elsewhere[number].modalities for number in reversed(range(COUNT))] == wanted[::-1]


@pytest.mark.parametrize(("step_ns", "frozen"), [(100_000_000, 3), (50_000_000, 2), (20_000_000, 0)])
def test_repeats_within_a_fifth_of_a_second_are_a_slow_sensor(step_ns: int, frozen: int) -> None:
    assert sum(frame.modalities == ("lidar",) for frame in stored(Drive(), step_ns)) == frozen


def test_a_frozen_camera_alone_is_used_and_told() -> None:
    frames = stored(Drive(lidar=False))
    told = 0
    for frame in frames:
        assert frame.modalities == ("rgb",)
        told += [line.partition(":")[0] for line in frames.complaints] == ["rgb is frozen"]
    assert told == 3
