# SPDX-License-Identifier: Apache-2.0
"""Whether one sensor overturns what the others together are sure of: then one of them is wrong.

Single frames tell little: with sensors as they are the share is below 0.005 in most and up to 0.08 in some. The median
of several does. Measured with the shipped weights, on frames of Cityscapes, KITTI, MSRS, RoadScene and the simulator:
at most 0.004 as they are; depth times 3.9, as millimetres read as metres × 256, 0.04; mirrored 0.06 to 0.12; upside
down 0.25; a LiDAR turned by 10° 0.03 to 0.05, tilted 0.05 to 0.25; a camera upside down 0.06 to 0.20. A sensor that is
seldom sure when alone is not found out: infrared, and depth that is too short.
"""

from __future__ import annotations

import numpy as np

from perception.classes import UNLABELLED
from perception.frame import Frame, Prediction
from perception.pipeline import Pipeline
from perception.sensors.presence import without

SURE = 0.9
"""Probability from which on a label of the other sensors counts."""

TOO_MUCH = 0.02
"""Share of the image, the median over the frames that were asked of, from which on something is wrong."""

ENOUGH = 3
"""Frames that must have been asked of."""

ASKED = 10
"""Frames that are asked of in a recording of which one in so many would be fewer."""


def is_asked(number: int, count: int, every: int) -> bool:
    """Whether frame `number` of `count` is one of those that are asked of: one in `every`, and no fewer than ASKED."""
    return every > 0 and number % max(1, min(every, count // ASKED)) == 0


def overturned(pipeline: Pipeline, frame: Frame, whole: Prediction) -> dict[str, float]:
    """By sensor of the frame: the share of the image where the others are sure of another class than `whole` says.

    whole: the pipeline's answer to the whole frame. Empty for a frame of one sensor; those that tell nothing are
    nobody's. Costs one more answer per sensor.
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
