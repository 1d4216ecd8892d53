# SPDX-License-Identifier: Apache-2.0
"""Accuracy and latency of a drive, per frame and in total, ready for JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.evaluation.scores.metrics import ConfusionMatrix


@dataclass
class FrameScore:
    """One frame that was sent. time_s: since the first one. None: unknown or not applicable."""

    time_s: float
    latency_ms: float | None
    iou: dict[str, float | None] | None
    mean_iou: float | None
    pixel_accuracy: float | None


@dataclass(frozen=True)
class DriveSummary:
    """The figures of a whole drive.

    fps: answers per second between the first and the last. latency_ms: from the sensor's stamp to the last of a frame's
    masks being here, p50, p95 and p99. iou and pixel_accuracy: over all answered frames' pixels with truth, None
    without.
    """

    frames_sent: int
    frames_answered: int
    frames_dropped: int
    fps: float | None
    latency_ms: dict[str, float | None]
    iou: dict[str, float | None]
    mean_iou: float | None
    pixel_accuracy: float | None


class DriveScore:
    """Collects the frames of a drive in the order in which they were sent."""

    def __init__(self, classes: Classes = CLASSES) -> None:
        self.classes = classes
        self.frames: list[FrameScore] = []
        self._matrix = ConfusionMatrix(self.classes)
        self._first_ns: int | None = None
        self._received_ns: list[int] = []

    def add(
        self,
        stamp_ns: int,
        received_ns: int | None = None,
        labels: NDArray[np.uint8] | None = None,
        truth: NDArray[np.uint8] | None = None,
    ) -> FrameScore:
        """Count one frame, sensed at stamp_ns [wall clock].

        received_ns: arrival of its last mask, None for a frame without an answer. labels, truth: (H, W) class ids.
        """
        self._first_ns = stamp_ns if self._first_ns is None else self._first_ns
        score = FrameScore((stamp_ns - self._first_ns) / 1e9, None, None, None, None)
        if received_ns is not None:
            score.latency_ms = (received_ns - stamp_ns) / 1e6
            self._received_ns.append(received_ns)
        if labels is not None and truth is not None:
            matrix = ConfusionMatrix(self.classes)
            matrix.update(labels, truth)
            self._matrix.add(matrix)
            score.iou = {name: _known(value) for name, value in matrix.iou().items()}
            score.mean_iou = _known(matrix.mean_iou())
            score.pixel_accuracy = _known(matrix.pixel_accuracy())
        self.frames.append(score)
        return score

    def summary(self) -> DriveSummary:
        """The figures of the whole drive."""
        latencies = [frame.latency_ms for frame in self.frames if frame.latency_ms is not None]
        percentiles = np.percentile(latencies, (50, 95, 99)).tolist() if latencies else [None] * 3
        span = (max(self._received_ns) - min(self._received_ns)) / 1e9 if self._received_ns else 0.0
        return DriveSummary(
            frames_sent=len(self.frames),
            frames_answered=len(latencies),
            frames_dropped=len(self.frames) - len(latencies),
            fps=(len(latencies) - 1) / span if span else None,
            latency_ms=dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
            iou={name: _known(value) for name, value in self._matrix.iou().items()},
            mean_iou=_known(self._matrix.mean_iou()),
            pixel_accuracy=_known(self._matrix.pixel_accuracy()),
        )

    def extremes(self) -> dict[str, int]:
        """The numbers of the best and the worst answered frame, by mean IoU; without truth, by latency.

        Empty where nothing was answered.
        """
        scored = {i: f.mean_iou for i, f in enumerate(self.frames) if f.mean_iou is not None}
        if scored:
            return {"best": max(scored, key=scored.__getitem__), "worst": min(scored, key=scored.__getitem__)}
        timed = {i: f.latency_ms for i, f in enumerate(self.frames) if f.latency_ms is not None}
        if timed:
            return {"fastest": min(timed, key=timed.__getitem__), "slowest": max(timed, key=timed.__getitem__)}
        return {}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
