# SPDX-License-Identifier: Apache-2.0
"""Soft labels checked with the LiDAR: human-made 3D boxes turned into masks, and the ground against wrong road.

Pixels on which boxes and teacher agree get a class id; pixels on which they disagree are not learnt. There are two
exceptions, which become background: things that are too small for the teacher's class, and a white sky.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, CLASSES, NO_OBJECT, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE, Classes
from perception.datasets.kitti.tracklets import Tracklet, TrackletBox, read_tracklets
from perception.sample import Sample
from perception.sensors import Projection, project_sweep
from perception.sensors.ground import expected_or_fitted, fit_ground
from perception.sensors.visibility import hidden_from_camera
from perception.training.checks.small_things import small_things
from perception.training.checks.white_sky import white_sky

ABOVE_FLOOR = 0.15
"""Metres; the lowest part of a box contains points of the road."""

STANDING = 0.3
"""Metres above the ground plane, plus STANDING_PER_METRE for every metre of distance: higher points are not road,
whatever the teacher says."""

STANDING_PER_METRE = 0.01

WITHIN_GROUND = 0.05
"""Metres from the ground plane; a point so near to it, outside every box, is not a vehicle."""

NEAR = 25.0
"""Metres; farther away the road may leave the plane."""

REACH = 3
"""The pixels around a LiDAR point that the point decides."""

DENSE = 0.5
"""If a box's points cover this share of their outline, the teacher need not agree."""

FEWEST = 5
"""With fewer points, a box is not used for the image."""


def check_with_tracklets(samples: Sequence[Sample], root: Path, classes: Classes = CLASSES) -> list[Sample]:
    """KITTI frames with every check that has data: `root`/tracklet_labels.xml or one per drive folder.

    samples: those of `KittiFrames`, named DRIVE/NUMBER. Raises DataError for a broken tracklet file.
    """
    tracklets: dict[str, list[Tracklet]] = {}
    checked = []
    for sample in samples:
        drive, number = sample.name.rsplit("/", 1)
        if drive not in tracklets:
            paths = [folder / "tracklet_labels.xml" for folder in (root, root / drive)]
            tracklets[drive] = [item for path in paths if path.is_file() for item in read_tracklets(path)]
        boxes = [box for item in tracklets[drive] if (box := item.at(int(number))) is not None]
        checked.append(check(sample, boxes, classes))
    return checked


def check(sample: Sample, boxes: Sequence[TrackletBox], classes: Classes = CLASSES) -> Sample:
    """`sample` with class ids where boxes and teacher agree, and zero probabilities where they or the LiDAR disagree.

    A sample without soft labels or without points is returned unchanged.
    """
    seen = project_sweep(sample.frame)
    if sample.probabilities is None or seen is None or sample.frame.points is None:
        return sample
    projection = seen.only(~hidden_from_camera(sample.frame, seen))
    width, height = sample.frame.size
    resized = cv2.resize(sample.probabilities, (width, height), interpolation=cv2.INTER_LINEAR)
    soft = np.asarray(resized, np.float32)
    teacher = soft.argmax(2).astype(np.uint8)
    labels = np.full((height, width), UNLABELLED, np.uint8)
    contested = np.zeros((height, width), np.bool_)
    small = np.zeros((height, width), np.bool_)
    points = sample.frame.points[projection.rows]
    ground = expected_or_fitted(fit_ground(seen.xyz), sample.frame.ground)
    in_any_box = np.zeros(len(points), np.bool_)
    kinds = classes.mapping("kitti-boxes")
    for box in _far_to_near(boxes):
        inside = box.contains(points)
        in_any_box |= inside
        class_id = kinds.get(box.object_type, UNLABELLED)
        inside &= points[:, 2] > box.bottom[2] + ABOVE_FLOOR
        if class_id == UNLABELLED or inside.sum() < FEWEST:
            continue
        outline, spoken = _outline(projection.uv[inside], width, height)
        agreed = outline & (teacher == class_id)
        certain = agreed | (outline & spoken) if spoken[outline].mean() >= DENSE else agreed
        labels[outline] = UNLABELLED  # the background behind it
        labels[certain] = class_id
        contested = (contested & ~certain) | (outline & ~certain)
    if ground is not None:
        above = ground.above(projection.xyz)
        away = np.hypot(points[:, 0], points[:, 1])
        standing = above > STANDING + STANDING_PER_METRE * away
        no_vehicle = (np.abs(above) < WITHIN_GROUND) & (away < NEAR) & ~in_any_box
        contested |= _around(projection, standing, width, height) & (teacher == ROAD)
        if sample.point_labels is not None:
            no_object = sample.point_labels[projection.rows] == NO_OBJECT
            no_vehicle |= no_object
            small = _around(projection, small_things(points, above, no_object), width, height)
            small &= ((teacher == VEHICLE) | (teacher == PEDESTRIAN)) & (labels == UNLABELLED)
        contested |= _around(projection, no_vehicle, width, height) & (teacher == VEHICLE) & (labels == UNLABELLED)
        contested |= small
        labels[small] = BACKGROUND
    if sample.frame.rgb is not None:
        sky = white_sky(sample.frame.rgb, seen, soft[..., VEHICLE]) & (labels == UNLABELLED)
        contested |= sky
        labels[sky] = BACKGROUND
    half = sample.probabilities.shape[1::-1]
    veto = cv2.resize(contested.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST) > 0
    probabilities = sample.probabilities.copy()
    probabilities[veto] = 0
    return replace(sample, labels=labels, probabilities=probabilities)


def _far_to_near(boxes: Sequence[TrackletBox]) -> list[TrackletBox]:
    return sorted(boxes, key=lambda box: -float(np.hypot(box.bottom[0], box.bottom[1])))


def _outline(uv: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two (H, W) masks: the convex hull of the points (M, 2), and its part near one of them."""
    pixels = np.rint(uv).astype(np.int32)
    hull: NDArray[Any] = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(pixels), 1)
    return hull > 0, (_spots(pixels, width, height) > 0) & (hull > 0)


def _around(projection: Projection, chosen: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """(H, W) the pixels that the chosen points decide."""
    return _spots(np.rint(projection.uv[chosen]).astype(np.int32), width, height) > 0


def _spots(pixels: NDArray[np.int32], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W) 1 within REACH pixels of the (M, 2) pixels, in each direction."""
    image = np.zeros((height, width), np.uint8)
    image[pixels[:, 1].clip(0, height - 1), pixels[:, 0].clip(0, width - 1)] = 1
    return np.asarray(cv2.dilate(image, np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)), np.uint8)
