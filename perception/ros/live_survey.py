# SPDX-License-Identifier: Apache-2.0
"""A survey of the live graph: the existing topics, and what one message of each contains."""

from __future__ import annotations

import threading
import time
from typing import Any

import rclpy
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions

from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import INPUT_TYPES
from perception.recordings.survey import IMU, Survey, describe
from perception.ros.replay import message_class
from perception.ros.spinning import spinning
from perception.ros.subscriptions import NEWEST
from perception.ros.tf.listener import listen


def survey_live(seconds: float) -> Survey:
    """`survey_graph` with a node of its own; rclpy is initialised and shut down here."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node("perception_init")
        try:
            return survey_graph(node, seconds)
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown()  # type: ignore[attr-defined]


def survey_graph(node: Any, seconds: float) -> Survey:
    """Survey the live graph that an rclpy node is in, listening for so many seconds; the node is spun meanwhile."""
    mounts = listen(node)
    arrived: dict[str, list[float]] = {}
    first: dict[str, bytes] = {}
    kinds: dict[str, str] = {}
    lock = threading.Lock()

    def keep(name: str, data: bytes) -> None:
        with lock:
            arrived[name].append(time.monotonic())
            first.setdefault(name, data)

    topics: dict[str, Topic] = {}
    with spinning(node, "survey"):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for name, (kind, *_) in node.get_topic_names_and_types():
                if name in topics or not node.count_publishers(name):
                    continue
                topics[name] = Topic(kind, 0)
                if kind in (*INPUT_TYPES.values(), IMU):
                    arrived[name], kinds[name] = [], kind
                    node.create_subscription(
                        message_class(kind), name, lambda data, name=name: keep(name, data), NEWEST, raw=True
                    )
            time.sleep(0.1)
    seen = []
    for name, kind in sorted(kinds.items()):
        times = arrived[name]
        rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else None
        message = deserialize_message(first[name], message_class(kind)) if name in first else None
        seen.append(describe(name, kind, rate, message))
    return Survey("the live graph", topics, seen, mounts)
