# SPDX-License-Identifier: Apache-2.0
"""A frame with its truth: what data sets and the simulator give, and what training and evaluation take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.frame import Frame


@dataclass
class Sample:
    """A `Frame` and what is known about it.

    name: unique within its data set, e.g. "train/0001TP_006690".
    labels: (H, W) uint8 class ids at frame.size, 255 unlabelled; None where only soft labels exist.
    probabilities: (h, w, 4) float32 soft labels per class, at any resolution; None where hard labels exist.
    point_labels: (N,) uint8 class id per LiDAR point, 255 unlabelled, NO_OBJECT where it comes from boxes of objects;
        None where unknown.
    instances: (H, W) uint16 at frame.size, which thing each pixel belongs to, coded as `Prediction.instances`; 0 where
        there is none, and for vehicles and pedestrians by their label where nobody told them apart. None where unknown.
    point_instances: (N,) uint16, the same per LiDAR point; None where unknown.
    """

    name: str
    frame: Frame
    labels: NDArray[np.uint8] | None = None
    probabilities: NDArray[np.float32] | None = None
    point_labels: NDArray[np.uint8] | None = None
    instances: NDArray[np.uint16] | None = None
    point_instances: NDArray[np.uint16] | None = None
