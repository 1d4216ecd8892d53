# SPDX-License-Identifier: Apache-2.0
"""The input of the benchmark: frames of a simulated drive with KITTI's geometry, at any size and number of points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from perception.frame import Frame
from perception.simulation import SimulatedDrive

POINTS = 120_000
"""Of a 64-beam LiDAR's sweep."""

JITTER = 0.02
"""Metres by which added points differ from those they are copied from: the sensor's noise."""


def drive_frames(count: int) -> Iterable[Frame]:
    """`count` frames of the same drive every time, 1242×375 with every sensor and exactly POINTS points each."""
    for sample in SimulatedDrive(seed=0, frames=count, rate_hz=2.0):
        yield with_points(sample.frame, POINTS)


def with_points(frame: Frame, count: int) -> Frame:
    """The frame with `count` points, in the order of the sweep: a random subset, or all of them and noisy copies."""
    assert frame.points is not None
    rng = np.random.default_rng(0)
    repeats, rest = divmod(count, len(frame.points))
    chosen = rng.choice(len(frame.points), rest, replace=False)
    index = np.sort(np.concatenate([np.tile(np.arange(len(frame.points)), repeats), chosen]))
    points = frame.points[index]
    if repeats:
        points[:, :3] += rng.normal(0, JITTER, (count, 3)).astype(np.float32)
    return replace(frame, points=points)


def resized(frame: Frame, scale: float) -> Frame:
    """The frame as a camera of `scale` times the resolution would have seen it; the LiDAR stays as it is."""
    assert frame.rgb is not None
    assert frame.depth is not None
    assert frame.infrared is not None
    assert frame.camera is not None
    size = round(frame.camera.width * scale), round(frame.camera.height * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return replace(
        frame,
        rgb=np.asarray(cv2.resize(frame.rgb, size, interpolation=how), np.uint8),
        depth=np.asarray(cv2.resize(frame.depth, size, interpolation=cv2.INTER_NEAREST), np.float32),
        infrared=np.asarray(cv2.resize(frame.infrared, size, interpolation=how), frame.infrared.dtype),
        camera=frame.camera.resized(*size),
    )
