# SPDX-License-Identifier: Apache-2.0
"""Earlier frames of a drive, for sensors that are late or frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from perception.frame import Frame
from perception.sample import Sample

History = Callable[[int, float], "Frame | None"]
"""(index of a sample, seconds) → the frame so many seconds before it; None where the drive has none."""

TOLERANCE_S = 0.01


class RecordedHistory:
    """Looks back in a sequence of samples that are in order within their drives, by their stamps.

    The part of a sample's name before "/" is its drive. Only what was asked for is read, once, and only camera images
    and sweeps are kept.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._found: dict[int, tuple[str, Frame]] = {}

    def __call__(self, index: int, seconds: float) -> Frame | None:
        """The frame `seconds` before sample `index`, to within TOLERANCE_S."""
        drive, frame = self._at(index)
        before = self._of_drive(index - 1, drive)
        if before is None or before.stamp_ns >= frame.stamp_ns:
            return None
        steps = round(seconds / ((frame.stamp_ns - before.stamp_ns) / 1e9))
        found = self._of_drive(index - steps, drive) if steps else None
        if found is None or abs((frame.stamp_ns - found.stamp_ns) / 1e9 - seconds) > TOLERANCE_S:
            return None
        return found

    def _of_drive(self, index: int, drive: str) -> Frame | None:
        if index < 0:
            return None
        name, frame = self._at(index)
        return frame if name == drive else None

    def _at(self, index: int) -> tuple[str, Frame]:
        if index not in self._found:
            sample = self._samples[index]
            frame = sample.frame
            if frame.rgb is not None or frame.points is not None:
                frame = replace(frame, depth=None, infrared=None)
            self._found[index] = sample.name.rpartition("/")[0], frame
        return self._found[index]


class RenderedHistory:
    """Looks back in simulated drives: renders the moment, which may lie between two frames.

    drives: makes the drive of a seed, `steps` times as many frames per second. seeds, frames: as `SimulatedDrives`
    has them, whose indices are meant.
    """

    def __init__(
        self, drives: Callable[[int], Sequence[Sample]], seeds: Sequence[int], frames: int, period_s: float, steps: int
    ) -> None:
        self._make, self._seeds, self._frames = drives, seeds, frames
        self._step_s, self._steps = period_s / steps, steps
        self._drive: tuple[int, Sequence[Sample]] | None = None
        self._found: dict[tuple[int, int], Frame] = {}

    def __call__(self, index: int, seconds: float) -> Frame | None:
        """The frame `seconds`, a whole number of steps, before frame `index`."""
        place, frame = divmod(index, self._frames)
        moment = frame * self._steps - round(seconds / self._step_s)
        if moment < 0:
            return None
        key = self._seeds[place], moment
        if key not in self._found:
            if self._drive is None or self._drive[0] != key[0]:
                self._drive = key[0], self._make(key[0])
            self._found[key] = replace(self._drive[1][moment].frame, depth=None, infrared=None)
        return self._found[key]
