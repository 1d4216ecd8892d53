# SPDX-License-Identifier: Apache-2.0
"""LiDAR points into the camera's image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel

MIN_DEPTH = 0.5
"""Points nearer than this [m] in front of the camera belong to the vehicle itself."""


class Projection(NamedTuple):
    """The points that fall into the image.

    uv: (M, 2) float32 pixel coordinates, pixel centres at integers. xyz: (M, 3) float32 metres in the optical frame.
    rows: (M,) where they stand in the sweep.
    """

    uv: NDArray[np.float32]
    xyz: NDArray[np.float32]
    rows: NDArray[np.intp]

    @property
    def depth(self) -> NDArray[np.float32]:
        """(M,) metres along the optical axis."""
        return self.xyz[:, 2]


def project(points: NDArray[np.float32], lidar_to_camera: NDArray[np.float64], camera: CameraModel) -> Projection:
    """Project (N, ≥3) points of the LiDAR frame with the pinhole model; those behind or outside are left out.

    Points that are not finite are left out too.
    """
    rotation = lidar_to_camera[:3, :3].astype(np.float32)
    translation = lidar_to_camera[:3, 3].astype(np.float32)
    # The depth alone throws out most of a full sweep: compute the rest only for what is left.
    with np.errstate(invalid="ignore", over="ignore"):
        depth = points[:, :3] @ rotation[2] + translation[2]
        index = np.flatnonzero(depth > MIN_DEPTH)
        xyz = _rotate(points[index, :3], rotation) + translation
        uvw = _rotate(xyz, camera.intrinsics.astype(np.float32))
        uv = uvw[:, :2] / uvw[:, 2:]
        inside = (uv > -0.5).all(1) & (uv[:, 0] < camera.width - 0.5) & (uv[:, 1] < camera.height - 0.5)
    return Projection(uv[inside], xyz[inside], index[inside])


def _rotate(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """rows @ matrix.T without BLAS, whose threads cost ten times the work where the engine has every core busy."""
    return rows[:, :1] * matrix[:, 0] + rows[:, 1:2] * matrix[:, 1] + rows[:, 2:] * matrix[:, 2]


def nearest_per_pixel(projection: Projection, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Z-buffer: (flat pixel indices, positions in `projection`), each pixel once, with the point nearest to the camera.

    Of points equally near, the first of the sweep wins.
    """
    pixel = np.rint(projection.uv).astype(np.intp)
    flat = pixel[:, 1] * width + pixel[:, 0]
    order = np.lexsort((projection.depth, flat))
    flat = flat[order]
    first = np.ones(len(flat), bool)
    first[1:] = flat[1:] != flat[:-1]
    return flat[first], order[first]
