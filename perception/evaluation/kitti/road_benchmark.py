# SPDX-License-Identifier: Apache-2.0
"""KITTI's road benchmark: the figures of `perception.evaluation.kitti.road` by category, in the image and from above.

Categories: um_road (two-way, marked), umm_road (several lanes), uu_road (unmarked) and URBAN, the counts of these
three together. Where KITTI's truth is the ego lane alone, the category is um_lane and not part of URBAN: road
predicted beside that lane counts as wrong, so only the recall is meaningful.

Bird's-eye view is on the plane that the image's calibration gives (Tr_cam_to_road), as the server's is; images without
it are in the perspective's figures only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, ROAD, UNLABELLED
from perception.datasets.io.lazy import LazySequence
from perception.datasets.kitti.road import KittiRoad
from perception.evaluation.kitti.birds_eye import birds_eye
from perception.evaluation.kitti.road import RoadCurve, RoadScore, road_confidence
from perception.frame import Prediction
from perception.sample import Sample

URBAN = "URBAN"
LANE = "um_lane"
CATEGORIES = ("um_road", "umm_road", "uu_road", URBAN, LANE)
VIEWS = ("perspective", "birds_eye")


class RoadSamples(LazySequence[Sample]):
    """The reader's samples with background wherever the truth says that no road is: for scoring, not for training.

    Samples whose truth is the ego lane stay as they are: road in the lane, nothing known beside it.
    """

    def __init__(self, reader: KittiRoad) -> None:
        self.reader = reader

    def __len__(self) -> int:
        return len(self.reader)

    def read(self, index: int) -> Sample:
        """Sample number `index`."""
        sample = self.reader[index]
        truth = self.reader.truth(sample.name, sample.frame.size)
        if truth is None or truth.category == LANE:
            return sample
        return replace(sample, labels=_classes(truth.road, truth.valid))


@dataclass(frozen=True)
class RoadScores:
    """Of one category of KITTI road: its images, and what it scores in either view; None where nothing is seen."""

    images: int
    perspective: RoadScore | None
    birds_eye: RoadScore | None


class RoadBenchmark:
    """Curves by category and view over all samples. images: how many, by category; from_above: in total."""

    def __init__(self, reader: KittiRoad) -> None:
        self._reader = reader
        self._curves = {(category, view): RoadCurve() for category in CATEGORIES for view in VIEWS}
        self.images = dict.fromkeys(CATEGORIES, 0)
        self.from_above = 0

    def update(self, sample: Sample, prediction: Prediction) -> None:
        """Adds one sample of the reader; one without truth adds nothing."""
        truth = self._reader.truth(sample.name, sample.frame.size)
        if truth is None:
            return
        confidence, known = road_confidence(prediction.labels, prediction.confidence), _classes(truth.road, truth.valid)
        plane = self._reader.plane(sample.name)
        self.from_above += plane is not None
        for category in (truth.category,) if truth.category == LANE else (truth.category, URBAN):
            self.images[category] += 1
            self._curves[category, "perspective"].update(confidence, known)
            if plane is not None:
                seen = birds_eye(truth.valid.astype(np.uint8), plane) > 0
                road = birds_eye(truth.road.astype(np.uint8), plane) > 0
                self._curves[category, "birds_eye"].update(birds_eye(confidence, plane), _classes(road, seen))

    def scores(self) -> dict[str, dict[str, RoadScore | None]]:
        """By category that occurs, then by view; None where nothing was seen in that view."""
        return {
            category: {view: self._score(category, view) for view in VIEWS}
            for category in CATEGORIES
            if self.images[category]
        }

    def report(self) -> dict[str, RoadScores]:
        """By category that occurs."""
        return {
            category: RoadScores(self.images[category], views["perspective"], views["birds_eye"])
            for category, views in self.scores().items()
        }

    def _score(self, category: str, view: str) -> RoadScore | None:
        curve = self._curves[category, view]
        return curve.score() if curve.pixels else None


def _classes(road: NDArray[np.bool_], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(valid, np.where(road, ROAD, BACKGROUND), UNLABELLED).astype(np.uint8)
