# SPDX-License-Identifier: Apache-2.0
"""Pairs of images with a known disparity."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def texture(height: int = 80, width: int = 240) -> np.ndarray:
    """(H, W, 3) uint8 of blurred noise, which every block matcher likes."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.5), None, 0, 255, cv2.NORM_MINMAX)


def moved_left(image: np.ndarray, pixels: float) -> np.ndarray:
    """The same picture, its columns `pixels` further left, those that fall out coming in again from the right."""
    matrix = np.array([[1.0, 0, -pixels], [0, 1, 0]])
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_WRAP)


def write_pair(left: Path, right: Path, pixels: float = 8) -> None:
    """Two image files, 240×80, with this disparity everywhere."""
    for path, image in ((left, texture()), (right, moved_left(texture(), pixels))):
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image)
