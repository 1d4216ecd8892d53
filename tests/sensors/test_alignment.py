# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from perception.datasets.registry import open_dataset
from perception.frame import CameraModel, Frame
from perception.sensors import Projection, project_sweep
from perception.sensors.alignment import LEAST, AlignmentMonitor, Misalignment, sweep_edges

CAMERA = CameraModel(np.array([[300.0, 0, 159.5], [0, 300.0, 59.5], [0, 0, 1]]), 320, 120)


def turned(frame: Frame, axis: int, degrees: float) -> Frame:
    """The frame with extrinsics that are wrong by a rotation about an axis of the optical frame."""
    assert frame.lidar_to_camera is not None
    turn = np.eye(4)
    turn[:3, :3] = cv2.Rodrigues(np.eye(3)[axis] * np.radians(degrees))[0]
    return replace(frame, lidar_to_camera=turn @ frame.lidar_to_camera)


def looked_at(frames: list[Frame]) -> Misalignment | None:
    monitor = AlignmentMonitor()
    for frame in frames:
        projection = project_sweep(frame)
        assert projection is not None
        monitor.add(frame, projection)
    return monitor.verdict()


def test_edges_are_the_near_side_of_a_gap() -> None:
    """A post at 5 m in front of a wall at 10 m."""
    v, u = (grid.ravel() for grid in np.mgrid[0:120:2, 0:320:2])
    depth = np.where(abs(u - 160) < 12, 5.0, 10.0)
    points = np.stack([(u - 159.5) / 300 * depth, (v - 59.5) / 300 * depth, depth, np.ones_like(depth)], 1)
    projection = project_sweep(Frame(0, points=points.astype(np.float32), camera=CAMERA, lidar_to_camera=np.eye(4)))
    assert projection is not None
    edges = sweep_edges(projection)
    assert len(edges) > 50
    assert (edges[:, 2] == 5.0).all()
    columns = edges[:, 0] / 5 * 300 + 159.5
    assert set(np.sign(columns - 160)) == {-1, 1}
    assert (abs(columns - 160) > 4).all()


@pytest.mark.parametrize(("axis", "degrees"), [(1, 1.0), (1, -1.0), (0, 1.0), (2, -2.0)])
def test_a_turned_lidar_is_found_on_real_drives(real_data: Path, axis: int, degrees: float) -> None:
    frames = [sample.frame for sample in open_dataset("kitti-frames", real_data / "kitti_frustum", "all")[::6]]
    found = looked_at([turned(frame, axis, degrees) for frame in frames])
    assert found is not None
    assert found.axis == ("pitch", "yaw", "roll")[axis]
    assert found.degrees == -degrees
    assert f"turned by {-degrees:+g}° in {found.axis}" in str(found)


def test_a_true_one_is_not_blamed(real_data: Path) -> None:
    samples = open_dataset("kitti-frames", real_data / "kitti_frustum", "all")
    assert looked_at([sample.frame for sample in samples[::6]]) is None
    few = [turned(sample.frame, 1, 2.0) for sample in samples[: LEAST - 1]]
    assert looked_at(few) is None


def test_a_picture_without_edges_says_nothing() -> None:
    points = np.tile(np.array([[0.0, 0.0, 5.0, 1.0]], np.float32), (50, 1))
    frame = Frame(0, np.zeros((120, 320, 3), np.uint8), points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    assert looked_at([frame] * LEAST) is None


class Slow(deque[np.ndarray]):
    """A deque that lets another thread run in the middle of an iteration, as may happen to any."""

    def __iter__(self) -> Iterator[np.ndarray]:
        for each in super().__iter__():
            time.sleep(0.001)
            yield each


def test_one_thread_may_ask_while_another_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker adds, and the diagnostics ask once a second."""
    monkeypatch.setattr("perception.sensors.alignment.turned_gains", lambda *_: np.zeros(18))
    nothing: Any = np.zeros((0, 3))
    frame, projection = Frame(0, np.zeros((2, 2, 3), np.uint8)), Projection(nothing, nothing, nothing, 2, 2)
    monitor, over = AlignmentMonitor(), threading.Event()
    monitor._gains = Slow([np.zeros(18)] * LEAST, maxlen=60)

    def add() -> None:
        while not over.is_set():
            monitor.add(frame, projection)
            time.sleep(0.001)

    adding = threading.Thread(target=add)
    adding.start()
    try:
        assert [monitor.verdict() for _ in range(3)] == [None] * 3
    finally:
        over.set()
        adding.join()
