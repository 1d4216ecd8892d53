# SPDX-License-Identifier: Apache-2.0
"""What the benchmark's stages and drives are tried with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perception.frame import CameraModel, Frame


def frame(brightness: int = 64) -> Frame:
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=5,
        rgb=np.full((64, 96, 3), brightness, np.uint8),
        depth=np.full((64, 96), 7.0, np.float32),
        infrared=np.full((64, 96), 3000, np.uint16),
        points=rng.uniform((2, -5, -1, 0), (40, 5, 1, 1), (500, 4)).astype(np.float32),
        camera=CameraModel(np.array([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]), 96, 64),
        lidar_to_camera=np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
    )


def empty_sweep() -> Frame:
    return replace(frame(), points=np.empty((0, 4), np.float32))
