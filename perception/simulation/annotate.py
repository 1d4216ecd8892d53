# SPDX-License-Identifier: Apache-2.0
"""Labels as annotators draw them, where single rays differ."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, VEHICLE
from perception.frame import INSTANCE_STEP
from perception.instances import nearest_value

IN_FRONT = 0.3
"""Metres by which something must be nearer than a bicycle to hide it."""

GAP = 0.3
"""Metres across the gaps between spokes and tubes."""


def fill_bicycles(
    labels: NDArray[np.uint8], depth: NDArray[np.float32], bicycle: NDArray[np.bool_], focal: float
) -> None:
    """Label the gaps between spokes and tubes of bicycles as bicycle, in place.

    Human annotators outline a bicycle without its gaps (Cityscapes' labelling policy: what is seen through an object
    belongs to the object). labels: (H, W) class ids. depth: (H, W) metres. bicycle: (H, W), where
    rays met one. focal: length in pixels. People on it, and objects in front of it, keep their labels.
    """
    count, groups, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(bicycle.astype(np.uint8), np.ones((3, 3))))
    for group in range(1, count):
        part = bicycle & (groups == group)
        distance = float(np.median(depth[part]))
        size = max(3, round(GAP * focal / distance))
        left, top, width, height = boxes[group][:4]
        area = np.s_[max(top - size, 0) : top + height + size, max(left - size, 0) : left + width + size]
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        inside = cv2.morphologyEx(part[area].astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
        inside &= (labels[area] != PEDESTRIAN) & (depth[area] > distance - IN_FRONT)
        labels[area][inside] = VEHICLE


def number_things(
    labels: NDArray[np.uint8], things: NDArray[np.int64], bicycle: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """(H, W) instances as in `Sample`, of every vehicle and pedestrian in sight, numbered from 1 in each class.

    labels: (H, W) class ids. things: (H, W) number of what each ray met, 0 in gaps of bicycles, which belong to the
    nearest bicycle: a rider and the bicycle below are one thing and two classes. bicycle: as in `fill_bicycles`. What
    has no number, such as bicycles in a rack, has no instance.
    """
    gaps = (labels == VEHICLE) & (things == 0)
    if gaps.any() and bicycle.any():
        things = np.where(gaps, nearest_value(things, bicycle), things)
    instances = np.zeros(labels.shape, np.uint16)
    for class_id in (VEHICLE, PEDESTRIAN):
        mask = (labels == class_id) & (things > 0)
        number = 1 + np.unique(things[mask], return_inverse=True)[1].ravel()
        instances[mask] = np.where(number < INSTANCE_STEP, class_id * INSTANCE_STEP + number, 0)
    return instances
