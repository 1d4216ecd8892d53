# SPDX-License-Identifier: Apache-2.0
"""Rigid motion: what a vehicle's speed makes of points between two instants."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def displacement(linear: NDArray[np.float64], angular: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """(4, 4) pose, after `seconds`, of a body that moves with constant speed, in the body's own frame at the start.

    linear (3,) [m/s] and angular (3,) [rad/s]: the body's speeds in its own frame. The exponential of a twist (Lynch
    and Park, Modern Robotics, 2017, eq. 3.88).
    """
    rotation = np.asarray(angular, np.float64) * seconds
    angle = float(np.linalg.norm(rotation))
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(rotation)[0]
    x, y, z = rotation
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    if angle < 1e-6:
        left = np.eye(3) + cross / 2
    else:
        left = np.eye(3) + (1 - np.cos(angle)) / angle**2 * cross + (angle - np.sin(angle)) / angle**3 * cross @ cross
    pose[:3, 3] = left @ np.asarray(linear, np.float64) * seconds
    return pose
