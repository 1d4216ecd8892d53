# SPDX-License-Identifier: Apache-2.0
"""Thermal images as cameras send them: gain control, gamma, local equalisation, fixed patterns, blur, inversion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import Frame
from perception.sensors.thermal import RIM
from perception.settings import Settings

_RIM = RIM[np.dtype(np.uint8)]
_DARKEST = _RIM + 1
"""Grey levels up to _RIM above the darkest measured pixel count as a filled border."""


@dataclass(frozen=True)
class ThermalFaults(Settings):
    """How often a thermal image differs from the stored one, each as a share of the crops with one.

    control: contrast, gamma and 8 bits of another gain control. local: local equalisation. pattern: columns and pixels
    that the shutter has not corrected. blur: a soft lens. inverted: black-hot. rim: borders of a registration.
    narrow: only a band of temperatures, as when something hot fills the image.
    """

    control: float = 0.0
    local: float = 0.0
    pattern: float = 0.0
    blur: float = 0.0
    inverted: float = 0.0
    rim: float = 0.0
    narrow: float = 0.0

    def apply(self, frame: Frame, rng: np.random.Generator) -> Frame:
        """`frame` with its infrared disturbed, or unchanged."""
        if frame.infrared is None or not any(vars(self).values()):
            return frame
        image = _as_grey(frame.infrared)
        for share, disturb in (
            (self.blur, _blur),
            (self.pattern, _pattern),
            (self.narrow, _narrow),
            (self.local, _local),
            (self.control, _control),
            (self.inverted, _inverted),
            (self.rim, _rim),
        ):
            if rng.random() < share:
                image = disturb(image, rng)
        return replace(frame, infrared=np.clip(image, 0, 255).astype(np.uint8))


def _as_grey(infrared: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W) float32 in 0–255, 0 where nothing was measured."""
    if infrared.dtype == np.uint8:
        return infrared.astype(np.float32)
    rim, span = RIM[infrared.dtype], 255 - _DARKEST
    measured = infrared[infrared > rim]
    low, high = np.percentile(measured, (0.2, 99.8)) if len(measured) else (0, 1)
    grey = np.clip((infrared - np.float32(low)) * np.float32(span / max(high - low, 100.0)), 0, span) + _DARKEST
    grey[infrared <= rim] = 0
    return np.asarray(grey, np.float32)


def _control(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    gamma, gain = np.exp(rng.normal(0, 0.35)), rng.uniform(0.35, 1.3)
    offset = rng.uniform(0, 255 - 200 * min(gain, 1.0)) * rng.random()
    out = 255 * (image / 255) ** np.float32(gamma) * np.float32(gain) + np.float32(offset)
    out[image <= _RIM] = 0
    return np.asarray(np.maximum(out, np.where(image > _RIM, _DARKEST, 0)), np.float32)


def _local(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    tiles = int(rng.integers(2, 9))
    equalised = cv2.createCLAHE(rng.uniform(1.0, 5.0), (tiles, tiles)).apply(np.clip(image, 0, 255).astype(np.uint8))
    return np.where(image > _RIM, np.maximum(equalised, _DARKEST), 0).astype(np.float32)


def _pattern(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height, width = image.shape
    strength = rng.uniform(1, 10)
    columns = rng.normal(0, strength, (1, width)) * (rng.random() < 0.7)
    pixels = rng.standard_normal((height, width), np.float32) * np.float32(rng.uniform(0.5, strength))
    shade = cv2.resize(rng.normal(0, 1.5 * strength, (3, 4)).astype(np.float32), (width, height))
    return np.where(image > _RIM, np.maximum(image + columns + pixels + shade, _DARKEST), 0).astype(np.float32)


def _blur(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.5)), np.float32)


def _narrow(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    seen = image[image > _RIM]
    if not len(seen):
        return image
    low, high = np.percentile(seen, (rng.uniform(0, 12), rng.uniform(85, 100)))
    out = np.clip((image - low) * (240 / max(high - low, 8.0)), 0, 240) + 10
    return np.where(image > _RIM, out, 0).astype(np.float32)


def _inverted(image: NDArray[np.float32], _rng: np.random.Generator) -> NDArray[np.float32]:
    return np.where(image > _RIM, np.maximum(255 + _DARKEST - image, _DARKEST), 0).astype(np.float32)


def _rim(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A narrower view than the camera's, slightly rotated."""
    height, width = image.shape
    angle = rng.uniform(-3, 3)
    size = width * rng.uniform(0.6, 0.98), height * rng.uniform(0.6, 0.98)
    centre = width / 2 + rng.uniform(-0.1, 0.1) * width, height / 2 + rng.uniform(-0.1, 0.1) * height
    seen = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(seen, cv2.boxPoints((centre, size, angle)).round().astype(np.int32), 1)
    return np.where(seen > 0, np.maximum(image, _DARKEST), 0).astype(np.float32)
