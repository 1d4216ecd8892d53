# SPDX-License-Identifier: Apache-2.0
"""KITTI's semantic segmentation benchmark, as its server scores the files that `submission` writes.

Conventions, of Cityscapes' scripts: one confusion matrix of labelIds over all images; IoU = TP / (TP + FP + FN); pixels
whose true label is not evaluated count nowhere; a class that never occurs has no IoU. The class IoU is the mean over
19 classes, the category IoU the mean over 7.

The network has three of them: class road, category vehicle (written as car) and category human (written as person). It
does not know the other classes, which score 0 wherever they occur, so both means are low by design; only the figures of
road, vehicle and human compare with those of other networks. iIoU, which weighs by the size of instances, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perception.classes import CITYSCAPES_NOT_EVALUATED, CITYSCAPES_REPRESENTATIVES, lookup_table
from perception.datasets.kitti.semantics import KittiSemantics
from perception.frame import Prediction
from perception.sample import Sample

CATEGORIES: dict[str, dict[int, str]] = {
    "flat": {7: "road", 8: "sidewalk"},
    "construction": {11: "building", 12: "wall", 13: "fence"},
    "object": {17: "pole", 19: "traffic light", 20: "traffic sign"},
    "nature": {21: "vegetation", 22: "terrain"},
    "sky": {23: "sky"},
    "human": {24: "person", 25: "rider"},
    "vehicle": {26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle", 33: "bicycle"},
}
"""The classes that are evaluated, by category and labelId."""

OURS = {"road": ("class", "road"), "vehicle": ("category", "vehicle"), "pedestrian": ("category", "human")}
"""What each of our classes is in the benchmark."""


@dataclass(frozen=True)
class SemanticsScores:
    """IoU of the 19 classes and the 7 categories, and their means."""

    class_iou: dict[str, float]
    mean_class_iou: float
    category_iou: dict[str, float]
    mean_category_iou: float


class SemanticsBenchmark:
    """Counts of true and written labelIds over the samples of a reader."""

    def __init__(self, reader: KittiSemantics) -> None:
        self._reader = reader
        self._table = lookup_table(CITYSCAPES_REPRESENTATIVES)
        self.counts = np.zeros((256, 256), np.int64)

    def update(self, sample: Sample, prediction: Prediction) -> None:
        """Adds one sample of the reader, which must have truth."""
        truth = self._reader.ids(sample.name, sample.frame.size).astype(np.int64)
        written = self._table[prediction.classes.first[prediction.labels]]
        counts = np.bincount((truth * 256 + written).ravel(), minlength=self.counts.size).reshape(self.counts.shape)
        counts[list(CITYSCAPES_NOT_EVALUATED)] = 0
        self.counts += counts

    def class_iou(self) -> dict[str, float]:
        """By the name of each of the 19 classes; NaN for those that never occur."""
        return {name: self._iou([label]) for labels in CATEGORIES.values() for label, name in labels.items()}

    def category_iou(self) -> dict[str, float]:
        """By the name of each of the 7 categories; NaN for those that never occur."""
        return {name: self._iou(list(labels)) for name, labels in CATEGORIES.items()}

    def report(self) -> SemanticsScores:
        """Everything; NaN for what never occurs."""
        classes, categories = self.class_iou(), self.category_iou()
        return SemanticsScores(classes, _mean(classes), categories, _mean(categories))

    def _iou(self, labels: list[int]) -> float:
        hits = self.counts[np.ix_(labels, labels)].sum()
        union = self.counts[labels].sum() + self.counts[:, labels].sum() - hits
        return float(hits / union) if union else float("nan")


def _mean(values: dict[str, float]) -> float:
    found = [value for value in values.values() if not np.isnan(value)]
    return float(np.mean(found)) if found else float("nan")
