# SPDX-License-Identifier: Apache-2.0
"""Recall per size of object.

Convention: an object is an 8-connected component of the truth's vehicle or pedestrian pixels, so that those that touch
count as one, and one behind a pole as two. Sizes are by area, with COCO's bounds: small below 32², medium below 96²,
else large. They are for COCO's 640 × 480 pixels and scale with the image's number of pixels, so that a reduced data set
keeps its sizes. recall is the share of the pixels of all objects of a size that got their class; found is the share of
the objects of which at least half the pixels did.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import FOREGROUND, PEDESTRIAN, VEHICLE

SIZES = ("small", "medium", "large")
SIDES = (32, 96)
"""Sides of the squares [pixels] that are as large as the bounds between the sizes."""

REFERENCE_PIXELS = 640 * 480
FOUND = 0.5

_OBJECTS = {name: index for name, index in FOREGROUND.items() if index in (VEHICLE, PEDESTRIAN)}


class ObjectSizes:
    """Counts per class and size."""

    def __init__(self) -> None:
        # Of each size: objects, objects found, pixels, pixels hit.
        self._counts = {name: np.zeros((len(SIZES), 4), np.int64) for name in _OBJECTS}

    def update(self, labels: NDArray[np.uint8], truth: NDArray[np.uint8]) -> None:
        """Adds one frame's (H, W) class ids."""
        bounds = np.square(SIDES) * (truth.size / REFERENCE_PIXELS)
        for name, index in _OBJECTS.items():
            mask = (truth == index).astype(np.uint8)
            count, components = cv2.connectedComponents(mask, connectivity=8)
            area = np.bincount(components.ravel(), minlength=count)[1:]
            hits = np.bincount(components[labels == index], minlength=count)[1:]
            rows = np.stack([np.ones_like(area), hits >= FOUND * area, area, hits], axis=1)
            np.add.at(self._counts[name], np.digitize(area, bounds), rows)

    def to_dict(self) -> dict[str, dict[str, dict[str, float]]]:
        """By class and size: objects, found (share of them) and recall (share of their pixels), NaN without any."""
        return {
            name: {size: _figures(row) for size, row in zip(SIZES, counts, strict=True)}
            for name, counts in self._counts.items()
        }


def _figures(row: NDArray[Any]) -> dict[str, float]:
    objects, found, pixels, hits = row.tolist()
    if not objects:
        return {"objects": 0, "found": float("nan"), "recall": float("nan")}
    return {"objects": objects, "found": found / objects, "recall": hits / pixels}
