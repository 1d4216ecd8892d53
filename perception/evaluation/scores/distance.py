# SPDX-License-Identifier: Apache-2.0
"""Scores per distance.

Convention: distance is metres along the camera's optical axis, as depth sensors state it: of the sample's depth image
where that has a value, else of the nearest LiDAR point that falls on the pixel. Pixels with neither (the sky, and most
of a far scene that only the LiDAR reaches) are in no band. Bands hold their lower bound. The distance belongs to the
sample: it is known to the scores even where the network was not given depth or LiDAR.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import Frame
from perception.sensors.projection import nearest_per_pixel, project

BOUNDS = (15.0, 30.0, 60.0)
"""Metres between the bands."""

BANDS = ("0–15 m", "15–30 m", "30–60 m", "over 60 m")


@dataclass(frozen=True)
class BandScore:
    """Of the pixels in a band of distance; iou and recall by class."""

    iou: dict[str, float]
    recall: dict[str, float]
    pixels: int


class DistanceBands:
    """A confusion matrix per band, in the order of BANDS."""

    def __init__(self, classes: Classes = CLASSES) -> None:
        self.confusions: list[ConfusionMatrix] = [ConfusionMatrix(classes) for _ in BANDS]

    def update(self, labels: NDArray[np.uint8], truth: NDArray[np.uint8], distance: NDArray[np.float32]) -> None:
        """Adds one frame: (H, W) class ids and (H, W) metres, NaN unknown."""
        known = np.isfinite(distance)
        bands = np.digitize(distance[known], BOUNDS)
        labels, truth = labels[known], truth[known]
        for band, confusion in enumerate(self.confusions):
            confusion.update(labels[bands == band], truth[bands == band])

    def scores(self) -> dict[str, BandScore]:
        """By band; bands without any pixel are left out."""
        return {
            band: BandScore(confusion.iou(), confusion.recall(), confusion.pixels)
            for band, confusion in zip(BANDS, self.confusions, strict=True)
            if confusion.pixels
        }


def distance_map(frame: Frame, width: int, height: int) -> NDArray[np.float32] | None:
    """(height, width) float32 metres along the optical axis, NaN unknown; None for a frame without depth or LiDAR."""
    if frame.depth is None and frame.points is None:
        return None
    distance = np.full((height, width), np.nan, np.float32)
    if frame.points is not None:
        assert frame.camera is not None
        assert frame.lidar_to_camera is not None
        seen = project(frame.points, frame.lidar_to_camera, frame.camera.resized(width, height))
        pixels, nearest = nearest_per_pixel(seen)
        distance.ravel()[pixels] = seen.depth[nearest]
    if frame.depth is not None:
        depth = np.asarray(cv2.resize(frame.depth, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
        np.copyto(distance, depth, where=np.isfinite(depth))
    return distance
