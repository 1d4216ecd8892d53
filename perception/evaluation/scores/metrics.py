# SPDX-License-Identifier: Apache-2.0
"""Intersection over union and pixel accuracy, all from one confusion matrix.

Conventions: counts are summed over all frames first and divided last (as Cityscapes and mmseg do), weighting frames by
their pixels. Truth 255 is ignored. A prediction of 255 where there is truth is a miss. A class that occurs neither in
truth nor in the prediction has no IoU (NaN); one that is only predicted has IoU 0.

Truth that comes from boxes of objects has NO_OBJECT outside them: vehicle or pedestrian predicted there is wrong;
road and background are unknown there and have no IoU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, NO_OBJECT, PEDESTRIAN, UNLABELLED, VEHICLE, Classes


class ConfusionMatrix:
    """Counts of truth against prediction.

    counts: (K + 1, K + 1) int64 of K classes, [truth, predicted]; the last row counts pixels whose truth is NO_OBJECT,
    the last column those with truth but without a prediction.
    """

    def __init__(self, classes: Classes = CLASSES) -> None:
        self.classes = classes
        self.counts: NDArray[np.int64] = np.zeros((len(classes) + 1, len(classes) + 1), np.int64)

    def update(self, predicted: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Adds one frame's class ids, 255 unlabelled. Raises ValueError for different shapes or unknown ids."""
        if predicted.shape != truth.shape:
            raise ValueError(f"predicted {predicted.shape} and truth {truth.shape} differ in shape")
        known = truth != UNLABELLED
        rows, columns = truth[known].astype(np.int64), predicted[known].astype(np.int64)
        rows[rows == NO_OBJECT] = len(self.classes)
        columns[columns == UNLABELLED] = len(self.classes)
        height, width = self.counts.shape
        if rows.max(initial=0) >= height or columns.max(initial=0) >= width:
            raise ValueError(f"class ids must be 0–{len(self.classes) - 1} or {UNLABELLED}")
        self.counts += np.bincount(rows * width + columns, minlength=height * width).reshape(height, width)

    def add(self, other: ConfusionMatrix) -> None:
        """Adds the counts of another matrix."""
        self.counts += other.counts

    @property
    def pixels(self) -> int:
        """Number of pixels with truth."""
        return int(self.counts.sum())

    def iou(self) -> dict[str, float]:
        """TP / (TP + FP + FN) of the foreground classes by name; NaN for classes that never occur."""
        return {name: self._ratio(index, union=True) for name, index in self.classes.foreground.items()}

    def mean_iou(self) -> float:
        """The mean of `iou()` over the foreground classes, without those that never occur; NaN without any."""
        values = [value for value in self.iou().values() if not np.isnan(value)]
        return float(np.mean(values)) if values else float("nan")

    def recall(self) -> dict[str, float]:
        """TP / (TP + FN) by foreground class."""
        return {name: self._ratio(index, union=False) for name, index in self.classes.foreground.items()}

    def pixel_accuracy(self) -> float:
        """The share of the pixels whose class is known, background included, that got it; NaN without any."""
        known = self.counts[: len(self.classes)]
        return _divide(np.trace(known), known.sum())

    def _ratio(self, index: int, union: bool) -> float:
        if index not in (VEHICLE, PEDESTRIAN) and self.counts[len(self.classes)].any():
            return float("nan")  # where else it is remains unknown
        hits, total = self.counts[index, index], self.counts[index].sum()
        if union:
            total = total + self.counts[:, index].sum() - hits
        return _divide(hits, total)


def _divide(numerator: Any, denominator: Any) -> float:
    return float(numerator / denominator) if denominator else float("nan")
