# SPDX-License-Identifier: Apache-2.0
"""What a LiDAR measures on the vehicle that carries it, or at its own place: nothing that stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BOX = (-0.5, 0.5, -0.5, 0.5, -0.5, 0.5)
"""Around the LiDAR as near as hardly any measures anything but its housing, its roof rack and beams without an echo."""


@dataclass(frozen=True)
class OwnVehicle:
    """A box in which every point is the vehicle's own.

    frame: the TF frame that the box is in, x forward, y left, z up; "" for the cloud's own. box: from and to in x, y
    and z [m]; one without a volume holds nothing.
    """

    frame: str = ""
    box: tuple[float, ...] = BOX

    def outside(
        self, points: NDArray[np.float32], lidar_to_frame: NDArray[np.float64] | None = None
    ) -> NDArray[np.float32]:
        """The (N, ≥3) points of the cloud's frame [m] that are not in the box.

        lidar_to_frame: (4, 4), the cloud's frame → the box's; None where they are the same.
        """
        low, high = np.array(self.box, np.float32).reshape(3, 2).T
        xyz = points[:, :3]
        if lidar_to_frame is not None:
            xyz = xyz @ lidar_to_frame[:3, :3].T.astype(np.float32) + lidar_to_frame[:3, 3].astype(np.float32)
        inside = np.flatnonzero((xyz[:, 0] > low[0]) & (xyz[:, 0] < high[0]))
        inside = inside[((xyz[inside] > low) & (xyz[inside] < high)).all(1)]
        return np.delete(points, inside, 0) if len(inside) else points


def check_box(name: str, value: tuple[float, ...] | list[float]) -> str | None:
    """Why these numbers are no box; None where they are."""
    if len(value) != 6:
        return f"{name}: {len(value)} numbers, expected 6: from and to in x, y and z [m]"
    low, high = np.array(value, np.float64).reshape(3, 2).T
    if not np.isfinite(value).all() or (low > high).any():
        return f"{name}: {list(value)} is no box: expected from and to in x, y and z [m], each from ≤ to"
    return None
