# SPDX-License-Identifier: Apache-2.0
"""label_2 of KITTI's object layout: objects as 2D and 3D boxes in the rectified camera 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.errors import DataError
from perception.storage import source


@dataclass(frozen=True)
class ObjectLabel:
    """One line of a label file.

    object_type: Car … or DontCare (which has no 3D box). truncated: 0–1, the share outside the image. occluded: 0
    visible, 1 partly, 2 largely, 3 unknown. alpha: observation angle, radians. box: left, top, right,
    bottom in pixels of image_2. size: (height, width, length), metres. bottom: (3,) the centre of the floor in the
    rectified camera 0. yaw: radians about the camera's y, 0 along x.
    """

    object_type: str
    truncated: float
    occluded: int
    alpha: float
    box: tuple[float, float, float, float]
    size: tuple[float, float, float]
    bottom: NDArray[np.float64]
    yaw: float

    def corners(self) -> NDArray[np.float64]:
        """(8, 3) in the rectified camera 0, metres: the floor's four corners around, then the roof's above them."""
        height, width, length = self.size
        x = np.array([1, 1, -1, -1] * 2) * length / 2
        y = np.repeat([0.0, -height], 4)
        z = np.array([1, -1, -1, 1] * 2) * width / 2
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.stack([c * x + s * z, y, c * z - s * x], axis=1) + self.bottom


def read_object_labels(path: str | Path) -> list[ObjectLabel]:
    """Reads label_2/NAME.txt. Raises DataError naming file and line for anything but 15 or 16 columns."""
    path = source(path)
    labels = []
    for row, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) not in (15, 16):  # results have a score as a 16th
            raise DataError(f"{path}: line {row}: {len(words)} columns, expected 15 (or 16 with a score)")
        try:
            v = [float(word) for word in words[1:15]]
        except ValueError as error:
            raise DataError(f"{path}: line {row}: {error}") from error
        box, size, bottom = (v[3], v[4], v[5], v[6]), (v[7], v[8], v[9]), np.array(v[10:13])
        labels.append(ObjectLabel(words[0], v[0], int(v[1]), v[2], box, size, bottom, v[13]))
    return labels
