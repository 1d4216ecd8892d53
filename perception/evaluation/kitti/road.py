# SPDX-License-Identifier: Apache-2.0
"""KITTI's road metrics, in the image and in bird's-eye view (Fritsch, Kühnl and Geiger, ITSC 2013).

Convention, as in KITTI's development kit: a confidence that a pixel is road, in steps of 1/255, is compared with the
thresholds 0, 1/255, …, 1; a pixel is called road at or above the threshold. TP, FP and FN are summed over all images,
then divided. MaxF is the largest F1 over the thresholds; PRE, REC, FPR = FP / N and FNR = FN / P are those at its
threshold; AP is the mean of the largest precision at recalls of at least 0, 0.1, …, 1 (Pascal VOC 2007).

Ours: the network publishes its winning class and that class's probability. The confidence of road is that probability
where road won; where another class won, it is 1 minus its probability, the most that road can have. Unlabelled pixels
do not count.

Bird's-eye view covers 10 m to either side and 6 to 46 m ahead in cells of 0.05 m, each of which takes the nearest
pixel. The ground is assumed to be a plane, level with the camera and CAMERA_HEIGHT below it; KITTI's server uses its
calibrated plane per image. Cells outside the image do not count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.classes import ROAD, UNLABELLED
from perception.frame import CameraModel

CAMERA_HEIGHT = 1.65
"""Metres of KITTI's camera above the road."""

SIDE, NEAR, FAR, CELL = 10.0, 6.0, 46.0, 0.05
"""The bird's-eye view: metres to either side, from and to ahead, and per cell."""

_STEPS = 256
_EPSILON = 1e-10


class RoadScore(NamedTuple):
    """Shares, 0–1; NaN without any road in the truth. threshold: of the confidence, where F1 is largest."""

    max_f: float
    average_precision: float
    precision: float
    recall: float
    false_positive_rate: float
    false_negative_rate: float
    threshold: float


class RoadCurve:
    """Counts, per step of confidence, of pixels that are road and that are not."""

    def __init__(self) -> None:
        self._road = np.zeros(_STEPS, np.int64)
        self._other = np.zeros(_STEPS, np.int64)

    @property
    def pixels(self) -> int:
        """Number of pixels, or cells, with truth."""
        return int(self._road.sum() + self._other.sum())

    def update(self, confidence: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Adds one frame: confidence of road × 255, and class ids, 255 unknown, of one shape."""
        self._road += np.bincount(confidence[truth == ROAD], minlength=_STEPS)
        self._other += np.bincount(confidence[(truth != ROAD) & (truth != UNLABELLED)], minlength=_STEPS)

    def score(self) -> RoadScore:
        """The official figures."""
        road, other = int(self._road.sum()), int(self._other.sum())
        if not road:
            return RoadScore(*[float("nan")] * 7)
        hits, alarms = (np.cumsum(counts[::-1])[::-1] for counts in (self._road, self._other))
        precision, recall = hits / (hits + alarms + _EPSILON), hits / road
        f1 = 2 * precision * recall / (precision + recall + _EPSILON)
        best = int(f1.argmax())
        reached = [precision[recall >= level].max(initial=0.0) for level in np.arange(11) / 10]
        return RoadScore(
            max_f=float(f1[best]),
            average_precision=float(np.mean(reached)),
            precision=float(precision[best]),
            recall=float(recall[best]),
            false_positive_rate=float(alarms[best] / other) if other else float("nan"),
            false_negative_rate=float(1 - recall[best]),
            threshold=best / (_STEPS - 1),
        )


def road_confidence(labels: NDArray[np.uint8], confidence: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) probability of road × 255: that of the winner where road won, else 1 minus it."""
    return np.where(labels == ROAD, confidence, 255 - confidence).astype(np.uint8)


def ground_pixels(camera: CameraModel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(M,) rows and (M,) columns of the pixels that the cells of the bird's-eye view fall on, those in the image."""
    across = np.arange(-SIDE + CELL / 2, SIDE, CELL)
    ahead = np.arange(NEAR + CELL / 2, FAR, CELL)
    x, z = np.meshgrid(across, ahead)
    ground = np.stack([x.ravel(), np.full(x.size, CAMERA_HEIGHT), z.ravel()])
    u, v, w = camera.intrinsics @ ground
    columns, rows = np.rint(u / w).astype(np.intp), np.rint(v / w).astype(np.intp)
    seen = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    return rows[seen], columns[seen]
