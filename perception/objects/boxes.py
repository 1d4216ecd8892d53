# SPDX-License-Identifier: Apache-2.0
"""A box in 3D around what was measured of each instance.

The box is of what is seen: of a car from behind, its length is that of the part that the LiDAR reached. Which way a
thing drives is not known, so a box looks along its longer side, whichever way. The way that it is turned is found as by
Zhang et al., "Efficient L-shape fitting for vehicle detection using laser scanners" (IV 2017): of all rectangles
around the points on the ground, that whose sides are closest to them. The smallest rectangle would not do: around two
sides of a box, which is what a LiDAR sees, that across is as small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED, Classes
from perception.frame import INSTANCE_STEP, Frame, Prediction
from perception.instances import GAP
from perception.sensors.ground import expected_or_fitted
from perception.sensors.projection import project_sweep

FEWEST = 5
"""Points of a thing that has a box."""

MOST = 250
"""Points from which it is found how a box is turned; of more, some evenly spaced ones are taken."""

DEPTH_STEP = 2
"""One of so many rows and columns of a depth image is used."""

SKIRT = 0.15
"""Metres above the ground up to which points may belong to it, and do not count for length and width."""

FLOATING = 0.7
"""A box stands on the ground if its lowest point is at most so many metres above it: lower ones are seldom seen."""

THINNEST = 0.1
"""Metres of a side at least: of a surface seen straight on, the depth is not known."""

NOISE = 0.02
"""Metres from a side within which a point is on it."""

LETTER_M, BOX_ALPHA = 0.5, 0.5
"""Where an object is drawn: the height of the letters above it, and how opaque its box is."""

_COARSE, _FINE = np.deg2rad(np.arange(0, 90, 3.0)), np.deg2rad(np.arange(-3, 3.01, 0.25))


@dataclass(frozen=True)
class Object:
    """An instance with its box, in the camera's optical frame (x right, y down, z forward), in metres.

    code: of `Prediction.instances`. score: 0–1, how sure its pixels are of their class, on average. centre: (3,) of the
    box. size: length, width and height; the length is the longer side on the ground. rotation: (3, 3) from the box's
    own axes, ahead, left and up, to the optical frame; up is that of the ground, and ahead is to the right of the image
    or straight on. distance: from the camera to the nearest point. points: how many measured points it is from.
    """

    code: int
    score: float
    centre: NDArray[np.float64]
    size: tuple[float, float, float]
    rotation: NDArray[np.float64]
    distance: float
    points: int

    @property
    def class_id(self) -> int:
        """Of its class."""
        return self.code // INSTANCE_STEP

    @property
    def number(self) -> int:
        """Within its class, from 1."""
        return self.code % INSTANCE_STEP

    @property
    def yaw(self) -> float:
        """Radians about the camera's y, 0 along x: KITTI's rotation_y, in −π/2 … π/2."""
        return float(np.arctan2(-self.rotation[2, 0], self.rotation[0, 0]))

    def described(self, classes: Classes) -> str:
        """Class, number, distance and score in a line."""
        return f"{classes.names[self.class_id]} {self.number}, {self.distance:.1f} m, {self.score:.2f}"

    @property
    def above(self) -> NDArray[np.float64]:
        """(3,) the place of a line of text over the box."""
        return np.asarray(self.centre + self.rotation[:, 2] * (self.size[2] / 2 + LETTER_M))

    def corners(self) -> NDArray[np.float64]:
        """(8, 3) the floor's four corners around, then the roof's above them."""
        around = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
        own = np.array([[*side, up] for up in (-1, 1) for side in around]) * np.array(self.size) / 2
        return np.asarray(own @ self.rotation.T + self.centre)


def find_objects(frame: Frame, prediction: Prediction) -> list[Object]:
    """The objects of the instances that LiDAR, else depth, measured; by ascending code.

    prediction: of the frame, at its size. An instance of which fewer than FEWEST points were measured has no box, nor
    has any in a frame without a camera model, or from a network without an instance head.
    """
    instances = prediction.instances
    if instances is None or frame.camera is None or not instances.any():
        return []
    ground = expected_or_fitted(prediction.ground, frame.ground)
    up = np.array([0.0, -1.0, 0.0]) if ground is None else ground.up
    clusters = _clusters(_from_depth(frame, prediction, instances)) | _clusters(_swept(frame, prediction, instances))
    inside = instances > 0
    totals = np.bincount(instances[inside], prediction.confidence[inside])
    areas = np.bincount(instances[inside])
    found = []
    for code, xyz in sorted(clusters.items()):
        centre, size, rotation = fit_box(xyz, up, None if ground is None else ground.height)
        score, distance = float(totals[code] / areas[code] / 255), float(np.linalg.norm(xyz, axis=1).min())
        found.append(Object(code, score, centre, size, rotation, distance, len(xyz)))
    return found


def _clusters(measured: dict[int, NDArray[np.float64]]) -> dict[int, NDArray[np.float64]]:
    """The main cluster of each, where it is of FEWEST points at least."""
    clusters = {code: _main_cluster(xyz) for code, xyz in measured.items() if code}
    return {code: xyz for code, xyz in clusters.items() if len(xyz) >= FEWEST}


def _swept(frame: Frame, prediction: Prediction, instances: NDArray[np.uint16]) -> dict[int, NDArray[np.float64]]:
    """(M, 3) points of each instance that the camera sees."""
    swept = project_sweep(frame)
    if swept is None or prediction.point_labels is None:
        return {}
    swept = swept.only(prediction.point_labels[swept.rows] != UNLABELLED)
    return _by_code(instances.ravel()[swept.pixels], swept.xyz)


def _from_depth(frame: Frame, prediction: Prediction, instances: NDArray[np.uint16]) -> dict[int, NDArray[np.float64]]:
    """(M, 3) points of each instance in the depth image."""
    if frame.depth is None or "depth" in prediction.absent:
        return {}
    assert frame.camera is not None
    height, width = instances.shape
    (fx, _, cx), (_, fy, cy), _ = frame.camera.resized(width, height).intrinsics
    v, u = (each * DEPTH_STEP for each in np.nonzero(instances[::DEPTH_STEP, ::DEPTH_STEP]))
    rows, columns = frame.depth.shape
    depth = frame.depth[v * rows // height, u * columns // width].astype(np.float64)
    known = np.flatnonzero(np.isfinite(depth) & (depth > 0))
    u, v, depth = u[known], v[known], depth[known]
    return _by_code(instances[v, u], np.stack([(u - cx) / fx * depth, (v - cy) / fy * depth, depth], 1))


def _by_code(codes: NDArray[np.uint16], xyz: NDArray[np.floating]) -> dict[int, NDArray[np.float64]]:
    """The (M, 3) points of each of the (M,) codes, which may be 0."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order].astype(np.int32), prepend=-1))
    parts = np.split(xyz[order].astype(np.float64), starts)[1:]
    return dict(zip(codes[order][starts].tolist(), parts, strict=True))


def _main_cluster(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most points without a gap of more than GAP in their distance: what shows past or through a thing is off."""
    away = np.linalg.norm(xyz, axis=1)
    order = np.argsort(away)
    parts = np.split(order, np.flatnonzero(np.diff(away[order]) > GAP) + 1)
    return xyz[np.sort(max(parts, key=len))]


def fit_box(
    xyz: NDArray[np.float64], up: NDArray[np.float64], camera_height: float | None = None
) -> tuple[NDArray[np.float64], tuple[float, float, float], NDArray[np.float64]]:
    """Centre, size and rotation, as of `Object`, of the box around (M, 3) points of the optical frame.

    up: (3,) unit normal of the ground. camera_height: metres of the camera above it, on which a box stands; None if it
    is not known.
    """
    forward = np.array([0.0, 0.0, 1.0]) - up[2] * up
    forward /= np.linalg.norm(forward)
    axes = np.stack([-np.cross(up, forward), forward, up])  # right, forward, up
    right_forward_up = xyz @ axes.T
    heights = right_forward_up[:, 2]
    low, high = float(heights.min()), float(heights.max())
    flat = right_forward_up[:, :2]
    if camera_height is not None:
        raised = heights > SKIRT - camera_height
        flat = flat[raised] if np.count_nonzero(raised) >= FEWEST else flat
        low = -camera_height if low <= FLOATING - camera_height else low
        high = max(high, low)
    angle = _closest_angle(flat)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])  # rows: ahead, left
    along = flat @ turn.T
    first, last = along.min(0), along.max(0)
    length, width = (last - first).tolist()
    middle = (first + last) / 2 @ turn
    ahead, left = turn
    if width > length:
        length, width, ahead, left = width, length, left, -ahead
    if ahead[0] < 0:
        ahead, left = -ahead, -left
    centre = np.array([*middle, (low + high) / 2]) @ axes
    rotation = np.stack([ahead @ axes[:2], left @ axes[:2], up], 1)
    return centre, (max(length, THINNEST), max(width, THINNEST), max(high - low, THINNEST)), rotation


def _closest_angle(flat: NDArray[np.float64]) -> float:
    """Radians in 0–π/2 by which the rectangle is turned whose sides are closest to the (M, 2) points."""
    flat = flat[:: -(-len(flat) // MOST)]
    coarse = _COARSE[int(np.argmax(_closeness(flat, _COARSE)))]
    fine = coarse + _FINE
    return float(fine[int(np.argmax(_closeness(flat, fine)))])


def _closeness(flat: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A,) how close the sides of the rectangle at each of the angles are to the points."""
    ahead = np.stack([np.cos(angles), np.sin(angles)])
    along = flat @ np.hstack([ahead, [-ahead[1], ahead[0]]])  # (M, 2 A): ahead of each, then left
    beside = np.minimum(along - along.min(0), along.max(0) - along)
    beside = np.minimum(beside[:, : len(angles)], beside[:, len(angles) :])
    return np.asarray((1 / np.maximum(beside, NOISE)).sum(0))
