# SPDX-License-Identifier: Apache-2.0
"""Vehicles and people in KITTI frames that no 3D box covers, outlined by hand in the image: `truth/kitti_unboxed.json`.

A point outside every box is not proven to be background. Points that fall into these outlines are left out instead.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from perception.classes import NO_OBJECT, UNLABELLED
from perception.datasets.io.files import read_text
from perception.sample import Sample
from perception.sensors import project_sweep

Polygons = list[list[list[int]]]
"""Corners [x, y] in pixels of the camera's image."""

UNBOXED = Path(__file__).resolve().parent / "truth/kitti_unboxed.json"


def load_unboxed(path: Path = UNBOXED) -> dict[str, Polygons]:
    """Outlines by frame, FOLDER/SAMPLE: "kitti_frustum/drive_0005/000088". A frame with no such thing has none.

    A frame that is not there was not looked at. Raises DataError for a missing file.
    """
    found: dict[str, Polygons] = json.loads(read_text(path))
    return found


def leave_out(sample: Sample, polygons: Polygons) -> Sample:
    """`sample` with those of its points unknown that lie in no box and project into one of `polygons`."""
    projection = project_sweep(sample.frame)
    if sample.point_labels is None or projection is None:
        return sample
    width, height = sample.frame.size
    inside = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(inside, [np.array(polygon, np.int32)], 1)
    point_labels = sample.point_labels.copy()
    rows = projection.rows[inside.ravel()[projection.pixels] > 0]
    point_labels[rows[point_labels[rows] == NO_OBJECT]] = UNLABELLED
    return replace(sample, point_labels=point_labels)
