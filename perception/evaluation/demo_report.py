# SPDX-License-Identifier: Apache-2.0
"""The demo's results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perception.evaluation.scores.distance import BandScore
from perception.evaluation.scores.drive_score import DriveSummary, FrameScore
from perception.reporting.dropout import Dropout
from perception.reporting.reports import INLINE


@dataclass(frozen=True)
class Series:
    """Over time: every frame that was sent, and every second's weights, `time_s` and a number per sensor."""

    frames: list[FrameScore]
    modality_weights: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class DemoReport:
    """report.json. Keys of a simulated drive are None for a KITTI drive; names of milliseconds end in _ms.

    classes: the network's classes beyond the first four. iou_reason: why there is no IoU, if there is none.
    falls_behind: how far the node is from keeping up; empty if it keeps up. sensor_dropouts: when a sensor was silent.
    seconds: by step. model_scale: the part of its usual resolution at which the model ran.
    model_looks: how often it looked at each frame.
    """

    source: str
    seed: int | None
    condition: str | None
    summary: DriveSummary = field(metadata=INLINE)
    classes: list[dict[str, Any]]
    iou_reason: str | None
    drops_by_cause: dict[str, int]
    falls_behind: str
    period_ms: float
    replay_late_ms: float
    stages_ms: dict[str, float]
    modality_weights: dict[str, float]
    sensor_dropouts: list[Dropout]
    seconds: dict[str, float]
    model: str
    model_scale: float
    model_looks: int
    weights_sha256: str
    versions: dict[str, str]
    series: Series
    distance: dict[str, BandScore]
