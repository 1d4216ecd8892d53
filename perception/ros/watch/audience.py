# SPDX-License-Identifier: Apache-2.0
"""How perception nodes respond to a replay: their answers, whether they keep up, and why they are silent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from rclpy.node import Node, NodeNameNonExistentError

from perception.assembly.settings.topic import Topic
from perception.reporting.dropout import Dropout
from perception.ros.replay import Published
from perception.ros.watch.diagnostics_log import DiagnosticsLog, node_names
from perception.ros.watch.recorder import IMAGES, Recorder

QUIET_S = 2.0
"""After so long without an answer since the end, no more answers are expected."""

SENSOR_TYPES = frozenset(f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "PointCloud2"))
"""The types of messages that can trigger a node."""

NODE = "perception"
"""The name of the node whose answers are recorded, without a namespace."""


@dataclass(frozen=True)
class Answer:
    """A frame that was sent: when, since the first, and how long its answer took; None if none came."""

    time_s: float
    latency_ms: float | None


@dataclass(frozen=True)
class Series:
    """Over time: every frame, and the sensors' weights."""

    frames: list[Answer]
    modality_weights: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The results of a replay's frames, under the names of a drive's page; there is no ground truth."""

    frames_sent: int
    frames_answered: int
    frames_dropped: int
    drops_by_cause: dict[str, int]
    falls_behind: str
    latency_ms: dict[str, float]
    period_ms: float | None
    iou: dict[str, float] = field(default_factory=dict)
    pixel_accuracy: float | None = None
    stages_ms: dict[str, float]
    modality_weights: dict[str, float]
    sensor_dropouts: list[Dropout]
    series: Series


class Audience:
    """Listens to nodes while a replay runs, and notes what is published. Use it as a context manager.

    topics: what is replayed, by recorded name. names: the published topic of each recorded one, if it has
    another name. images: listen to those of /perception too, for `answers`.
    """

    def __init__(self, node: Node, topics: Mapping[str, Topic], names: Mapping[str, str], images: bool = True) -> None:
        self._node = node
        self._recorder = Recorder(node, f"/{NODE}", keep_images=False, names=IMAGES if images else ())
        self._names = {
            name: names.get(name, name) for name, topic in topics.items() if images and topic.type in SENSOR_TYPES
        }
        self._sent: dict[str, dict[int, int]] = {}
        """By published topic, the wall time by stamp, in the order of sending."""
        self.repeated = False
        """Whether the same stamp was published again."""

    def __enter__(self) -> Audience:
        self._recorder.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._recorder.__exit__(*error)

    def note(self, message: Published) -> None:
        """A message has just been published. If a stamp is published again, as in a loop, the last time counts."""
        topic = self._names.get(message.topic)
        if topic is not None:
            sent = self._sent.setdefault(topic, {})
            self.repeated |= sent.pop(message.stamp_ns, None) is not None
            sent[message.stamp_ns] = time.time_ns()

    def falls_behind(self) -> list[str]:
        """One line per node that does not keep up with what it is sent."""
        statuses = self._recorder.diagnostics()
        diaries = {name: DiagnosticsLog(statuses, name) for name in node_names(statuses)}
        return [f"/{name} {diary.falls_behind()}" for name, diary in diaries.items() if diary.falls_behind()]

    def answers(self) -> Answers | None:
        """The results of the frames, after the last answers have come; None if none came.

        A frame is a message that triggered the node.
        """
        if not self._sent:
            return None
        self._recorder.wait_for(max(next(reversed(sent)) for sent in self._sent.values()), QUIET_S, QUIET_S)
        self._recorder.wait_for_diagnostics(time.time_ns(), QUIET_S)
        images = [answers for answers in self._recorder.images().values() if answers]  # some may be switched off
        arrived = (
            {
                stamp: max(answers[stamp].received_ns for answers in images)
                for stamp in set.intersection(*map(set, images))
            }
            if images
            else {}
        )
        sent = max(self._sent.values(), key=lambda sent: len(sent.keys() & arrived.keys()))
        answered = {stamp: (arrived[stamp] - at) / 1e6 for stamp, at in sent.items() if arrived.get(stamp, 0) > at}
        if not answered:
            return None
        start, end = min(sent.values()), max(sent.values())
        diary, dropped = DiagnosticsLog(self._recorder.diagnostics()), len(sent) - len(answered)
        causes = diary.drops_by_cause(dropped)
        percentiles = np.percentile(list(answered.values()), (50, 95, 99)).tolist()
        return Answers(
            frames_sent=len(sent),
            frames_answered=len(answered),
            frames_dropped=dropped,
            # The node counts all drops since its start: if they are more than these frames, the counts do not explain
            # them.
            drops_by_cause=causes if sum(causes.values()) == dropped else {},
            falls_behind=diary.falls_behind(),
            latency_ms=dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
            period_ms=float(np.median(np.diff(list(sent.values())))) / 1e6 if len(sent) > 1 else None,
            stages_ms=diary.stages_ms(),
            modality_weights=diary.mean_weights(),
            sensor_dropouts=diary.dropouts(start, end),
            series=Series(
                [Answer((at - start) / 1e9, answered.get(stamp)) for stamp, at in sent.items()], diary.weights(start)
            ),
        )

    def silence(self) -> str:
        """Why no answer came, judged by the topics that /perception listens to."""
        try:
            hears = {topic for topic, _ in self._node.get_subscriber_names_and_types_by_node(NODE, "/")}
        except NodeNameNonExistentError:
            others = [f"/{name}" for name in node_names(self._recorder.diagnostics())]
            return f"No node is named /{NODE}" + (f" (did you mean {', '.join(others)}?)" if others else "")
        if heard := sorted(hears & {*self._sent, *self._names}):
            return f"/{NODE} listens to {', '.join(heard)}, but did not answer; its log and /diagnostics say why"
        sent = ", ".join(sorted(self._sent)) or "no image and no sweep"
        return f"/{NODE} subscribes to none of the published topics ({sent}); rename them: --topics or --remap"
