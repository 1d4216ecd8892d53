# SPDX-License-Identifier: Apache-2.0
"""Panoptic quality of things (Kirillov et al., CVPR 2019): PQ = SQ · RQ by class.

Conventions, those of the authors' panopticapi: a predicted and a true instance of one class match if their IoU is above
one half, which only one pair can have. SQ is the mean IoU of the matched, RQ is TP / (TP + FP/2 + FN/2). Unknown truth,
pixels without a label or of a thing whose instance nobody told apart, is left out of unions, and a predicted instance
that is mostly there is not wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MATCHED = 0.5
"""IoU above which two instances are one; also the share of a predicted one that may be unknown."""


@dataclass(frozen=True)
class PanopticScore:
    """Of a class, or the means over classes that occur. tp, fp, fn: instances; figures NaN without any."""

    pq: float
    sq: float
    rq: float
    tp: int
    fp: int
    fn: int


@dataclass(frozen=True)
class Overlaps:
    """Of a frame's predicted and true instances.

    predicted, true: (P,) and (T,) codes. areas, true_areas: pixels of each. unknown: (P,) pixels of the predicted ones
    where the truth is unknown. shared: (P, T) pixels in both.
    """

    predicted: NDArray[np.uint16]
    true: NDArray[np.uint16]
    areas: NDArray[np.int64]
    true_areas: NDArray[np.int64]
    unknown: NDArray[np.int64]
    shared: NDArray[np.int64]

    @classmethod
    def of(cls, predicted: NDArray[np.uint16], true: NDArray[np.uint16], unknown: NDArray[np.bool_]) -> Overlaps:
        """Of codes and whether the truth is unknown, all of one shape."""
        codes, which, areas = np.unique(predicted, return_inverse=True, return_counts=True)
        true_codes, which_true, true_areas = np.unique(true, return_inverse=True, return_counts=True)
        which, which_true = which.ravel(), which_true.ravel()
        shape = len(codes), len(true_codes)
        shared = np.bincount(which * shape[1] + which_true, minlength=shape[0] * shape[1]).reshape(shape)
        lost = np.bincount(which[unknown.ravel()], minlength=shape[0])
        rows, columns = codes > 0, true_codes > 0
        return cls(
            codes[rows],
            true_codes[columns],
            areas[rows],
            true_areas[columns],
            lost[rows],
            shared[np.ix_(rows, columns)],
        )

    def iou(self) -> NDArray[np.float64]:
        """(P, T), without what is unknown."""
        union = (self.areas - self.unknown)[:, None] + self.true_areas - self.shared
        return np.asarray(self.shared / np.maximum(union, 1))


class PanopticQuality:
    """Counts by class. ids: class ids by name. step: codes per class, as in `Prediction.instances`. least: pixels of a
    predicted instance that is wrong if nothing matches it; a smaller one does not count then."""

    def __init__(self, ids: Mapping[str, int], step: int, least: int = 0) -> None:
        self._ids, self._step, self._least = dict(ids), step, least
        # Of each class: sum of IoU, TP, FP, FN.
        self._sums = {name: np.zeros(4) for name in self._ids}

    def update(self, overlaps: Overlaps) -> None:
        """Adds one frame."""
        iou = overlaps.iou()
        for name, class_id in self._ids.items():
            rows, columns = (codes // self._step == class_id for codes in (overlaps.predicted, overlaps.true))
            own = iou[np.ix_(rows, columns)]
            matched = own > MATCHED
            areas = overlaps.areas[rows]
            wrong = ~matched.any(1) & (overlaps.unknown[rows] <= MATCHED * areas) & (areas >= self._least)
            missed = ~matched.any(0)
            self._sums[name] += own[matched].sum(), matched.sum(), wrong.sum(), missed.sum()

    def scores(self) -> dict[str, PanopticScore]:
        """By class."""
        return {name: _score(*sums) for name, sums in self._sums.items()}


def mean_score(scores: Mapping[str, PanopticScore]) -> PanopticScore:
    """Over the classes that occur, in truth or in the prediction."""
    there = [score for score in scores.values() if not np.isnan(score.pq)]
    pq, sq, rq = (_mean([getattr(score, name) for score in there]) for name in ("pq", "sq", "rq"))
    tp, fp, fn = (sum(getattr(score, name) for score in scores.values()) for name in ("tp", "fp", "fn"))
    return PanopticScore(pq, sq, rq, tp, fp, fn)


def _score(iou: Any, tp: Any, fp: Any, fn: Any) -> PanopticScore:
    total = tp + fp / 2 + fn / 2
    if not total:
        nothing = float("nan")
        return PanopticScore(nothing, nothing, nothing, 0, 0, 0)
    quality = float(iou / tp) if tp else 0.0
    return PanopticScore(float(iou / total), quality, float(tp / total), int(tp), int(fp), int(fn))


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
