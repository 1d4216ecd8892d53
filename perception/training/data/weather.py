# SPDX-License-Identifier: Apache-2.0
"""Rarer disturbances of the colour image: JPEG, fog, darkness and motion blur."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.settings import Settings


@dataclass(frozen=True)
class Weather(Settings):
    """How often each disturbance occurs, as a share of the crops; they are drawn independently."""

    fog: float = 0.0
    darkness: float = 0.0
    motion_blur: float = 0.0
    jpeg: float = 0.0

    def apply(self, rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, disturbed or not, in the order in which light, lens and storage cause it.

        A disturbance with share 0 draws no random number: runs without it are not changed.
        """
        for share, disturb in (
            (self.fog, fog),
            (self.darkness, darkness),
            (self.motion_blur, motion_blur),
            (self.jpeg, jpeg),
        ):
            if share and rng.random() < share:
                rgb = disturb(rgb, rng)
        return rgb


def fog(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Fog that thickens towards a random horizon, with the transmission exp(-β d) (Koschmieder) of a flat road.

    The road's distance is proportional to 1 over rows below the horizon; everything above is at the visibility limit.
    """
    height = rgb.shape[0]
    horizon = height * rng.uniform(0.2, 0.6)
    nearness = np.maximum(np.arange(height) - horizon, 0.02 * height) / height
    transmission = np.exp(-rng.uniform(0.03, 0.15) / nearness)
    haze = rng.uniform(150, 235) + rng.normal(0, 4, 3)
    offset = ((1 - transmission[:, None]) * haze).astype(np.float32)
    out = rgb * transmission.astype(np.float32)[:, None, None]
    out += offset[:, None]
    return out.clip(0, 255).astype(np.uint8)


def darkness(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Night: little light, the colour of the lamps, and the noise of a sensor with high gain."""
    gain = rng.uniform(0.06, 0.45) * np.exp(rng.normal(0, 0.1, 3))
    gamma = rng.uniform(1.0, 1.6)
    ramp = 255 * (np.arange(256) / 255) ** gamma
    dark = cv2.LUT(rgb, (ramp[:, None] * gain).clip(0, 255).astype(np.uint8)[:, None])
    noise = np.empty(rgb.shape[:2], np.int16)
    # OpenCV's generator is many times faster than NumPy's, and is seeded here from ours.
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(noise, np.zeros(1), np.full(1, rng.uniform(1, 8)))
    return cv2.add(dark, cv2.merge([noise] * 3), dtype=cv2.CV_8U).astype(np.uint8)


def motion_blur(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur along a line of 3 to 11 pixels in a random direction."""
    size = int(rng.choice((3, 5, 7, 9, 11)))
    angle, reach = rng.uniform(0, np.pi), size // 2
    kernel = np.zeros((size, size), np.float32)
    for step in np.linspace(-reach, reach, 2 * size):
        kernel[round(reach + step * np.sin(angle)), round(reach + step * np.cos(angle))] = 1
    return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum()), np.uint8)


def jpeg(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Coded and decoded at a quality of 15 to 75."""
    # OpenCV takes the channels for BGR, both ways: red and blue are encoded equally coarsely.
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 76))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", rgb, quality)[1], cv2.IMREAD_COLOR), np.uint8)
