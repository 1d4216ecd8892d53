# SPDX-License-Identifier: Apache-2.0
"""A second look at the same input, mirrored and smaller: what both see is more often right than what one does.

Averaging over mirrored and scaled inputs is an old way to more accuracy (DeepLab, Chen et al., TPAMI 2018, 4.2).
Engines give the likeliest class and its probability alone, so the more confident look decides.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.engines.base import Engine, NetworkOutput, needs_of_engine, prepare, sensors_of_engine
from perception.sensors import NetworkInput
from perception.sensors.encode import AUX_SCALE, STRIDE

SECOND = 0.75
"""Part of the resolution, of each side, at which the second look is taken."""


class Twice:
    """An engine that runs `once` on the input, and again on `mirrored`. Instances are those of the first look."""

    def __init__(self, once: Engine) -> None:
        self.once = once
        self.sensors = sensors_of_engine(once)
        self.needs = needs_of_engine(once)

    @property
    def name(self) -> str:
        """The engine's."""
        return f"{self.once.name}, twice"

    def prepare(self, height: int, width: int) -> None:
        """For both looks."""
        prepare(self.once, height, width)
        prepare(self.once, *_second(height, width))

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """See the class."""
        return combined(self.once.infer(network_input), self.once.infer(mirrored(network_input)))


def once_of(engine: Engine) -> Engine:
    """The engine that looks once: `once` of a `Twice`, else itself."""
    return engine.once if isinstance(engine, Twice) else engine


def mirrored(network_input: NetworkInput) -> NetworkInput:
    """The input with left and right exchanged, at SECOND of its size, in multiples of STRIDE.

    Of the auxiliary channels, which are sparse and mark what is missing, single pixels are taken and none are averaged.
    """
    rgb, aux = network_input.rgb, network_input.aux
    height, width = _second(*rgb.shape[:2])
    smaller = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = (
        np.arange(new // AUX_SCALE) * old // (new // AUX_SCALE)
        for new, old in zip((height, width), aux.shape[:2], strict=True)
    )
    return NetworkInput(
        np.ascontiguousarray(smaller[:, ::-1]), aux.take(rows, 0).take(columns[::-1], 1), network_input.present
    )


def _second(height: int, width: int) -> tuple[int, int]:
    """The size of the second look at an input of that size."""
    height, width = (max(STRIDE, round(side * SECOND / STRIDE) * STRIDE) for side in (height, width))
    return height, width


def combined(first: NetworkOutput, second: NetworkOutput) -> NetworkOutput:
    """Of the outputs for an input and for its `mirrored`: the labels of the more confident one.

    The confidence is the mean probability of that label; where the other look says something else, all that it leaves
    counts as probability of this label.
    """
    height, width = first.labels.shape
    labels = _back(second.labels, width, height, cv2.INTER_NEAREST)
    confidence = _back(second.confidence, width, height, cv2.INTER_LINEAR)
    agreeing = cv2.compare(labels, first.labels, cv2.CMP_EQ)
    better = cv2.compare(confidence, first.confidence, cv2.CMP_GT)
    sure, unsure = cv2.max(confidence, first.confidence), cv2.min(confidence, first.confidence)
    other = cv2.bitwise_not(unsure)
    cv2.copyTo(unsure, agreeing, other)
    chosen = first.labels.copy()
    cv2.copyTo(labels, better, chosen)
    return first._replace(
        labels=chosen,
        confidence=np.asarray(cv2.addWeighted(sure, 0.5, other, 0.5, 0), np.uint8),
        weights=np.asarray((first.weights + second.weights) / 2, np.float32),
    )


def _back(image: NDArray[np.uint8], width: int, height: int, how: int) -> NDArray[Any]:
    """As large as the first look's, and with left on the left."""
    return np.asarray(cv2.resize(np.ascontiguousarray(image[:, ::-1]), (width, height), interpolation=how))
