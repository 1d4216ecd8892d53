# SPDX-License-Identifier: Apache-2.0
"""Numbers about the node's work so far; the worker writes them, the diagnostics read them."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from perception.frame import Prediction
from perception.ground import Ground

WINDOW = 300
"""The number of frames behind the percentiles: half a minute at 10 Hz."""

PAIRED_WINDOW = 100
"""The number of frames behind a sensor's share and offsets."""

ENOUGH = 30
"""Frames before shares and latencies are judged: the first frame of a size takes long, and is one of these."""


@dataclass(frozen=True)
class Limits:
    """The limits beyond which the diagnostics warn.

    latency_ms: the 95th percentile. share: for each sensor, the part of the frames it could be in that it is in.
    answered: the part of the trigger's messages that are answered.
    """

    latency_ms: float = 200.0
    share: float = 0.95
    answered: float = 0.8


@dataclass(frozen=True)
class Paired:
    """One sensor in the newest frames since it came. share: the part that it was in; frames: how many there were.

    offset_ms_p50: the median of its stamp minus the trigger's; offset_ms_max: the largest absolute value; NaN for none.
    """

    share: float
    frames: int
    offset_ms_p50: float = math.nan
    offset_ms_max: float = math.nan


@dataclass(frozen=True)
class Summary:
    """frames: answered since activation. latency_ms: from the trigger's arrival to its masks being published.

    stamp_latency_ms: from the trigger's acquisition stamp; only meaningful if the sensor's clock is ours.
    Both by p50, p95 and p99; empty before the first frame. weights, stages_ms, modalities, ground: of the newest.
    last_answered: when that was (monotonic), None before the first; interval_s: between it and the one before.
    paired: by sensor that has come.
    """

    frames: int = 0
    last_answered: float | None = None
    interval_s: float = 0.0
    latency_ms: dict[str, float] = field(default_factory=dict)
    stamp_latency_ms: dict[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    stages_ms: dict[str, float] = field(default_factory=dict)
    modalities: tuple[str, ...] = ()
    trigger: str = ""
    ground: Ground | None = None
    paired: Mapping[str, Paired] = field(default_factory=dict)


class Statistics:
    """Counts answers and keeps their latencies; several threads may use it. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._frames = 0
        self._latency: deque[float] = deque(maxlen=WINDOW)
        self._stamp_latency: deque[float] = deque(maxlen=WINDOW)
        self._offsets: dict[str, deque[float | None]] = {}
        self._newest = Summary()

    def expect(self, sensor: str) -> None:
        """The sensor came, or came back: frames without it count from here."""
        with self._lock:
            self._offsets[sensor] = deque(maxlen=PAIRED_WINDOW)

    def answered(
        self,
        trigger: str,
        modalities: tuple[str, ...],
        prediction: Prediction,
        stages_ms: dict[str, float],
        latency_s: float,
        stamp_latency_s: float,
        ground: Ground | None = None,
        offsets_ms: Mapping[str, float] | None = None,
    ) -> None:
        """One frame was answered. ground: the plane that it showed, else the expected one.

        offsets_ms: for each sensor in the frame, its stamp minus the trigger's.
        """
        with self._lock:
            self._frames += 1
            self._latency.append(latency_s * 1e3)
            self._stamp_latency.append(stamp_latency_s * 1e3)
            for sensor, offsets in self._offsets.items():
                offsets.append((offsets_ms or {}).get(sensor))
            now, before = self._clock(), self._newest.last_answered
            self._newest = Summary(
                last_answered=now,
                interval_s=0.0 if before is None else now - before,
                weights=dict(prediction.modality_weights),
                stages_ms=stages_ms,
                modalities=modalities,
                trigger=trigger,
                ground=ground,
            )

    def summary(self) -> Summary:
        """The current numbers."""
        with self._lock:
            return replace(
                self._newest,
                frames=self._frames,
                latency_ms=_percentiles(self._latency),
                stamp_latency_ms=_percentiles(self._stamp_latency),
                paired={sensor: _paired(offsets) for sensor, offsets in self._offsets.items()},
            )


def _paired(offsets: deque[float | None]) -> Paired:
    known = [offset for offset in offsets if offset is not None]
    if not known:
        return Paired(0.0, len(offsets))
    return Paired(len(known) / len(offsets), len(offsets), float(np.median(known)), max(map(abs, known)))


def _percentiles(values: deque[float]) -> dict[str, float]:
    if not values:
        return {}
    return dict(zip(("p50", "p95", "p99"), np.percentile(values, (50, 95, 99)).tolist(), strict=True))


def falls_behind(answered_hz: float, sent_hz: float, trigger: str, auto: bool = False) -> str:
    """How far a node is from keeping up with the messages of its trigger, and what to try.

    auto: the node chooses the model itself.
    """
    answered, sent = (f"{rate:.0f}" if rate >= 3 else f"{rate:.1f}" for rate in (answered_hz, sent_hz))
    quicker = "" if auto else " model:=auto,"
    return (
        f"does not keep up: {answered} of {sent} Hz; try {trigger} at {answered} Hz,{quicker} fewer "
        "outputs (publish_…), more threads, or an engine:= for a graphics processor"
    )
