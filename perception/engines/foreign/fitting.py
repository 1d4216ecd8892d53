# SPDX-License-Identifier: Apache-2.0
"""From an engine's input to the arrays that a described file takes, and the way back to the pixels that they are of."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.engines.foreign.description import CHANNELS, COLOURS, Description, Input
from perception.sensors import NetworkInput
from perception.sensors.spec import SPECS


class Fit(NamedTuple):
    """Where an image of `height`×`width` is in the file's input of `outer` (rows, columns): `inner` rows and columns,
    of which the first is at `start`."""

    height: int
    width: int
    outer: tuple[int, int]
    inner: tuple[int, int]
    start: tuple[int, int]


def fit_of(description: Description, size: tuple[int, int] | None, height: int, width: int) -> Fit:
    """Of an image of `height`×`width`. size: rows and columns of the file's input; None for one that takes any."""
    if size is None:
        step = description.stride
        outer = (max(step, round(height / step) * step), max(step, round(width / step) * step))
        return Fit(height, width, outer, outer, (0, 0))
    if description.fit == "stretch":
        return Fit(height, width, size, size, (0, 0))
    scale = min(size[0] / height, size[1] / width)
    inner = (min(size[0], round(height * scale)), min(size[1], round(width * scale)))
    return Fit(height, width, size, inner, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))


def feed(
    description: Description, given: Input, network_input: NetworkInput, fit: Fit, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """The array of one of the file's inputs, in the description's layout. network_input: of its sensors, or more where
    it takes the camera alone."""
    planes = [_resized(_plane(description, network_input, name), fit.inner) for name in given.channels]
    image = cv2.merge(planes).reshape(*fit.inner, len(planes))
    mean, std = np.array(given.mean, np.float32), np.array(given.std, np.float32)
    values = (image * np.float32(given.scale) - mean) / std
    if fit.inner != fit.outer:
        whole = np.empty((*fit.outer, len(planes)), np.float32)
        whole[:] = (np.float32(description.fill * given.scale) - mean) / std
        top, left = fit.start
        whole[top : top + fit.inner[0], left : left + fit.inner[1]] = values
        values = whole
    if "CHW" in description.layout:
        values = values.transpose(2, 0, 1)
    values = values[None] if description.layout.startswith("N") else values
    if dtype.kind == "u":
        values = np.rint(values).clip(0, 255)
    return np.ascontiguousarray(values, dtype)


def back(image: NDArray[Any], fit: Fit, nearest: bool = False) -> NDArray[Any]:
    """(height, width) of what an output (h, w) over the whole input says: float32, or its dtype if `nearest`."""
    if image.shape == (fit.height, fit.width) and fit.inner == fit.outer:
        return image
    # From pixel (x + 0.5) here to the input's, and from there to the output's.
    across = image.shape[1] / fit.outer[1]
    down = image.shape[0] / fit.outer[0]
    matrix = np.array(
        [
            [across * fit.inner[1] / fit.width, 0, across * (fit.start[1] + 0.5 * fit.inner[1] / fit.width) - 0.5],
            [0, down * fit.inner[0] / fit.height, down * (fit.start[0] + 0.5 * fit.inner[0] / fit.height) - 0.5],
        ]
    )
    how = cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR)
    source = np.ascontiguousarray(image, None if nearest else np.float32)
    return np.asarray(
        cv2.warpAffine(source, matrix, (fit.width, fit.height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    )


def _plane(description: Description, network_input: NetworkInput, name: str) -> NDArray[np.uint8]:
    if name in COLOURS:
        return np.ascontiguousarray(network_input.rgb[:, :, COLOURS.index(name)])
    sensor, number = CHANNELS[name]
    before = (each for each in description.sensors if each != "rgb")
    at = 0
    for each in before:
        if each == sensor:
            break
        at += len(SPECS[each].channels)
    return np.ascontiguousarray(network_input.aux[:, :, at + number])


def _resized(plane: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if plane.shape == size:
        return plane
    shrinks = plane.shape[0] > 1.5 * size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=how), np.uint8)
