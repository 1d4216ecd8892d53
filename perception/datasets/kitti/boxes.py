# SPDX-License-Identifier: Apache-2.0
"""Classes of LiDAR points from human-made 3D boxes.

Convention: a point inside a box of a vehicle or a pedestrian (`perception.classes`) has that class. Within MARGIN
around any box, and up to FLOOR above a box's floor, where the road is inside the box, the class is unknown. It is also
unknown inside boxes that hold two classes (a cyclist is a person on a bicycle), that overlap with another class, or of
type Misc. In KITTI's object set, points in a DontCare region of the image are unknown too. All others are NO_OBJECT.

KITTI's annotators drew no boxes around parked bicycles, which belong to our class vehicle, nor around every parked car
behind others: a network that finds them is scored as wrong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, NO_OBJECT, UNLABELLED, Classes
from perception.datasets.kitti.calibration import KittiCalibration
from perception.datasets.kitti.objects import ObjectLabel
from perception.datasets.kitti.tracklets import Tracklet
from perception.frame import CameraModel
from perception.instances import coded
from perception.sensors.projection import project

MARGIN = 0.35
"""Metres around a box within which a point is neither in it nor certainly outside."""

FLOOR = 0.2
"""Metres above a box's floor up to which a point may belong to the road."""

Box = tuple[str, NDArray[np.float64]]
"""An object type and its (8, 3) corners in the LiDAR frame: the floor's four around, then the roof's above them."""


def label_points(points: NDArray[np.float32], boxes: Iterable[Box], classes: Classes = CLASSES) -> NDArray[np.uint8]:
    """(N,) uint8 ids of the (N, ≥3) points: of the boxes' classes, NO_OBJECT, or 255 if unknown."""
    kinds = classes.mapping("kitti-boxes")
    inside = {label: np.zeros(len(points), bool) for label in {UNLABELLED, *kinds.values()}}
    near = np.zeros(len(points), bool)
    for kind, corners in boxes:
        beyond, height = _beyond(points, corners)
        near |= beyond <= MARGIN
        inside[kinds.get(kind, UNLABELLED)] |= (beyond <= 0) & (height >= FLOOR)
    labels = np.where(near, np.uint8(UNLABELLED), np.uint8(NO_OBJECT))
    known = [label for label in inside if label != UNLABELLED]
    for label in known:
        labels[inside[label]] = label
    several = np.sum([inside[label] for label in known], axis=0) > 1
    labels[inside[UNLABELLED] | several] = UNLABELLED
    return labels


def number_points(
    points: NDArray[np.float32],
    boxes: Iterable[Box],
    point_labels: NDArray[np.uint8],
    classes: Classes = CLASSES,
) -> NDArray[np.uint16]:
    """(N,) uint16 instances of the (N, ≥3) points, coded as `Prediction.instances`: of the boxes, numbered from 1.

    point_labels: by `label_points`; a point without a class is in no instance, and one in two boxes of its class is in
    the first.
    """
    kinds = classes.mapping("kitti-boxes")
    numbers = np.zeros(len(points), np.uint16)
    for number, (kind, corners) in enumerate(boxes, start=1):
        own = np.flatnonzero((point_labels == kinds.get(kind, UNLABELLED)) & (numbers == 0))
        numbers[own[_beyond(points[own], corners)[0] <= 0]] = number
    return coded(np.where(point_labels == NO_OBJECT, UNLABELLED, point_labels), numbers)


def tracklet_boxes(tracklets: Sequence[Tracklet], frame_number: int) -> list[Box]:
    """The boxes of a raw drive's frame."""
    found = (tracklet.at(frame_number) for tracklet in tracklets)
    return [(box.object_type, box.corners()) for box in found if box is not None]


def object_boxes(labels: Sequence[ObjectLabel], camera0: KittiCalibration) -> list[Box]:
    """The 3D boxes of a label file. camera0: calibration of camera 0, whose frame KITTI's boxes are in."""
    back = np.linalg.inv(camera0.lidar_to_camera)
    boxed = [label for label in labels if label.object_type != "DontCare"]
    return [(label.object_type, label.corners() @ back[:3, :3].T + back[:3, 3]) for label in boxed]


def ignore_regions(
    point_labels: NDArray[np.uint8],
    points: NDArray[np.float32],
    labels: Sequence[ObjectLabel],
    camera: CameraModel,
    lidar_to_camera: NDArray[np.float64],
) -> None:
    """Sets points to unknown, in place, that are NO_OBJECT and in a DontCare region of the image."""
    seen = project(points, lidar_to_camera, camera)
    for label in labels:
        if label.object_type == "DontCare":
            left, top, right, bottom = label.box
            u, v = seen.uv.T
            rows = seen.rows[(u >= left) & (u <= right) & (v >= top) & (v <= bottom)]
            point_labels[rows[point_labels[rows] == NO_OBJECT]] = UNLABELLED


def _beyond(points: NDArray[np.float32], corners: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(N,) metres by which each point is outside the box, negative inside it; (N,) metres above its floor."""
    # The floor's corners 1 and 3 are neighbours of corner 0, and corner 4 is above it.
    edges = corners[[1, 3, 4]] - corners[0]
    lengths = np.maximum(np.linalg.norm(edges, axis=1), 1e-6)
    along = (points[:, :3] - corners.mean(axis=0).astype(np.float32)) @ (edges / lengths[:, None]).T.astype(np.float32)
    half = (lengths / 2).astype(np.float32)
    return (np.abs(along) - half).max(axis=1), along[:, 2] + half[2]
