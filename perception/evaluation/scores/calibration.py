# SPDX-License-Identifier: Apache-2.0
"""The expected calibration error of the confidence.

Convention (Guo et al., On Calibration of Modern Neural Networks, ICML 2017): the confidence of the winning class falls
into 15 bins of equal width; the error is the mean over the bins, weighted by their pixels, of the distance between
the share of right pixels and the mean confidence. Every pixel with truth counts, background included. Confidence
comes in 255 steps (`Prediction.confidence`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED

BINS = 15
_STEPS = 256


@dataclass(frozen=True)
class Bin:
    """Of the reliability diagram: mean confidence, share of right pixels, and pixels."""

    confidence: float
    accuracy: float
    pixels: int


@dataclass(frozen=True)
class CalibrationScore:
    """The error is 0–1; NaN without any pixel."""

    expected_calibration_error: float
    bins: list[Bin]


class Calibration:
    """Counts, per step of confidence, of pixels and of those that are right."""

    def __init__(self) -> None:
        self._pixels = np.zeros(_STEPS, np.int64)
        self._right = np.zeros(_STEPS, np.int64)

    def update(self, labels: NDArray[np.uint8], confidence: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Adds one frame: (H, W) class ids, (H, W) probability × 255, (H, W) truth, 255 unknown."""
        known = truth != UNLABELLED
        self._pixels += np.bincount(confidence[known], minlength=_STEPS)
        self._right += np.bincount(confidence[known & (labels == truth)], minlength=_STEPS)

    def score(self) -> CalibrationScore:
        """Error and bins."""
        bins = self.bins()
        total = sum(each.pixels for each in bins)
        wrong = sum(each.pixels * abs(each.accuracy - each.confidence) for each in bins)
        return CalibrationScore(wrong / total if total else float("nan"), bins)

    def bins(self) -> list[Bin]:
        """The reliability diagram: the bins that have any pixel."""
        level = np.arange(_STEPS) / (_STEPS - 1)
        number = np.minimum((level * BINS).astype(int), BINS - 1)
        pixels, right, confidence = (
            np.bincount(number, weights, BINS) for weights in (self._pixels, self._right, self._pixels * level)
        )
        return [
            Bin(float(confidence[i] / pixels[i]), float(right[i] / pixels[i]), int(pixels[i]))
            for i in np.flatnonzero(pixels)
        ]
