# SPDX-License-Identifier: Apache-2.0
"""An image seen from above, on the grid of KITTI's road benchmark: 800 rows × 400 columns of 0.05 m.

Convention, as in KITTI's development kit: row 0 is the farthest, 46 m ahead, the last row 6 m; column 0 is 10 m to
the left. A cell takes the pixel that its middle falls on, whose coordinates count from 1, without interpolation; cells
outside the image are 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.evaluation.kitti.road import CELL, FAR, NEAR, SIDE

ROWS, COLUMNS = round((FAR - NEAR) / CELL), round(2 * SIDE / CELL)


def birds_eye(image: NDArray[np.uint8], plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(ROWS, COLUMNS) of the (H, W) image. plane: (3, 3), metres on the ground (right, ahead, 1) → pixels."""
    right = -SIDE + CELL * (np.arange(COLUMNS) + 0.5)
    ahead = FAR - CELL * (np.arange(ROWS) + 0.5)
    x, z = np.meshgrid(right, ahead)
    u, v, w = plane @ np.stack([x.ravel(), z.ravel(), np.ones(x.size)])
    height, width = image.shape
    u, v = u / w, v / w
    seen = (w > 0) & (u >= 1) & (u <= width) & (v >= 1) & (v <= height)
    view = np.zeros(ROWS * COLUMNS, np.uint8)
    view[seen] = image[v[seen].astype(np.intp) - 1, u[seen].astype(np.intp) - 1]
    return view.reshape(ROWS, COLUMNS)
