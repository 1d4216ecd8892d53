# SPDX-License-Identifier: Apache-2.0
"""Rigid motion: how points move between two instants because of a vehicle's speed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BIN_NS = 1_000_000
"""Points of a sweep within this time are moved by the same pose: half of it is 1 cm at 20 m/s."""


def displacement(
    linear: NDArray[np.float64], angular: NDArray[np.float64], seconds: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """(…, 4, 4) pose, after `seconds` (…), of a body with constant speed, in the body's own frame at the start.

    linear (…, 3) [m/s] and angular (…, 3) [rad/s]: the body's speeds in its own frame. The exponential of a twist
    (Lynch and Park, Modern Robotics, 2017, eq. 3.88).
    """
    seconds = np.asarray(seconds, np.float64)[..., None]
    rotation, way = np.broadcast_arrays(np.asarray(angular) * seconds, np.asarray(linear) * seconds)
    angle = np.linalg.norm(rotation, axis=-1)[..., None, None]
    near = angle < 1e-4  # here the quotients equal their limits to 1e-9
    safe = np.where(near, 1.0, angle)
    first = np.where(near, 1.0, np.sin(safe) / safe)
    second = np.where(near, 0.5, (1 - np.cos(safe)) / safe**2)
    third = np.where(near, 1 / 6, (safe - np.sin(safe)) / safe**3)
    cross = np.zeros((*rotation.shape, 3))
    x, y, z = np.moveaxis(rotation, -1, 0)
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -z, y, -x
    cross -= np.swapaxes(cross, -1, -2)
    square = cross @ cross
    pose = np.zeros((*rotation.shape[:-1], 4, 4))
    pose[..., :3, :3] = np.eye(3) + first * cross + second * square
    pose[..., :3, 3] = ((np.eye(3) + second * cross + third * square) @ way[..., None])[..., 0]
    pose[..., 3, 3] = 1.0
    return pose


def move_points(points: NDArray[np.float32], place: NDArray[np.integer[Any]], poses: NDArray[np.float64]) -> None:
    """Move (N, 4) points, in place: x, y, z of each by the (K, 4, 4) pose with the index in `place` (N,)."""
    factors = np.ascontiguousarray(poses[:, :3].astype(np.float32).transpose(1, 2, 0))
    old = points[:, :3].T.copy()
    for axis, row in enumerate(factors):
        moved = row[3].take(place, mode="clip")
        for factor, column in zip(row[:3], old, strict=True):
            part = factor.take(place, mode="clip")
            part *= column
            moved += part
        points[:, axis] = moved
