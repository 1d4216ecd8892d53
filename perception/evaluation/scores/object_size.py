# SPDX-License-Identifier: Apache-2.0
"""Recall per size of object.

Convention: an object is an 8-connected component of the truth's pixels of any class but background and road, so that
those that touch count as one, and one behind a pole as two. Sizes are by area, with COCO's bounds: small below 32²,
medium below 96², else large. They are for COCO's 640 × 480 pixels and scale with the image's number of pixels, so that
a reduced data set keeps its sizes. recall is the share of the pixels of all objects of a size that got their class;
found is the share of the objects of which at least half the pixels did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, VEHICLE, Classes

SIZES = ("small", "medium", "large")
SIDES = (32, 96)
"""Sides of the squares [pixels] that are as large as the bounds between the sizes."""

REFERENCE_PIXELS = 640 * 480
FOUND = 0.5


@dataclass(frozen=True)
class SizeScore:
    """Of the objects of a size: how many, the share that was found, and the share of their pixels; NaN without any."""

    objects: int
    found: float
    recall: float


class ObjectSizes:
    """Counts per class and size."""

    def __init__(self, classes: Classes = CLASSES) -> None:
        self._objects = {name: index for name, index in classes.foreground.items() if index >= VEHICLE}
        # Of each size: objects, objects found, pixels, pixels hit.
        self._counts = {name: np.zeros((len(SIZES), 4), np.int64) for name in self._objects}

    def update(self, labels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Adds one frame's (H, W) class ids."""
        bounds = np.square(SIDES) * (truth.size / REFERENCE_PIXELS)
        for name, index in self._objects.items():
            mask = (truth == index).astype(np.uint8)
            count, components = cv2.connectedComponents(mask, connectivity=8)
            area = np.bincount(components.ravel(), minlength=count)[1:]
            hits = np.bincount(components[labels == index], minlength=count)[1:]
            rows = np.stack([np.ones_like(area), hits >= FOUND * area, area, hits], axis=1)
            np.add.at(self._counts[name], np.digitize(area, bounds), rows)

    def scores(self) -> dict[str, dict[str, SizeScore]]:
        """By class and size."""
        return {
            name: {size: _figures(row) for size, row in zip(SIZES, counts, strict=True)}
            for name, counts in self._counts.items()
        }


def _figures(row: NDArray[Any]) -> SizeScore:
    objects, found, pixels, hits = row.tolist()
    if not objects:
        return SizeScore(0, float("nan"), float("nan"))
    return SizeScore(objects, found / objects, hits / pixels)
