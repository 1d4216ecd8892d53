# SPDX-License-Identifier: Apache-2.0
"""What speaks for labelling a frame by hand, measured on what `perception label` wrote of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE, Classes
from perception.frame import Frame
from perception.sensors.ground import ground_by_lidar

SENSORS, POINTS, CONFIDENCE, RARE, FLICKER = SIGNALS = ("sensors", "points", "confidence", "rare", "flicker")
"""The signals: a sensor contradicts the others (`labelling.contradiction`); the sweep contradicts the image; the
network is unsure; a class is rare; the labels differ from both neighbours in time."""

UNSURE = 0.6
"""Probability below which a label counts as unsure."""

PRESENT = 2e-4
"""Share of the image from which on a frame holds a class: 93 pixels of KITTI's."""

STANDS_M, LIES_M, NEAR_M = 0.4, 0.1, 25.0
"""Heights above the ground: of road no point is above the first, of an object hardly one below the second; and how far
from the camera the plane of the ground is good for it [m]."""

ROWS, COLUMNS = 4, 8
"""Cells of the image whose shares of classes describe a scene."""

Ids = NDArray[np.uint8]


def unsure(labels: Ids, confidence: Ids) -> NDArray[np.bool_]:
    """(H, W) pixels that have a label of little confidence."""
    return np.asarray((confidence < UNSURE * 255) & (labels != UNLABELLED))


def flickering(before: Ids, labels: Ids, after: Ids) -> NDArray[np.bool_]:
    """(H, W) pixels whose class is one in the frames before and after, and another in this."""
    return np.asarray((before == after) & (labels != before) & (labels != UNLABELLED) & (before != UNLABELLED))


def stray(frame: Frame, point_labels: Ids, classes: Classes) -> float | None:
    """Share of the sweep's labelled points near the camera that contradict their label by their height.

    Points take the label of their pixel: road that stands up, or an object as flat as the ground, is an error of the
    labels, the calibration or the clocks. None without a sweep of as many points, or without a ground.
    """
    ground = ground_by_lidar(frame)
    if (
        frame.points is None
        or frame.lidar_to_camera is None
        or ground is None
        or len(point_labels) != len(frame.points)
    ):
        return None
    mount = frame.lidar_to_camera.astype(np.float32)
    xyz = frame.points[:, :3] @ mount[:3, :3].T + mount[:3, 3]
    near = (point_labels != UNLABELLED) & (np.linalg.norm(xyz, axis=1) < NEAR_M)
    if not near.any():
        return None
    height, first = ground.above(xyz[near]), classes.first[point_labels[near]]
    wrong = ((first == ROAD) & (height > STANDS_M)) | (np.isin(first, (VEHICLE, PEDESTRIAN)) & (height < LIES_M))
    return float(wrong.mean())


def layout(labels: Ids, classes: Classes) -> Ids:
    """(ROWS × COLUMNS × K,) what a scene looks like: the share of every class in every cell × 255."""
    shares = [
        cv2.resize(np.where(labels == number, 255, 0).astype(np.uint8), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        for number in range(len(classes))
    ]
    return np.stack(shares).ravel().astype(np.uint8)


def likeness(layouts: Ids, one: Ids) -> NDArray[np.float32]:
    """(N,) how alike (N, D) layouts are to one of (D,): 1 for equal, 0 where no cell has a class in common."""
    total = np.empty(len(layouts), np.float32)
    for start in range(0, len(layouts), 8192):  # a fleet's at once would be a gigabyte
        some = layouts[start : start + 8192].astype(np.int16)
        total[start : start + 8192] = np.abs(some - one.astype(np.int16)).sum(axis=1)
    return np.asarray(1 - total / (2 * 255 * ROWS * COLUMNS), np.float32)
