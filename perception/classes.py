# SPDX-License-Identifier: Apache-2.0
"""The classes the network knows, their colours, and how every data set's labels map to them.

This is the only place that knows class ids. vehicle = car, truck, bus, train, motorcycle, bicycle;
pedestrian = person, rider.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BACKGROUND, ROAD, VEHICLE, PEDESTRIAN = range(4)
UNLABELLED = 255

NO_OBJECT = 254
"""Truth that knows of neither vehicle nor pedestrian, but not whether it is road or background; never a prediction."""

CLASS_NAMES: tuple[str, ...] = ("background", "road", "vehicle", "pedestrian")
"""Names by class id."""

FOREGROUND: dict[str, int] = {"road": ROAD, "vehicle": VEHICLE, "pedestrian": PEDESTRIAN}
"""The classes that are published as masks of their own."""

PALETTE: NDArray[np.uint8] = np.array([(70, 70, 70), (128, 64, 128), (30, 110, 255), (255, 40, 60)], np.uint8)
"""(4, 3) RGB colours by class id."""

CAMVID: dict[int, int] = {3: ROAD, 8: VEHICLE, 9: PEDESTRIAN, 10: UNLABELLED, 11: UNLABELLED}
"""SegNet's 12 CamVid ids. 10 (bicyclist) is a person on a bicycle, two of our classes at once: ignored."""

IDD_LITE: dict[int, int] = {0: ROAD, 2: PEDESTRIAN, 3: VEHICLE, 255: UNLABELLED}
"""IDD-Lite level-1 ids. 0 is any drivable ground; 2 (living things) holds riders and animals; 3 has two-wheelers."""

CITYSCAPES_TRAIN_IDS: dict[int, int] = {
    0: ROAD, 11: PEDESTRIAN, 12: PEDESTRIAN, 13: VEHICLE, 14: VEHICLE, 15: VEHICLE, 16: VEHICLE, 17: VEHICLE,
    18: VEHICLE, 255: UNLABELLED,
}  # fmt: skip
"""Cityscapes trainIds (cityscapesscripts/helpers/labels.py)."""

CITYSCAPES_LABEL_IDS: dict[int, int] = {
    **dict.fromkeys(range(7), UNLABELLED), 7: ROAD, 24: PEDESTRIAN, 25: PEDESTRIAN, 26: VEHICLE, 27: VEHICLE,
    28: VEHICLE, 29: VEHICLE, 30: VEHICLE, 31: VEHICLE, 32: VEHICLE, 33: VEHICLE, 255: UNLABELLED,
}  # fmt: skip
"""Cityscapes labelIds, which KITTI semantics shares; ids 0–6 are void there."""

CITYSCAPES_NOT_EVALUATED: tuple[int, ...] = (*range(7), 9, 10, 14, 15, 16, 18, 29, 30, 255)
"""labelIds that Cityscapes' and KITTI's evaluation leaves out, caravans, trailers and car parks among them."""

KITTI_SEMANTICS: dict[int, int] = {**CITYSCAPES_LABEL_IDS, **dict.fromkeys(CITYSCAPES_NOT_EVALUATED, UNLABELLED)}
"""CITYSCAPES_LABEL_IDS without what the benchmark does not evaluate. What remains makes our road its class road, our
vehicle its category vehicle, and our pedestrian its category human."""

CITYSCAPES_REPRESENTATIVES: dict[int, int] = {BACKGROUND: 0, ROAD: 7, VEHICLE: 26, PEDESTRIAN: 24, UNLABELLED: 0}
"""The labelId that stands for each of our classes in a submission: unlabelled, road, car, person."""

ROAD_OR_NOT: dict[int, int] = {ROAD: ROAD, UNLABELLED: UNLABELLED}
"""Our classes where the truth knows of the road alone: everything else is background."""

KITTI_OBJECTS: dict[str, int] = {
    "Car": VEHICLE, "Van": VEHICLE, "Truck": VEHICLE, "Tram": VEHICLE, "Misc": UNLABELLED,
    "Pedestrian": PEDESTRIAN, "Person_sitting": PEDESTRIAN, "Person (sitting)": PEDESTRIAN,
    "Cyclist": UNLABELLED, "DontCare": UNLABELLED,
}  # fmt: skip
"""KITTI object and tracklet types. A cyclist's box holds a person and a bicycle: ignored."""


def lookup_table(mapping: Mapping[int, int]) -> NDArray[np.uint8]:
    """(256,) uint8 table from a data set's ids to ours; ids not in `mapping` are background."""
    table = np.full(256, BACKGROUND, np.uint8)
    for source, target in mapping.items():
        table[source] = target
    return table


def colourise(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) class ids → (H, W, 3) uint8 RGB; unlabelled pixels are black."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(PALETTE)] = PALETTE
    return table[labels]
