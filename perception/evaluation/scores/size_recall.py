# SPDX-License-Identifier: Apache-2.0
"""The share of people's pixels found, by the people's height: photographs of near people, at reduced scales.

Convention: a band is a scale of the photographs and the heights [pixels] that a person may have in the scaled one; a
person's height is that of all of its pixels, times the scale. Outside the outlines there is no truth, so this is only
a recall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN
from perception.datasets.penn_fudan import PennFudan
from perception.frame import Frame, Prediction


class Band(NamedTuple):
    """scale: of the photographs. low, high: pixels, the heights that count, both included."""

    scale: float
    low: float
    high: float


BANDS: dict[str, Band] = {
    "near": Band(1, 180, 390),
    "middle": Band(1 / 3, 60, 130),
    "far": Band(1 / 6, 30, 65),
}
"""The same people in each; Penn-Fudan's are nearly all near."""


def found_share(predict: Callable[[Frame], Prediction], people: PennFudan, band: Band) -> float:
    """The share of the pixels of all people of this band that `predict` calls pedestrian; NaN where there are none.

    predict: a `Pipeline`, for example. Raises DataError as `people` does.
    """
    found = pixels = 0
    for index, sample in enumerate(people):
        photograph = sample.frame.rgb
        assert photograph is not None  # a set of photographs
        inside = _people_in(people.instances(index), band)
        if inside.any():
            labels = predict(Frame(stamp_ns=0, rgb=_scaled(photograph, band.scale, cv2.INTER_AREA))).labels
            inside = _scaled(inside.astype(np.uint8), band.scale, cv2.INTER_NEAREST) > 0
            found += int((labels[inside] == PEDESTRIAN).sum())
            pixels += int(inside.sum())
    return found / pixels if pixels else float("nan")


def _people_in(instances: NDArray[np.uint8], band: Band) -> NDArray[np.bool_]:
    """(H, W) where the people are who are of this band once the photograph is scaled."""
    rows = {each: np.flatnonzero((instances == each).any(axis=1)) for each in np.unique(instances[instances > 0])}
    heights = {each: (found[-1] - found[0] + 1) * band.scale for each, found in rows.items()}
    return np.isin(instances, [each for each, height in heights.items() if band.low <= height <= band.high])


def _scaled(image: NDArray[np.uint8], scale: float, how: int) -> NDArray[np.uint8]:
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
