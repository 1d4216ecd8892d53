# SPDX-License-Identifier: Apache-2.0
"""The report about nodes that listen to a replay, over real DDS."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from helpers.vehicle import wait_for
from rclpy.node import Node
from sensor_msgs.msg import Image

from perception.assembly.settings.topic import Topic
from perception.ros.replay import Published
from perception.ros.watch.audience import Audience

TOPICS = {"/camera": Topic("sensor_msgs/msg/Image", 8), "/camera_info": Topic("sensor_msgs/msg/CameraInfo", 8)}


def silence(ros: Any, name: str, hears: str) -> str:
    """The report about a node of that name that listens to an image topic and answers nothing."""
    own, other = Node("replay", context=ros), Node(name, context=ros)
    diagnostics = other.create_publisher(DiagnosticArray, "/diagnostics", 10)
    other.create_subscription(Image, hears, lambda _: None, 10)
    try:
        with Audience(own, TOPICS, {"/camera": "/rig/left"}) as audience:
            wait_for(lambda: own.count_subscribers(hears) and diagnostics.get_subscription_count())
            wait_for(lambda: name in own.get_node_names())
            diagnostics.publish(DiagnosticArray(status=[DiagnosticStatus(name=f"{name}: fusion")]))
            audience.note(Published("/camera", 1_000, 1_000))
            audience.note(Published("/camera_info", 1_000, 1_000))
            assert audience.answers() is None
            return audience.silence()
    finally:
        own.destroy_node()
        other.destroy_node()


def test_silence_is_explained_by_what_the_node_hears(ros: Any) -> None:
    assert silence(ros, "perception", "/rig/left").startswith("/perception listens to /rig/left, but did not answer")
    assert "/perception subscribes to none of the published topics (/rig/left); rename them: --topics" in silence(
        ros, "perception", "/image"
    )
    assert "No node is named /perception (did you mean /other?)" in silence(ros, "other", "/rig/left")


def test_nodes_that_do_not_keep_up_are_named(ros: Any) -> None:
    """25 Hz into a node that answers 9, and another that keeps up."""
    own, other = Node("replay", context=ros), Node("rig", context=ros)
    publisher = other.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def status(name: str, **values: object) -> DiagnosticStatus:
        return DiagnosticStatus(name=name, values=[KeyValue(key=k, value=str(v)) for k, v in values.items()])

    try:
        with Audience(own, TOPICS, {}, images=False) as audience:
            wait_for(publisher.get_subscription_count)
            for second in range(5):
                statuses = []
                for name, hertz in (("front/perception", 9), ("perception", 25)):
                    frames, left_out = hertz * second, (25 - hertz) * second
                    statuses += [
                        status(f"{name}: fusion", frames=frames + 1, rate_hz=hertz, trigger="rgb"),
                        status(f"{name}: rgb", received=25 * second, rate_hz=25.0, dropped_superseded=left_out),
                    ]
                publisher.publish(DiagnosticArray(status=statuses))
                time.sleep(0.1)
            (line,) = audience.falls_behind()
            assert line.startswith("/front/perception does not keep up: 9 of 25 Hz; try rgb at 9 Hz, ")
    finally:
        own.destroy_node()
        other.destroy_node()
