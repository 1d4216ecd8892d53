# SPDX-License-Identifier: Apache-2.0
"""Frames that are worth it and unlike each other, spread over the drives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.selection.signals import likeness

WEIGHT = 0.5
"""How much the score counts against the likeness to what was chosen."""


class Picker:
    """Picks one frame after the other by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    Each time that frame whose score, as a share of the highest, exceeds its likeness to the most similar chosen one by
    most. scores: (F,). layouts: (F, D), see `signals.layout`. drives: (F,) a number each. stamps_ns: (F,).
    per_drive: at most so many of a drive. apart_s: no two of a drive are closer in time.
    """

    def __init__(
        self,
        scores: NDArray[np.float64],
        layouts: NDArray[np.uint8],
        drives: NDArray[np.int64],
        stamps_ns: NDArray[np.int64],
        per_drive: int,
        apart_s: float,
    ) -> None:
        self._worth = scores / max(float(scores.max(initial=0)), 1e-12)
        self._layouts, self._drives, self._stamps = layouts, drives, stamps_ns
        self._per_drive, self._apart_ns = per_drive, round(apart_s * 1e9)
        self._alike = np.zeros(len(scores), np.float32)
        self._open = np.ones(len(scores), np.bool_)
        self._taken: dict[int, int] = {}

    def next(self) -> int | None:
        """The number of the next frame, to be taken or left out; None where there is none left."""
        if not self._open.any():
            return None
        marginal = np.where(self._open, WEIGHT * self._worth - (1 - WEIGHT) * self._alike, -np.inf)
        return int(marginal.argmax())

    def take(self, number: int) -> None:
        """The frame is chosen."""
        drive = int(self._drives[number])
        self._taken[drive] = self._taken.get(drive, 0) + 1
        self.leave_out(number)
        if self._taken[drive] >= self._per_drive:
            self.leave_out_drive(drive)
        of_drive = self._drives == drive
        self._open[of_drive & (np.abs(self._stamps - self._stamps[number]) < self._apart_ns)] = False
        np.maximum(self._alike, likeness(self._layouts, self._layouts[number]), out=self._alike)

    def leave_out(self, number: int) -> None:
        """The frame is not chosen, whatever speaks for it."""
        self._open[number] = False

    def leave_out_drive(self, drive: int) -> None:
        """Pick no frame of that drive any more."""
        self._open[self._drives == drive] = False
