# SPDX-License-Identifier: Apache-2.0
"""How steady labels are: how often a surface changes its class from one frame of a drive to the next."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.frame import Frame
from perception.steadying import grid, motion

EXACT = cv2.DISOPTICAL_FLOW_PRESET_MEDIUM

AGREE = 1.0
"""How many pixels the motion there and back may leave; where it leaves more, the surface is not seen in both images."""

NEAR = 3
"""A class counts as found in the last frame within this square of pixels: the motion is known no better."""


@dataclass(frozen=True)
class _Seen:
    grey: NDArray[np.uint8]
    labels: NDArray[np.uint8]


class Flicker:
    """Share of the pixels whose class changes although they show the same surface as in the frame before.

    Which pixel shows the same surface is found by optical flow of the full images, forwards and backwards, so it holds
    for what moves as well as for what stands. Give the frames of one drive in order; `restart` before another drive.
    """

    def __init__(self) -> None:
        self.changed = self.pixels = 0
        self._last: _Seen | None = None

    @property
    def share(self) -> float:
        """NaN before the second frame."""
        return self.changed / self.pixels if self.pixels else float("nan")

    def restart(self) -> None:
        """What comes next has nothing to do with what has been."""
        self._last = None

    def add(self, frame: Frame, labels: NDArray[np.uint8]) -> None:
        """Compare with the frame before. labels: (H, W) uint8 at the size of the frame's RGB image.

        A frame without RGB, or of another size than the last, is compared with none.
        """
        if frame.rgb is None:
            self.restart()
            return
        now = _Seen(np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8), labels)
        last, self._last = self._last, now
        if last is not None and last.grey.shape == now.grey.shape:
            same, at = _same_surface(now.grey, last.grey)
            self._count(now.labels, last.labels, same, at)

    def _count(
        self, labels: NDArray[np.uint8], before: NDArray[np.uint8], same: NDArray[np.bool_], at: NDArray[np.float32]
    ) -> None:
        found = np.zeros_like(same)
        for number in np.unique(labels):
            mask = cv2.dilate((before == number).astype(np.uint8), np.ones((NEAR, NEAR), np.uint8))
            there = cv2.remap(mask, at[..., 0], at[..., 1], cv2.INTER_NEAREST)
            found |= (there > 0) & (labels == number)
        known = cv2.remap((before != UNLABELLED).astype(np.uint8), at[..., 0], at[..., 1], cv2.INTER_NEAREST) > 0
        counted = same & known & (labels != UNLABELLED)
        self.pixels += int(counted.sum())
        self.changed += int((counted & ~found).sum())


def _same_surface(now: NDArray[np.uint8], last: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """(H, W) whether each pixel of `now` is seen in `last`, and (H, W, 2) where: column and row."""
    back, forth = motion(now, last, EXACT), motion(last, now, EXACT)
    at = grid(*now.shape) + back
    returned = cv2.remap(forth, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=(1e4, 1e4))
    return np.linalg.norm(back + returned, axis=-1) <= AGREE, at
