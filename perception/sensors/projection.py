# SPDX-License-Identifier: Apache-2.0
"""LiDAR points into the camera's image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel, Frame

MIN_DEPTH = 0.5
"""Points nearer than this [m] in front of the camera belong to the vehicle itself."""


class Projection(NamedTuple):
    """The points that are in an image of `width`×`height` pixels.

    uv: (M, 2) float32 pixel coordinates, pixel centres at integers. xyz: (M, 3) float32 metres in the optical frame.
    rows: (M,) their indices in the sweep, ascending.
    """

    uv: NDArray[np.float32]
    xyz: NDArray[np.float32]
    rows: NDArray[np.intp]
    width: int
    height: int

    @property
    def depth(self) -> NDArray[np.float32]:
        """(M,) metres along the optical axis."""
        return self.xyz[:, 2]

    @property
    def pixels(self) -> NDArray[np.intp]:
        """(M,) index v · width + u of the pixel of each point."""
        u, v = np.rint(self.uv.T).astype(np.intp)
        # Scaled coordinates may round to one pixel beyond the border.
        return np.minimum(v, self.height - 1) * self.width + np.minimum(u, self.width - 1)

    def only(self, chosen: NDArray[np.bool_]) -> Projection:
        """Only the `chosen` (M,) points."""
        return self._replace(uv=self.uv[chosen], xyz=self.xyz[chosen], rows=self.rows[chosen])

    def resized(self, width: int, height: int) -> Projection:
        """The same points in the same image scaled to `width`×`height`."""
        scale = np.array([width / self.width, height / self.height], np.float32)
        return self._replace(uv=(self.uv + np.float32(0.5)) * scale - np.float32(0.5), width=width, height=height)


def project(points: NDArray[np.float32], lidar_to_camera: NDArray[np.float64], camera: CameraModel) -> Projection:
    """Project (N, ≥3) points of the LiDAR frame with the pinhole model; those behind or outside are left out.

    Points that are not finite are left out too.
    """
    to_image = (camera.intrinsics @ lidar_to_camera[:3]).astype(np.float32)
    right, bottom = np.float32(camera.width - 0.5), np.float32(camera.height - 0.5)
    # First those in front and between the columns, which leaves a sixth of the sweep, and without dividing.
    with np.errstate(invalid="ignore", over="ignore"):
        depth = _affine(points, to_image[2])
        across = _affine(points, to_image[0])
        ahead = (depth > MIN_DEPTH) & (depth < np.inf)
        rows = np.flatnonzero(ahead & (across > -0.5 * depth) & (across < right * depth))
        seen, depth = points.take(rows, axis=0), depth[rows]
        u, v = across[rows] / depth, _affine(seen, to_image[1]) / depth
        kept = np.flatnonzero((u > -0.5) & (u < right) & (v > -0.5) & (v < bottom))
    rows, seen = rows[kept], seen[kept]
    xyz = np.stack([_affine(seen, axis) for axis in lidar_to_camera[:3].astype(np.float32)], axis=1)
    return Projection(np.stack([u[kept], v[kept]], axis=1), xyz, rows, camera.width, camera.height)


def project_sweep(frame: Frame) -> Projection | None:
    """The frame's points in an image of the frame's size (`Frame.size`); None without points."""
    if frame.points is None:
        return None
    # Frame has checked that points have a calibration.
    assert frame.camera is not None
    assert frame.lidar_to_camera is not None
    return project(frame.points, frame.lidar_to_camera, frame.camera.resized(*frame.size))


def _affine(points: NDArray[np.float32], row: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, ≥3) points → (N,) row[:3] · xyz + row[3]."""
    product: NDArray[np.float32] = points[:, :3] @ row[:3]
    product += row[3]
    return product


def nearest_per_pixel(projection: Projection) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Z-buffer: (pixel indices, positions in `projection`), each pixel once, with the point nearest to the camera.

    In the order of the sweep. Of points at equal distance, the first of the sweep is taken.
    """
    pixels, depth = projection.pixels, projection.depth
    nearest = np.full(projection.width * projection.height, np.inf, depth.dtype)
    np.minimum.at(nearest, pixels, depth)
    # From here on the code handles points, of which there are few, and no longer pixels.
    places = np.flatnonzero(depth == nearest[pixels])
    pixels = pixels[places]
    first = np.empty(len(nearest), np.intp)
    first[pixels[::-1]] = places[::-1]
    alone = first[pixels] == places
    return pixels[alone], places[alone]
