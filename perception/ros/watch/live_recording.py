# SPDX-License-Identifier: Apache-2.0
"""Records the node's inputs for some seconds as a rosbag2: received as the node receives them, stamped on arrival."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from perception.assembly.settings.topic import Graph, Offer, Topic
from perception.assembly.settings.topics import INPUT_TYPES
from perception.bags.raw import RawBagWriter, RawMessage
from perception.errors import DataError
from perception.frame import MODALITIES
from perception.ros.spinning import spinning
from perception.ros.subscriptions import INPUTS, NEWEST, OTHERS, OVERRIDABLE
from perception.ros.tf.message import TF_MESSAGE, tf_message_class
from perception.sensors.spec import SPECS

DEPTH = 50
"""Messages that may wait here before the oldest is lost; the rest of the QoS is the same as the node's."""

LOOK_S = 0.2
"""How often to look for new publishers."""


@dataclass
class Live:
    """The result. path: the bag; None if no messages came; `reason` says so.

    topics: the resolved topic by the node's input.
    """

    path: Path | None
    topics: dict[str, str]
    graph: Graph
    reason: str = ""


class LiveRecording:
    """Records the messages that `node` receives; it may have remappings and qos_overrides as the perception node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._came: queue.SimpleQueue[RawMessage] = queue.SimpleQueue()
        self._kinds = {topic: kind for inputs in INPUTS.values() for topic, kind in inputs} | OTHERS
        self._heard: set[str] = set()
        self._offered: dict[str, Topic] = {}
        self._requested: dict[str, Offer] = {}
        tf_message = tf_message_class()
        graph = Graph(self._offered, self._requested, tf_message is not None)
        self.live = Live(None, {name: node.resolve_topic_name(name) for name in self._kinds}, graph)
        if tf_message is not None:
            latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            self._subscribe("/tf_static", tf_message, TF_MESSAGE, latched)
            self._subscribe("/tf", tf_message, TF_MESSAGE, _asked())

    def record(self, path: Path, seconds: float, advance: Callable[[], None] = lambda: None) -> Live:
        """Write `path` for so many seconds. advance: called every second. Raises DataError if the path exists."""
        try:
            with RawBagWriter(path) as writer, spinning(self._node, "live recording"):
                self._drain(writer, seconds, advance)
                self._look()
                self._note_requests()
        except DataError:
            if path.exists():
                raise
            topics = ", ".join(self.live.topics[next(iter(SPECS[name].topics))] for name in MODALITIES)
            self.live.reason = f"nothing came in {seconds:g} s on {topics}: does it publish in this ROS_DOMAIN_ID?"
            return self.live
        self.live.path = path
        return self.live

    def _drain(self, writer: RawBagWriter, seconds: float, advance: Callable[[], None]) -> None:
        began = time.monotonic()
        looked, whole = 0.0, 0
        while (now := time.monotonic() - began) < seconds:
            if now >= looked:
                self._look()
                looked = now + LOOK_S
            if now >= whole + 1:
                whole += 1
                advance()
            with suppress(queue.Empty):
                writer.write(self._came.get(timeout=0.05))
        while not self._came.empty():
            writer.write(self._came.get())

    def _look(self) -> None:
        """Subscribe to topics with a publisher: to compressed ones if the plain one has none, as the node does."""
        types = dict(self._node.get_topic_names_and_types())
        for name, topic in [*self.live.topics.items(), ("/tf_static", "/tf_static")]:
            offers = [_offer(info.qos_profile) for info in self._node.get_publishers_info_by_topic(topic)]
            if offers and types.get(topic):
                self._offered[topic] = Topic(types[topic][0], 0, offers=tuple(offers))
            if not offers or topic in self._heard:
                continue
            kind = self._kinds[name]
            plain = name.rpartition("/")[0] if "compressed" in name else name
            if plain != name and self._node.count_publishers(self.live.topics[plain]):
                continue
            if types.get(topic) == [INPUT_TYPES[name]]:
                self._subscribe(topic, kind, INPUT_TYPES[name], _asked())

    def _subscribe(self, topic: str, kind: Any, type_name: str, qos: QoSProfile) -> None:
        self._heard.add(topic)
        self._node.create_subscription(
            kind,
            topic,
            partial(self._take, topic, type_name),
            qos,
            raw=True,
            qos_overriding_options=QoSOverridingOptions(policy_kinds=OVERRIDABLE),
        )

    def _take(self, topic: str, kind: str, data: bytes) -> None:
        self._came.put(RawMessage(topic, kind, time.time_ns(), bytes(data)))

    def _note_requests(self) -> None:
        for topic in self._heard:
            for info in self._node.get_subscriptions_info_by_topic(topic):
                if info.node_name == self._node.get_name():
                    self._requested[topic] = _offer(info.qos_profile)


def _asked() -> QoSProfile:
    return QoSProfile(depth=DEPTH, history=HistoryPolicy.KEEP_LAST, reliability=NEWEST.reliability)


def _offer(qos: QoSProfile) -> Offer:
    return Offer(qos.reliability == ReliabilityPolicy.RELIABLE, qos.durability == DurabilityPolicy.TRANSIENT_LOCAL)
