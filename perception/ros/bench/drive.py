# SPDX-License-Identifier: Apache-2.0
"""The node as its own process, answering over DDS at a fixed rate: what it answers, how late, and its resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from perception.assembly.settings.topic import Topic
from perception.bags.writer import RawMessage, serialise
from perception.benchmark.process import Effort, Watch
from perception.benchmark.results import Answer, Drive
from perception.frame import Frame
from perception.messages.stamps import with_stamp
from perception.ros.loopback import Loopback, rehearse
from perception.ros.watch.diagnostics_log import DiagnosticsLog

WARM_UP_S = 1.0
"""Frames of the first second count as answered or not, but not for the latency."""

_START_NS = 1_000_000_000


class LoopSource:
    """The same few frames again and again, `hz` times a second for `seconds`: a `Source` that `Replay` plays."""

    def __init__(self, frames: Sequence[Frame], hz: float, seconds: float) -> None:
        self._sets = [list(serialise(frame)) for frame in frames]
        self._period_ns = round(1e9 / hz)
        self.count = max(1, round(hz * seconds))
        self.start_ns = _START_NS
        self.end_ns = _START_NS + (self.count - 1) * self._period_ns
        self.topics = {message.topic: Topic(message.type, self.count) for message in self._sets[0]}

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        for number in range(self.count):
            stamp_ns = self.start_ns + number * self._period_ns
            if start_ns <= stamp_ns <= end_ns:
                for message in self._sets[number % len(self._sets)]:
                    if message.topic in topics:
                        yield message._replace(stamp_ns=stamp_ns, data=with_stamp(message.data, stamp_ns))

    def close(self) -> None:
        """See Source."""


def drive(
    frames: Sequence[Frame],
    hz: float,
    seconds: float,
    node_arguments: Sequence[str],
    log: Path,
    on_frame: Callable[[], None],
) -> Drive:
    """Play `frames` to a node process and report the results; see `_report` for the keys.

    log: file for the node's output. on_frame is called after each frame was sent. Raises PerceptionError when the node
    does not start or dies.
    """
    source = LoopSource(frames, hz, seconds)
    watches: list[Watch] = []
    sent: Counter[str] = Counter()

    def count() -> None:
        sent["frames"] += 1
        if sent["frames"] == source.count:
            watches[-1].stop()  # measures the node while it works, not while we wait for its last message
        on_frame()

    rehearsal = rehearse(
        source,
        node_arguments,
        log,
        on_ready=lambda: watches[-1].start(),
        on_frame=count,
        on_start=lambda pid: watches.append(Watch(pid)),
        keep_images=False,
    )
    return _report(rehearsal, hz, seconds, watches[-1].summary())


def _report(rehearsal: Loopback, hz: float, seconds: float, effort: Effort) -> Drive:
    stamps = list(rehearsal.sent)
    arrivals = {
        stamp: [images[stamp].received_ns for images in rehearsal.images.values() if stamp in images]
        for stamp in stamps
    }
    latency_ms = {
        stamp: (max(received) - stamp) / 1e6
        for stamp, received in arrivals.items()
        if len(received) == len(rehearsal.images)
    }
    settled = [late for stamp, late in latency_ms.items() if stamp - stamps[0] >= WARM_UP_S * 1e9]
    percentiles = np.percentile(settled, (50, 95, 99)).tolist() if settled else [None] * 3
    diary, dropped = DiagnosticsLog(rehearsal.diagnostics), len(stamps) - len(latency_ms)
    return Drive(
        model=diary.model()[0],
        hz=hz,
        seconds=seconds,
        frames_sent=len(stamps),
        frames_answered=len(latency_ms),
        answered_share=len(latency_ms) / len(stamps),
        drops_by_cause=diary.drops_by_cause(dropped) if dropped else {},
        latency_ms=dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
        stages_ms=diary.stages_ms(),
        ready_s=rehearsal.ready_s,
        replay_late_ms=rehearsal.replay.late_ms,
        series=[Answer((stamp - stamps[0]) / 1e9, latency_ms.get(stamp)) for stamp in stamps],
        effort=effort,
    )
