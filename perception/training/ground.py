# SPDX-License-Identifier: Apache-2.0
"""The ground under a sweep, as a plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.97
"""Smallest cosine between a ground plane's normal and the LiDAR's upward axis: slopes up to 14°."""

WITHIN = 0.1
"""Metres; points this near to a candidate plane speak for it."""

ENOUGH = 200
"""Fewer candidate points than this are no ground."""


def fit_ground(points: NDArray[np.float32], reach: float = 40.0, rounds: int = 200) -> NDArray[np.float64] | None:
    """(4,) the plane n·p + d = 0 with unit normal n upwards, that most points within `reach` metres lie on.

    points: (N, ≥3) in a LiDAR frame whose z points up. RANSAC (Fischler & Bolles, 1981) with a fixed seed among the
    points below the sensor, then least squares on its inliers. None where no level plane is found.
    """
    xyz = points[:, :3].astype(np.float64)
    below = xyz[(np.hypot(xyz[:, 0], xyz[:, 1]) < reach) & (xyz[:, 2] < -0.5)]
    if len(below) < ENOUGH:
        return None
    rng = np.random.default_rng(0)
    some = below[rng.choice(len(below), min(len(below), 2000), replace=False)]
    corners = some[rng.integers(len(some), size=(rounds, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals / np.maximum(lengths, 1e-9)[:, None] * np.where(normals[:, 2:] < 0, -1, 1)
    offsets = -(normals * corners[:, 0]).sum(1)
    near = np.abs(some @ normals.T + offsets) < WITHIN
    votes = np.where((lengths > 1e-3) & (normals[:, 2] > LEVEL), near.sum(0), 0)
    best = int(votes.argmax())
    if votes[best] < ENOUGH // 4:
        return None
    inliers = below[np.abs(below @ normals[best] + offsets[best]) < WITHIN]
    centre = inliers.mean(0)
    normal = np.linalg.svd(inliers - centre, full_matrices=False)[2][2]
    normal = normal if normal[2] > 0 else -normal
    return np.append(normal, -normal @ centre)


def height_above(plane: NDArray[np.float64], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) metres of the (N, ≥3) points above the plane."""
    return np.asarray(points[:, :3] @ plane[:3] + plane[3])
