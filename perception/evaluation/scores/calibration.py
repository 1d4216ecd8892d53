# SPDX-License-Identifier: Apache-2.0
"""The expected calibration error of the confidence.

Convention (Guo et al., On Calibration of Modern Neural Networks, ICML 2017): the confidence of the winning class falls
into 15 bins of equal width; the error is the mean over the bins, weighted by their pixels, of the distance between
the share of right pixels and the mean confidence. Every pixel with truth counts, background included. Confidence
comes in 255 steps (`Prediction.confidence`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED

BINS = 15
_STEPS = 256


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

    def error(self) -> float:
        """The expected calibration error, 0–1; NaN without any pixel."""
        bins = self.bins()
        total = sum(entry["pixels"] for entry in bins)
        if not total:
            return float("nan")
        return sum(entry["pixels"] * abs(entry["accuracy"] - entry["confidence"]) for entry in bins) / total

    def bins(self) -> list[dict[str, float]]:
        """The reliability diagram: mean confidence, accuracy and pixels of each bin that has any."""
        level = np.arange(_STEPS) / (_STEPS - 1)
        number = np.minimum((level * BINS).astype(int), BINS - 1)
        pixels, right, confidence = (
            np.bincount(number, weights, BINS) for weights in (self._pixels, self._right, self._pixels * level)
        )
        return [
            {"confidence": confidence[i] / pixels[i], "accuracy": right[i] / pixels[i], "pixels": int(pixels[i])}
            for i in np.flatnonzero(pixels)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Error and bins."""
        return {"expected_calibration_error": self.error(), "bins": self.bins()}
