# SPDX-License-Identifier: Apache-2.0
"""LiDAR points on the vehicle itself, or at the LiDAR's own position: they are not obstacles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BOX = (-0.5, 0.5, -0.5, 0.5, -0.5, 0.5)
"""The distance around the LiDAR within which it measures hardly anything but its housing, its roof rack and beams
without an echo."""


@dataclass(frozen=True)
class OwnVehicle:
    """A box in which every point is the vehicle's own.

    frame: the TF frame that the box is in, x forward, y left, z up; "" for the cloud's own. box: from and to in x, y
    and z [m]; a box without volume contains nothing.
    """

    frame: str = ""
    box: tuple[float, ...] = BOX

    def inside(
        self, points: NDArray[np.float32], lidar_to_frame: NDArray[np.float64] | None = None
    ) -> NDArray[np.intp]:
        """Which of the (N, ≥3) points in the cloud's frame [m] are in the box.

        lidar_to_frame: (4, 4), the cloud's frame → the box's; None where they are the same.
        """
        sides = np.array(self.box, np.float64).reshape(3, 2)
        to_frame = np.eye(4) if lidar_to_frame is None else lidar_to_frame
        corners = np.stack([*map(np.ravel, np.meshgrid(*sides)), np.ones(8)])
        around = (np.linalg.inv(to_frame) @ corners)[:2]
        # One axis of the cloud first, which leaves a tenth of the sweep, and then the next, which leaves little.
        x = points[:, 0].copy()  # two comparisons of values side by side take half of the time
        near = np.flatnonzero(_between(x, around[0]))
        near = near[_between(points[near, 1], around[1])]
        xyz = points[near, :3] @ to_frame[:3, :3].T + to_frame[:3, 3]
        return near[((xyz > sides[:, 0]) & (xyz < sides[:, 1])).all(1)]


def _between(values: NDArray[np.float32], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((values > ends.min() - 1e-3) & (values < ends.max() + 1e-3))


def check_box(name: str, value: tuple[float, ...] | list[float]) -> str | None:
    """Why these numbers are not a box; None if they are."""
    if len(value) != 6:
        return f"{name}: {len(value)} numbers, expected 6: from and to in x, y and z [m]"
    low, high = np.array(value, np.float64).reshape(3, 2).T
    if not np.isfinite(value).all() or (low > high).any():
        return f"{name}: {list(value)} is not a box: expected from and to in x, y and z [m], each from ≤ to"
    return None
