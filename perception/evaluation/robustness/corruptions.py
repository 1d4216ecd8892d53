# SPDX-License-Identifier: Apache-2.0
"""The 15 common corruptions of images at 5 severities.

After Hendrycks and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, ICLR
2019, with the constants of Michaelis et al., Benchmarking Robustness in Object Detection, 2019 (the package
imagecorruptions, whose last release cannot be imported with NumPy 2). Not the same to the bit: OpenCV does what SciPy
and scikit-image did there; glass_blur moves all pixels at once and not one after the other; frost is drawn, where that
package lays photographs of frost over the image.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.robustness.corruptions_blur import defocus_blur, glass_blur, motion_blur, zoom_blur
from perception.evaluation.robustness.corruptions_weather import brightness, fog, frost, snow

Image = NDArray[np.float32]
"""(H, W, 3) RGB, 0–1."""

SEVERITIES = (1, 2, 3, 4, 5)


def corrupt(image: NDArray[np.uint8], name: str, severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, corrupted. name: of CORRUPTIONS. severity: 1–5. Images of at least 32×32 pixels."""
    corrupted = CORRUPTIONS[name](image.astype(np.float32) / np.float32(255), severity - 1, rng)
    return np.asarray(np.clip(corrupted, 0, 1) * 255 + 0.5, np.uint8)


def _gaussian_noise(image: Image, level: int, rng: np.random.Generator) -> Image:
    sigma = (0.08, 0.12, 0.18, 0.26, 0.38)[level]
    return image + np.float32(sigma) * rng.standard_normal(image.shape, np.float32)


def _shot_noise(image: Image, level: int, rng: np.random.Generator) -> Image:
    photons = (60, 25, 12, 5, 3)[level]
    return rng.poisson(image * photons).astype(np.float32) / np.float32(photons)


def _impulse_noise(image: Image, level: int, rng: np.random.Generator) -> Image:
    amount = (0.03, 0.06, 0.09, 0.17, 0.27)[level]
    chance = rng.random(image.shape, np.float32)
    return np.where(chance < amount / 2, 0, np.where(chance < amount, 1, image)).astype(np.float32)


def _contrast(image: Image, level: int, rng: np.random.Generator) -> Image:
    mean = image.mean(axis=(0, 1), keepdims=True)
    return (image - mean) * np.float32((0.4, 0.3, 0.2, 0.1, 0.05)[level]) + mean


def _elastic_transform(image: Image, level: int, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    alpha = 250 * (0.05, 0.065, 0.085, 0.1, 0.12)[level]
    reach, sigma = 0.005 * height, (0.01 * width, 0.01 * height)
    size = tuple(2 * int(3 * s + 0.5) + 1 for s in sigma)  # cut off at 3 σ
    shifts = rng.uniform(-reach, reach, (2, height, width)).astype(np.float32)
    dx, dy = (alpha * cv2.GaussianBlur(shift, size, *sigma, borderType=cv2.BORDER_REFLECT) for shift in shifts)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def _pixelate(image: Image, level: int, rng: np.random.Generator) -> Image:
    share = (0.6, 0.5, 0.4, 0.3, 0.25)[level]
    height, width = image.shape[:2]
    small = cv2.resize(image, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)


def _jpeg_compression(image: Image, level: int, rng: np.random.Generator) -> Image:
    quality = (25, 18, 15, 10, 7)[level]
    pixels = np.asarray(image * 255 + 0.5, np.uint8)[..., ::-1]
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[..., ::-1].astype(np.float32) / np.float32(255)


CORRUPTIONS: dict[str, Callable[[Image, int, np.random.Generator], Image]] = {
    "gaussian_noise": _gaussian_noise,
    "shot_noise": _shot_noise,
    "impulse_noise": _impulse_noise,
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "brightness": brightness,
    "contrast": _contrast,
    "elastic_transform": _elastic_transform,
    "pixelate": _pixelate,
    "jpeg_compression": _jpeg_compression,
}
"""By imagecorruptions' names and in its order: (image, severity - 1, random numbers) → image, not yet clipped."""
