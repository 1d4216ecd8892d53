# SPDX-License-Identifier: Apache-2.0
"""A sample of every sensor whose camera image shows each pixel's class by its colour."""

from __future__ import annotations

import numpy as np

from perception.classes import PALETTE
from perception.frame import CameraModel, Frame
from perception.sample import Sample

CAMERA = CameraModel(np.array([[40.0, 0, 32], [0, 40, 24], [0, 0, 1]]), 64, 48)


def sample(number: int, drive: str = "a") -> Sample:
    rng = np.random.default_rng(number)
    labels = np.repeat(np.repeat(rng.integers(0, 4, (6, 8)).astype(np.uint8), 8, 0), 8, 1)
    frame = Frame(
        number * 100_000_000,
        rgb=PALETTE[labels],
        depth=np.full((48, 64), 9, np.float32),
        infrared=np.full((48, 64), number, np.uint8),
        points=np.float32([[3, 3, 3, 1]] * (5 + number)),
        camera=CAMERA,
        lidar_to_camera=np.eye(4),
    )
    return Sample(f"{drive}/{number:06d}", frame, labels=labels)
