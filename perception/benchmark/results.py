# SPDX-License-Identifier: Apache-2.0
"""What the benchmark found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perception.benchmark.machine import Machine
from perception.benchmark.process import Effort
from perception.reporting.reports import INLINE

Milliseconds = dict[str, float | int]
"""Of some calls: median, p95, p99 and n, as `measure.summary` gives them."""

Network = dict[str, dict[str, Any]]
"""By precision: `Milliseconds`, and `ratio`, to PIDNet-S's time, None without it."""


@dataclass(frozen=True)
class Answer:
    """A frame that was sent: when, since the first, and how long its answer took; None where none came."""

    time_s: float
    latency_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A drive over DDS. A frame is answered when labels, masks and confidence of its stamp are here.

    model: what ran for most of the time; the node's choice where bench was told none.
    latency_ms: from its stamp to the last of them, p50, p95 and p99. ready_s: from the start of the process to the node
    being active; ready_again_s: the same of a second start, with what the first has kept. replay_late_ms: the most that
    a frame was sent after its time, which counts against the node.
    """

    model: str
    hz: float
    seconds: float
    frames_sent: int
    frames_answered: int
    answered_share: float
    drops_by_cause: dict[str, int]
    latency_ms: dict[str, float | None]
    stages_ms: dict[str, float]
    ready_s: float
    replay_late_ms: float
    series: list[Answer]
    effort: Effort = field(metadata=INLINE)
    ready_again_s: float | None = None


@dataclass(frozen=True)
class Given:
    """What was measured with: frames of `image` pixels, width and height, as the network gets them; LiDAR points."""

    source: str
    frames: int
    image: list[int]
    network: list[int]
    points: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class BenchReport:
    """bench.json. stages: `Milliseconds` by stage. growth: lists of rows by what grows; None if not asked for.

    overload: a drive at three times the rate that the model can hold; None without drives.
    """

    ratio_to_pidnet_s: float | None
    overhead_ratio: float
    stages_ms: dict[str, float]
    stages: dict[str, Milliseconds]
    overhead_ms: Milliseconds
    network: Network
    network_camera_alone: Network
    peers: dict[str, Network]
    dds: list[Drive]
    overload: Drive | None
    growth: dict[str, list[dict[str, Any]]] | None
    engine: str
    precision: str
    threads: int
    model: str
    weights_sha256: str
    input: Given
    machine: Machine
    seconds: dict[str, float]
