# SPDX-License-Identifier: Apache-2.0
"""The blurs among the common corruptions; `perception.evaluation.robustness.corruptions` says after whom."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def defocus_blur(image: Image, level: int, rng: np.random.Generator) -> Image:
    """A lens out of focus: the mean over a disk with a soft edge."""
    radius, softness = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))[level]
    reach = np.arange(-max(8, radius), max(8, radius) + 1)
    disk = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.float32)
    size = 3 if radius <= 8 else 5
    kernel = cv2.GaussianBlur(disk / disk.sum(), (size, size), softness)
    return np.asarray(cv2.filter2D(image, -1, kernel), np.float32)


def glass_blur(image: Image, level: int, rng: np.random.Generator) -> Image:
    """Frosted glass: blurred, pixels mixed with their neighbours, blurred again."""
    sigma, reach, passes = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))[level]
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    mixed = cv2.GaussianBlur(image, (0, 0), sigma)
    for _ in range(passes):
        dx, dy = rng.integers(-reach, reach, (2, height, width))
        mixed = mixed[np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)]
    return np.asarray(cv2.GaussianBlur(mixed, (0, 0), sigma), np.float32)


def motion_blur(image: Image, level: int, rng: np.random.Generator) -> Image:
    """A camera that moves, at an angle of up to 45° with the horizon."""
    radius, sigma = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))[level]
    return smear(image, radius, sigma, rng.uniform(-45, 45))


def zoom_blur(image: Image, level: int, rng: np.random.Generator) -> Image:
    """A camera that rushes ahead: the mean over enlargements about the centre."""
    end, step = ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03))[level]
    factors = np.arange(1, end, step)
    total = image + sum(zoom(image, factor) for factor in factors)
    return np.asarray(total / np.float32(len(factors) + 1), np.float32)


def zoom(image: Image, factor: float) -> Image:
    """(H, W[, C]) enlarged about its centre and cropped to its own size."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, factor)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)


def smear(image: Image, radius: int, sigma: float, degrees: float) -> Image:
    """(H, W[, C]) drawn out to one side over 2·radius + 1 pixels, with weights that fall off as a Gaussian's half."""
    length = 2 * radius + 1
    weights = np.exp(-(np.arange(length) ** 2) / (2 * sigma**2))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    for step, weight in enumerate(weights / weights.sum()):
        kernel[length + math.ceil(step * sine - 0.5), length + math.ceil(step * cosine - 0.5)] += weight
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
