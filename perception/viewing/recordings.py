# SPDX-License-Identifier: Apache-2.0
"""Recordings → a log: the pipeline makes the predictions, as everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError, PerceptionError
from perception.frame import Frame, Prediction
from perception.objects import Tracking
from perception.pipeline import Pipeline


class FrameLog(Protocol):
    """Where frames are shown: `log.Log` and `mcap.McapLog`."""

    def log(self, frame: Frame, prediction: Prediction, number: int) -> None:
        """A frame, the `number`-th of its recording, with its labels."""


def choose(frames: NamedFrames, start: float = 0.0, duration: float | None = None, every: int = 1) -> list[int]:
    """The numbers of every `every`-th frame of `duration` [s] (None: all the rest) after the first `start` [s].

    Raises DataError where that leaves none.
    """
    if not len(frames):
        raise DataError(f"{frames.path}: no frames in it")
    seconds = (np.asarray(frames.stamps_ns, np.int64) - frames.stamps_ns[0]) / 1e9
    inside = seconds >= start
    if duration is not None:
        inside &= seconds < start + duration
    numbers: list[int] = np.flatnonzero(inside)[::every].tolist()
    if not numbers:
        raise DataError(f"{frames.path}: no frames after {start:g} s; it is {seconds[-1]:.1f} s long")
    return numbers


def show(
    frames: NamedFrames,
    numbers: Sequence[int],
    pipeline: Pipeline,
    log: FrameLog,
    done: Callable[[], None],
    wanted: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Log the frames of those numbers until stopped; return a line for each that cannot be read completely.

    done: called after each. Raises DataError where none of them can be read.
    """
    failed: dict[str, str] = {}
    partly: Counter[str] = Counter()
    warm = False
    tracking: Tracking | None = None
    for number in numbers:
        if not wanted():
            break
        try:
            frame = frames[number]
            if not warm:
                pipeline.warm_up(*frame.size)
                tracking = Tracking() if pipeline.tells_instances else None
                warm = True
            partly.update(frames.complaints)
            prediction = pipeline(frame)
            if tracking is not None and prediction.instances is not None:
                prediction.instances = tracking(prediction.instances, frame.stamp_ns)[prediction.instances]
            log.log(frame, prediction, number)
        except PerceptionError as error:
            failed[frames.names[number]] = str(error)
        done()
    if len(failed) == len(numbers):
        raise DataError(f"{frames.path}: none of {len(numbers)} frames can be read: {next(iter(failed.values()))}")
    lines = [f"{name} is left out: {reason}" for name, reason in failed.items()]
    return lines + [f"left out of {count} frames: {reason}" for reason, count in partly.items()]
