# SPDX-License-Identifier: Apache-2.0
"""Everything that is scored of instances: PQ and AP of pixels, and at LiDAR points the share of boxes that are found.

Conventions of the former are in `panoptic` and `mask_ap`. As in Cityscapes' evaluation, true instances of fewer than
SMALLEST pixels are unknown, and as in COCO's, predicted ones of fewer that match nothing do not count.

Convention of the latter: of the true instances of a class with at least FEWEST points that the camera sees, how many a
predicted instance of the class matches with an IoU of at least one half, counted at the points that the camera sees and
whose truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.evaluation.scores.mask_ap import AveragePrecision
from perception.evaluation.scores.panoptic import Overlaps, PanopticQuality, PanopticScore, mean_score
from perception.frame import INSTANCE_STEP
from perception.instances import THINGS
from perception.reporting.reports import OPTIONAL

SMALLEST = 100
"""Pixels of an instance that is scored."""

FEWEST = 100
"""Points of a box that is scored."""

MATCHED = 0.5
"""The least IoU at points."""


@dataclass(frozen=True)
class BoxScore:
    """Of boxes with enough visible points: how many, and the share that an instance matches; NaN without any."""

    boxes: int
    matched: float


@dataclass(frozen=True)
class InstanceScores:
    """By class. mean: of the classes that occur. ap, ap50: mean over COCO's thresholds of IoU, and at 0.50. boxes: at
    LiDAR points. Each is missing where no sample had such truth."""

    panoptic: dict[str, PanopticScore] | None = field(default=None, metadata=OPTIONAL)
    mean: PanopticScore | None = field(default=None, metadata=OPTIONAL)
    ap: dict[str, float] | None = field(default=None, metadata=OPTIONAL)
    ap50: dict[str, float] | None = field(default=None, metadata=OPTIONAL)
    boxes: dict[str, BoxScore] | None = field(default=None, metadata=OPTIONAL)


class Instances:
    """Sums over frames."""

    def __init__(self, classes: Classes = CLASSES) -> None:
        self._classes = classes
        self._ids = {name: index for name, index in classes.foreground.items() if classes.first[index] in THINGS}
        self._quality = PanopticQuality(self._ids, INSTANCE_STEP, SMALLEST)
        self._precision = AveragePrecision(self._ids, INSTANCE_STEP, SMALLEST)
        self._boxes = {name: np.zeros(2, np.int64) for name in self._ids}  # scored, matched
        self._pixels = self._points = False

    def update(
        self,
        predicted: NDArray[np.uint16],
        confidence: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        instances: NDArray[np.uint16],
    ) -> None:
        """Adds one frame's pixels, all (H, W). confidence: of the predicted labels; an instance is as sure as its
        pixels on average. labels, instances: the truth, as `Sample` has them."""
        self._pixels = True
        kept = np.bincount(instances.ravel()) >= SMALLEST
        instances = np.where(kept[instances], instances, 0).astype(np.uint16)
        things = np.isin(self._classes.first[labels], THINGS)
        overlaps = Overlaps.of(predicted, instances, (labels == UNLABELLED) | (things & (instances == 0)))
        self._quality.update(overlaps)
        totals = np.bincount(predicted.ravel(), confidence.ravel(), minlength=int(predicted.max()) + 1)
        self._precision.update(overlaps, totals[overlaps.predicted] / overlaps.areas)

    def update_points(
        self, predicted: NDArray[np.uint16], labels: NDArray[np.uint8], instances: NDArray[np.uint16]
    ) -> None:
        """Adds one frame's (N,) points that the camera sees. labels, instances: the truth, as `Sample` has them."""
        self._points = True
        known = labels != UNLABELLED
        overlaps = Overlaps.of(predicted[known], instances[known], np.zeros(int(known.sum()), bool))
        same = overlaps.predicted[:, None] // INSTANCE_STEP == overlaps.true // INSTANCE_STEP
        matched = ((overlaps.iou() >= MATCHED) & same).any(0)
        for name, class_id in self._ids.items():
            scored = (overlaps.true // INSTANCE_STEP == class_id) & (overlaps.true_areas >= FEWEST)
            self._boxes[name] += scored.sum(), (scored & matched).sum()

    def scores(self) -> InstanceScores | None:
        """None where no sample had instances."""
        if not (self._pixels or self._points):
            return None
        quality = self._quality.scores()
        return InstanceScores(
            panoptic=quality if self._pixels else None,
            mean=mean_score(quality) if self._pixels else None,
            ap=self._precision.scores() if self._pixels else None,
            ap50=self._precision.scores_at_half() if self._pixels else None,
            boxes={name: _share(*counts.tolist()) for name, counts in self._boxes.items()} if self._points else None,
        )


def _share(boxes: int, matched: int) -> BoxScore:
    return BoxScore(boxes, matched / boxes if boxes else float("nan"))
