# SPDX-License-Identifier: Apache-2.0
"""The ground plane of a frame, from the points that a LiDAR or a depth camera measured.

The network's heights are above this plane and not above the camera, so that they do not depend on the vehicle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel, Frame
from perception.ground import Ground

NEAREST, FARTHEST, ASIDE = 2.0, 30.0, 12.0
"""Metres ahead of the camera, and to either side, within which the ground is looked for."""

MOST, TRIES = 1200, 150
"""The number of points that are used, and of planes through three of them that are tried."""

TILT, USUAL = np.radians(16.0), np.radians(5.0)
"""Largest angle between the plane's normal and the camera's upward axis, and the deviation that reduces its votes."""

USUAL_TILT = 0.02
"""Deviation of its slope that is expected before any point is seen: a strip of road between cars does not show the
roll."""

HEIGHTS = (0.25, 5.0)
"""The range [m] of a camera's height above the road: from a delivery robot to a lorry."""

WITHIN, WITHIN_PER_METRE = 0.05, 0.006
"""Tolerance [m] to the plane, and the same per metre ahead: a road is not flat, and depth is not exact."""

ENOUGH, SHARE = 60, 0.12
"""The fewest points, and the smallest share of those used, for a plane to be the ground."""

LONG, WIDE = 4.0, 1.5
"""The extent [m] ahead and across that its points must cover."""

AGREE, AGREE_HEIGHT = np.radians(3.0), 0.35
"""How much [rad, m] a plane may differ from the expected one; otherwise the expected one is kept."""


def fit_ground(xyz: NDArray[np.float32], source: str = "lidar", expected: Ground | None = None) -> Ground | None:
    """The plane with most of the (N, 3) points [m, optical frame] on it and few below; None if too few are on it.

    RANSAC (Fischler and Bolles, 1981) with a fixed seed, then least squares on the points near the best plane. Points
    below a plane count against it: roofs of cars and tops of walls are level too. Points beside and behind the camera
    help if the road ahead is full.
    expected: a plane to start from, which takes a fifth of the time if the ground is near to it.
    """
    distance = np.hypot(xyz[:, 0], xyz[:, 2])
    near = (distance > NEAREST) & (distance < FARTHEST) & (np.abs(xyz[:, 0]) < ASIDE) & np.isfinite(xyz[:, 1])
    candidates = np.flatnonzero(near)
    if len(candidates) < ENOUGH:
        return None
    rng = np.random.default_rng(0)
    if len(candidates) > MOST:
        candidates = rng.choice(candidates, MOST, replace=False)
    points = xyz[candidates].astype(np.float32)
    tolerance = (WITHIN + WITHIN_PER_METRE * distance[candidates]).astype(np.float32)
    if expected is not None:
        near_it = np.append(expected.up, expected.height).astype(np.float32)
        found = _refined(points, tolerance, near_it, (3.0, 1.5, 1.0))
        if found is not None:
            return _ground(found, source)
    planes = _planes(points, rng)
    if not len(planes):
        return None
    above = points @ planes[:, :3].T
    above += planes[:, 3]
    above /= tolerance[:, None]
    votes = (np.abs(above) < 1).sum(0) - 2.0 * (above < -2).sum(0)
    votes *= np.exp(-0.5 * np.square(np.arccos(-planes[:, 1]) / USUAL))
    best = planes[int(votes.argmax())]
    found = _refined(points, tolerance, best, (1.5, 1.0, 1.0))
    return None if found is None else _ground(found, source)


def agree(one: Ground, other: Ground) -> bool:
    """Whether two planes may be the same ground, within AGREE and AGREE_HEIGHT."""
    return one.angle_to(other) <= AGREE and abs(one.height - other.height) <= AGREE_HEIGHT


def ground_by_lidar(frame: Frame) -> Ground | None:
    """The plane in the frame's sweep; None without a sweep, or if it has too little of the ground."""
    if frame.points is None:
        return None
    assert frame.lidar_to_camera is not None  # every frame with points has it
    return fit_ground(sweep_points(frame.points, frame.lidar_to_camera), "lidar", frame.ground)


def ground_by_depth(frame: Frame, by_lidar: Ground | None = None) -> Ground | None:
    """The plane in the frame's depth image; None without depth or its camera, or if it has too little of the ground.

    by_lidar: the plane to start from if the frame expects none.
    """
    if frame.depth is None or frame.camera is None:
        return None
    return fit_ground(depth_points(frame.depth, frame.camera), "depth", frame.ground or by_lidar)


def expected_or_fitted(fitted: Ground | None, expected: Ground | None) -> Ground | None:
    """The plane to use, given a frame's own plane and the one expected from its mounting or the frames before it.

    If both agree, their mean: a vehicle pitches, and a plane of one frame is noisy. If they do not, the expected
    one. None if there is neither.
    """
    if fitted is None or expected is None:
        return fitted or expected
    if not agree(fitted, expected):
        return expected
    return Ground(fitted.up + expected.up, (fitted.height + expected.height) / 2, fitted.source)


def depth_points(depth: NDArray[np.float32], camera: CameraModel) -> NDArray[np.float32]:
    """(N, 3) some thousand points [m, optical frame] of a depth image (H, W) [m, NaN invalid], on a regular grid."""
    height, width = depth.shape
    step = max(1, int(np.sqrt(height * width / 8000)))
    sparse = depth[step // 2 :: step, step // 2 :: step]
    k = camera.resized(width, height).intrinsics
    v, u = np.mgrid[step // 2 : height : step, step // 2 : width : step].astype(np.float32)
    seen = (sparse > 0) & (sparse < np.inf)
    z = sparse[seen]
    return np.stack([(u[seen] - k[0, 2]) / k[0, 0] * z, (v[seen] - k[1, 2]) / k[1, 1] * z, z], 1).astype(np.float32)


def sweep_points(points: NDArray[np.float32], lidar_to_camera: NDArray[np.float64]) -> NDArray[np.float32]:
    """(M, 3) some thousand of a sweep's (N, 4) points, all around, in the optical frame [m]."""
    some = points[:: max(1, len(points) // 8000), :3]
    moved = some @ lidar_to_camera[:3, :3].T.astype(np.float32) + lidar_to_camera[:3, 3].astype(np.float32)
    return np.asarray(moved, np.float32)


class GroundTracker:
    """The ground to expect in the next frame of a camera: by its mounting, else a running mean.

    mounting: given by TF or the user; then it is always the expected one. Without it, a plane that differs from the
    mean for PATIENCE frames in a row replaces it.
    """

    PATIENCE = 5
    SHARE = 0.2

    def __init__(self, mounting: Ground | None = None) -> None:
        self.mounting = mounting
        self._mean: Ground | None = None
        self._strange = 0

    @property
    def expected(self) -> Ground | None:
        """The ground to expect in the next frame."""
        return self.mounting or self._mean

    def add(self, fitted: Ground | None) -> None:
        """Take in the plane that was fitted to only this frame."""
        if fitted is None:
            return
        mean = self._mean
        if mean is not None and self._strange < self.PATIENCE:
            if not agree(mean, fitted):
                self._strange += 1
                return
            up = (1 - self.SHARE) * mean.up + self.SHARE * fitted.up
            height = (1 - self.SHARE) * mean.height + self.SHARE * fitted.height
            fitted = replace(fitted, up=up, height=height)
        self._mean, self._strange = fitted, 0


def _planes(points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(K, 4) planes through three points each, normals of length 1 upwards, that may be the ground."""
    corners = points[rng.integers(len(points), size=(TRIES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.maximum(lengths, 1e-9) * np.where(normals[:, 1:2] > 0, -1, 1)
    offsets = -(normals * corners[:, 0]).sum(1, keepdims=True)
    planes = np.concatenate([normals, offsets], 1).astype(np.float32)
    return planes[(lengths[:, 0] > 1e-3) & _sane(planes)]


def _ground(plane: NDArray[np.float32], source: str) -> Ground:
    return Ground(plane[:3].astype(np.float64), float(plane[3]), source)


def _sane(planes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(K,) whether a camera can be mounted in this pose above each of the (K, 4) planes."""
    return np.asarray((-planes[:, 1] > np.cos(TILT)) & (planes[:, 3] > HEIGHTS[0]) & (planes[:, 3] < HEIGHTS[1]))


def _refined(
    points: NDArray[np.float32], tolerance: NDArray[np.float32], plane: NDArray[np.float32], reaches: tuple[float, ...]
) -> NDArray[np.float32] | None:
    """(4,) least squares on the points within each of `reaches` tolerances in turn; None if they are not the ground."""
    for reach in reaches:
        near = np.abs(points @ plane[:3] + plane[3]) < reach * tolerance
        if near.sum() < max(ENOUGH, SHARE * len(points)):
            return None
        plane = _least_squares(points[near], tolerance[near])
    under = (points @ plane[:3] + plane[3] < -2 * tolerance).sum()
    if np.ptp(points[near, 2]) < LONG or np.ptp(points[near, 0]) < WIDE or under > near.sum():
        return None
    return plane if _sane(plane[None])[0] else None


def _least_squares(points: NDArray[np.float32], tolerance: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4,) y = a·x + b·z + c, weighted by the tolerance of the points, as a plane with a normal of length 1.

    With a weak pull towards level, see USUAL_TILT.
    """
    # The normal equations, of which the sums are the only thing that depends on the number of points.
    weight = 1 / tolerance.astype(np.float64)
    rows = np.stack([points[:, 0], points[:, 2], np.ones_like(tolerance), points[:, 1]]) * weight
    sums = rows @ rows.T
    sums[0, 0] += 1 / USUAL_TILT**2
    sums[1, 1] += 1 / USUAL_TILT**2
    a, b, c = np.linalg.solve(sums[:3, :3], sums[:3, 3])
    return np.array([a, -1.0, b, c], np.float32) / np.float32(np.sqrt(a * a + b * b + 1))
