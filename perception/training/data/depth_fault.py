# SPDX-License-Identifier: Apache-2.0
"""Faults of a depth image: holes, streaks, fat edges, coarse disparities, a short range, a late image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import Frame
from perception.settings import Settings


@dataclass(frozen=True)
class DepthFaults(Settings):
    """How often depth is disturbed in training: a `share` of the crops with depth, each in a few ways."""

    share: float = 0.0

    def draw(self, rng: np.random.Generator) -> DepthFault | None:
        """One disturbance, or none."""
        if not self.share or rng.random() >= self.share:
            return None
        return DepthFault(int(rng.integers(2**32)))


@dataclass(frozen=True)
class DepthFault:
    """One disturbance, determined by `seed`."""

    seed: int

    def apply(self, frame: Frame) -> Frame:
        """`frame` with its depth disturbed; the same frame if it has none."""
        if frame.depth is None:
            return frame
        rng = np.random.default_rng(self.seed)
        depth = frame.depth.copy()
        for share, disturb in (
            (0.4, _holes),
            (0.3, _fat),
            (0.3, _coarse),
            (0.2, _streaks),
            (0.15, _short),
            (0.15, _off),
        ):
            if rng.random() < share:
                depth = disturb(depth, rng)
        return replace(frame, depth=depth)


def _holes(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    height, width = depth.shape
    cells = rng.standard_normal((max(2, height // int(rng.integers(6, 40))), max(2, width // int(rng.integers(6, 40)))))
    field = cv2.resize(cells.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(field > rng.uniform(0.0, 1.2), np.nan, depth).astype(np.float32)


def _fat(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Near things extend over their edges, as with a matcher's window."""
    size = int(rng.integers(2, 9)) * max(1, depth.shape[1] // 600) | 1
    far = np.where(np.isfinite(depth), depth, np.float32(1e4))
    near = cv2.erode(far, np.ones((max(1, size // 2), size), np.uint8))
    return np.where(near < 1e4, near, np.nan).astype(np.float32)


def _coarse(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Disparities in whole steps, for a pair with a random product of focal length and baseline; 0 is invalid."""
    pixels_metres = rng.uniform(40, 400)
    with np.errstate(divide="ignore", invalid="ignore"):
        disparity = np.round(pixels_metres / depth + rng.normal(0, 0.3))
        return np.where(disparity > 0, pixels_metres / disparity, np.nan).astype(np.float32)


def _streaks(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows that continue the depth of the pixel to their left, as scanline matchers do; and wrong specks."""
    height, width = depth.shape
    for _ in range(int(rng.integers(2, 14))):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        tall, wide = int(rng.integers(1, 5)), int(rng.integers(width // 30 + 1, width // 5 + 2))
        depth[top : top + tall, left : left + wide] = depth[top, left]
    for _ in range(int(rng.integers(0, 12))):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        size = int(rng.integers(3, 24))
        depth[top : top + size // 2, left : left + size] = np.float32(rng.uniform(2, 30))
    return depth


def _short(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):
        return np.where(depth < rng.uniform(6, 25), depth, np.nan).astype(np.float32)


def _off(depth: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Registered to another instant, or slightly wrong: moved by some pixels, and of another scale."""
    height, width = depth.shape
    zoom = rng.uniform(0.97, 1.06)
    across, down = rng.normal(0, 0.008 * width), rng.normal(0, 0.004 * width)
    matrix = np.array([[zoom, 0, (1 - zoom) * width / 2 + across], [0, zoom, (1 - zoom) * height / 2 + down]])
    moved = cv2.warpAffine(depth, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=float("nan"))
    return np.asarray(moved * np.float32(rng.uniform(0.95, 1.05)), np.float32)
