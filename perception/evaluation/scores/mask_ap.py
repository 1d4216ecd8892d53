# SPDX-License-Identifier: Apache-2.0
"""Average precision of instances as COCO has it: the mean over IoU 0.50, 0.55 … 0.95, of masks of every size.

Conventions, those of pycocotools: of each frame and class the 100 surest instances count, the surest first; each takes
the true instance with the highest IoU that nothing took yet. Precision is the mean over 101 recalls. Unknown truth, see
`panoptic`, is COCO's crowd: an instance that is in it by the share that is asked for as IoU does not count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perception.evaluation.scores.panoptic import Overlaps

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100
"""Instances of a class in a frame that count."""


class AveragePrecision:
    """Matches by class. ids, step, least: as of `PanopticQuality`; COCO treats ranges of areas likewise."""

    def __init__(self, ids: Mapping[str, int], step: int, least: int = 0) -> None:
        self._ids, self._step, self._least = dict(ids), step, least
        self._scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self._ids}
        # (thresholds, instances) each: 1 right, 0 wrong, -1 does not count.
        self._right: dict[str, list[NDArray[np.int8]]] = {name: [] for name in self._ids}
        self._true = dict.fromkeys(self._ids, 0)

    def update(self, overlaps: Overlaps, scores: NDArray[np.float64]) -> None:
        """Adds one frame. scores: (P,) of the predicted instances."""
        union = overlaps.areas[:, None] + overlaps.true_areas - overlaps.shared
        iou, unknown = overlaps.shared / np.maximum(union, 1), overlaps.unknown / np.maximum(overlaps.areas, 1)
        for name, class_id in self._ids.items():
            rows = np.flatnonzero(overlaps.predicted // self._step == class_id)
            columns = np.flatnonzero(overlaps.true // self._step == class_id)
            rows = rows[np.argsort(-scores[rows], kind="stable")][:MOST]
            self._scores[name].append(scores[rows])
            right = _match(iou[np.ix_(rows, columns)], unknown[rows])
            right[(right == 0) & (overlaps.areas[rows] < self._least)] = -1
            self._right[name].append(right)
            self._true[name] += len(columns)

    def scores(self) -> dict[str, float]:
        """AP by class; NaN for classes without a true instance."""
        return {name: float(np.mean(self._precisions(name))) for name in self._ids}

    def scores_at_half(self) -> dict[str, float]:
        """The same at IoU 0.50 alone."""
        return {name: float(self._precisions(name)[0]) for name in self._ids}

    def _precisions(self, name: str) -> NDArray[np.float64]:
        """(thresholds,) the mean precision at each."""
        if not self._true[name]:
            return np.full(len(THRESHOLDS), np.nan)
        scores = np.concatenate([np.zeros(0), *self._scores[name]])
        right = np.concatenate([np.zeros((len(THRESHOLDS), 0), np.int8), *self._right[name]], 1)
        right = right[:, np.argsort(-scores, kind="stable")]
        tp, fp = np.cumsum(right == 1, 1), np.cumsum(right == 0, 1)
        return np.array([_area(*each, self._true[name]) for each in zip(tp, fp, strict=True)])


def _match(iou: NDArray[np.float64], unknown: NDArray[np.float64]) -> NDArray[np.int8]:
    """(thresholds, P) whether each of the P predicted instances is right, from (P, T), the surest first."""
    right = np.zeros((len(THRESHOLDS), len(iou)), np.int8)
    for number, threshold in enumerate(THRESHOLDS):
        free = np.ones(iou.shape[1], bool)
        for row, of_row in enumerate(iou):
            candidates = np.where(free, of_row, -1.0)
            if len(candidates) and candidates.max() >= threshold:
                free[candidates.argmax()] = False
                right[number, row] = 1
            elif unknown[row] >= threshold:
                right[number, row] = -1
    return right


def _area(tp: NDArray[np.int64], fp: NDArray[np.int64], true: int) -> float:
    """Mean over RECALLS of the highest precision at that recall or more."""
    precision = np.maximum.accumulate((tp / np.maximum(tp + fp, 1))[::-1])[::-1]
    places = np.searchsorted(tp / true, RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())
