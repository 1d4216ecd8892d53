# SPDX-License-Identifier: Apache-2.0
"""Whether one sensor contradicts the confident labels of the others: then one of them is wrong.

Single frames are not enough: with correct sensors the share is below 0.005 in most and up to 0.08 in some. The median
of several is. Measured with the shipped weights, on frames of Cityscapes, KITTI, MSRS, RoadScene and the simulator:
at most 0.004 as they are; depth times 3.9, as millimetres read as metres × 256, 0.04; mirrored 0.06 to 0.12; upside
down 0.25; a LiDAR turned by 10° 0.03 to 0.05, tilted 0.05 to 0.25; a camera upside down 0.06 to 0.20. Sensors
that are rarely confident alone are not detected: infrared, and depth that is too short.
"""

from __future__ import annotations

import numpy as np

from perception.classes import UNLABELLED
from perception.frame import Frame, Prediction
from perception.pipeline import Pipeline
from perception.sensors.presence import without

SURE = 0.9
"""Least probability at which a label of the other sensors counts."""

TOO_MUCH = 0.02
"""Share of the image, the median over the checked frames, from which on something is wrong."""

ENOUGH = 3
"""Least number of checked frames for a verdict."""

ASKED = 10
"""Least number of frames to check in a short recording."""


def is_asked(number: int, count: int, every: int) -> bool:
    """Whether frame `number` of `count` is checked: one in `every`, and no fewer than ASKED."""
    return every > 0 and number % max(1, min(every, count // ASKED)) == 0


def overturned(pipeline: Pipeline, frame: Frame, whole: Prediction) -> dict[str, float]:
    """By sensor of the frame: the share of the image where the others confidently give another class than `whole`.

    whole: the prediction of the whole frame. Empty for a frame with one sensor; sensors without information do not
    count. Costs one more prediction per sensor.
    """
    told = [name for name in frame.modalities if name not in whole.absent]
    return {name: _without(pipeline, frame, whole, name) for name in told} if len(told) > 1 else {}


def _without(pipeline: Pipeline, frame: Frame, whole: Prediction, sensor: str) -> float:
    rest = without(frame, {sensor})
    assert rest is not None  # another is there, as asked above
    others = pipeline(rest)
    if others.labels.shape != whole.labels.shape:  # without a camera that is known, depth has its own size
        return 0.0
    sure = (others.confidence >= 255 * SURE) & (others.labels != UNLABELLED)
    return float(np.mean(sure & (others.labels != whole.labels)))
