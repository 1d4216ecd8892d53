# SPDX-License-Identifier: Apache-2.0
"""What is scored beside the confusion matrix: by distance, by size of object, as KITTI's road, and the confidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.evaluation.kitti.road import RoadCurve, RoadScore, ground_pixels, road_confidence
from perception.evaluation.scores.calibration import Calibration, CalibrationScore
from perception.evaluation.scores.distance import BandScore, DistanceBands, distance_map
from perception.evaluation.scores.object_size import ObjectSizes, SizeScore
from perception.frame import Frame


@dataclass(frozen=True)
class DetailScores:
    """By distance, by class and size of object, as KITTI's road in the image and from above, and of the confidence."""

    distance: dict[str, BandScore]
    object_size: dict[str, dict[str, SizeScore]]
    kitti_road: RoadScore
    kitti_road_bev: RoadScore | None
    calibration: CalibrationScore


@dataclass
class Details:
    """Each states its convention in its module. road_bev: bird's-eye view, of frames whose camera is known."""

    classes: Classes = CLASSES
    distance: DistanceBands = field(init=False)
    size: ObjectSizes = field(init=False)
    road: RoadCurve = field(default_factory=RoadCurve)
    road_bev: RoadCurve = field(default_factory=RoadCurve)
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        self.distance, self.size = DistanceBands(self.classes), ObjectSizes(self.classes)

    def update(
        self, frame: Frame, labels: NDArray[np.uint8], confidence: NDArray[np.uint8], truth: NDArray[np.uint8]
    ) -> None:
        """Adds one frame. frame: with every sensor that it has. The rest is (H, W), of the truth's size."""
        height, width = truth.shape
        distance = distance_map(frame, width, height)
        if distance is not None:
            self.distance.update(labels, truth, distance)
        self.size.update(labels, truth)
        self.calibration.update(labels, confidence, truth)
        road = road_confidence(labels, confidence)
        self.road.update(road, truth)
        if frame.camera is not None:
            rows, columns = ground_pixels(frame.camera.resized(width, height))
            self.road_bev.update(road[rows, columns], truth[rows, columns])

    def scores(self) -> DetailScores:
        """Everything as figures; NaN where nothing was there to count."""
        return DetailScores(
            self.distance.scores(),
            self.size.scores(),
            self.road.score(),
            self.road_bev.score() if self.road_bev.pixels else None,
            self.calibration.score(),
        )
