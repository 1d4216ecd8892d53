# SPDX-License-Identifier: Apache-2.0
"""A small data set in Penn-Fudan's layout: photographs with people outlined one by one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def write_people(root: Path, count: int = 5, height: int = 64, width: int = 96) -> Path:
    """`count` images of noise, each with two upright people, red and blue, at places of its own."""
    rng = np.random.default_rng(0)
    for folder in ("images", "instances"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        image = rng.integers(60, 120, (height, width, 3), np.uint8)
        instances = np.zeros((height, width), np.uint8)
        for person, colour in ((1, (200, 40, 40)), (2, (40, 40, 200))):
            left = int(rng.integers(0, width // 2 - 14)) + (person - 1) * width // 2
            body = np.s_[height // 4 : height - 4, left : left + 14]
            image[body], instances[body] = colour, person
        cv2.imwrite(f"{root}/images/{number:03d}.png", image[:, :, ::-1])
        cv2.imwrite(f"{root}/instances/{number:03d}.png", instances)
    return root
