# SPDX-License-Identifier: Apache-2.0
"""Snow, frost, fog and brightness among the common corruptions; `corruptions` beside it says after whom."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.robustness.corruptions_blur import smear, zoom

Image = NDArray[np.float32]

_NEEDLES = 900
"""Ice needles of a frosted window."""


def snow(image: Image, level: int, rng: np.random.Generator) -> Image:
    """Flakes that fall aslant, before an image that whitens."""
    mean, spread, size, threshold, radius, sigma, kept = (
        (0.1, 0.3, 3.0, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2.0, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4.0, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    )[level]
    flakes = zoom(rng.normal(mean, spread, image.shape[:2]).astype(np.float32), size)
    flakes = np.where(flakes < threshold, 0, np.clip(flakes, 0, 1)).astype(np.float32)
    flakes = smear(flakes, radius, sigma, rng.uniform(-135, -45))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    white = np.maximum(image, grey * 1.5 + 0.5)
    return np.asarray(kept * image + (1 - kept) * white + (flakes + np.rot90(flakes, 2))[..., None], np.float32)


def frost(image: Image, level: int, rng: np.random.Generator) -> Image:
    """Ice on the lens: needles and clouds of it, drawn, over an image that darkens."""
    kept, ice = ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))[level]
    height, width = image.shape[:2]
    needles = np.zeros((height, width), np.float32)
    starts = rng.uniform((0, 0), (width, height), (_NEEDLES, 2))
    angles, lengths = rng.uniform(0, 2 * np.pi, _NEEDLES), rng.gamma(2.0, 0.05 * height, _NEEDLES)
    ends = starts + np.stack([np.cos(angles), np.sin(angles)], axis=1) * lengths[:, None]
    for start, end, bright in zip(starts.astype(int), ends.astype(int), rng.uniform(0.3, 1, _NEEDLES), strict=True):
        cv2.line(needles, start.tolist(), end.tolist(), float(bright), 1, cv2.LINE_AA)
    needles += 2 * cv2.GaussianBlur(needles, (0, 0), 2)
    cover = plasma(max(height, width), 2.0, rng)[:height, :width]
    texture = np.clip(cover**2 + needles * cover, 0, 1)[..., None] * np.array([0.85, 0.95, 1.0], np.float32)
    return np.asarray(kept * image + ice * texture, np.float32)


def fog(image: Image, level: int, rng: np.random.Generator) -> Image:
    """Patches of fog that do not know of distance."""
    density, decay = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))[level]
    height, width = image.shape[:2]
    brightest = float(image.max())
    hazy = image + density * plasma(max(height, width), decay, rng)[:height, :width, None]
    return np.asarray(hazy * (brightest / (brightest + density)), np.float32)


def brightness(image: Image, level: int, rng: np.random.Generator) -> Image:
    """An exposure too long: value of HSV raised."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.clip(hsv[..., 2] + (0.1, 0.2, 0.3, 0.4, 0.5)[level], 0, 1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32)


def plasma(side: int, decay: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(S, S) float32 0–1 with S the power of two from `side` on: a fractal height map by diamonds and squares.

    decay: by how much the roughness falls with each halving of the step.
    """
    size = 1 << (side - 1).bit_length()
    height = np.zeros((size, size), np.float32)
    step, rough = size, 100.0

    def roughened(total: NDArray[np.float32]) -> NDArray[np.float32]:
        return total / 4 + np.float32(rough) * rng.uniform(-rough, rough, total.shape).astype(np.float32)

    while step >= 2:
        half = step // 2
        corners = height[::step, ::step]
        squares = corners + np.roll(corners, -1, axis=0)
        squares += np.roll(squares, -1, axis=1)
        height[half::step, half::step] = roughened(squares)
        centres = height[half::step, half::step]
        beside = centres + np.roll(centres, 1, axis=0)
        above = centres + np.roll(centres, 1, axis=1)
        height[::step, half::step] = roughened(beside + corners + np.roll(corners, -1, axis=1))
        height[half::step, ::step] = roughened(above + corners + np.roll(corners, -1, axis=0))
        step, rough = half, rough / decay
    height -= height.min()
    return np.asarray(height / max(float(height.max()), 1e-6), np.float32)
