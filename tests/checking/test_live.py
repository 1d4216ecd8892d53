# SPDX-License-Identifier: Apache-2.0
"""A vehicle that publishes over DDS is checked in the same way as a recording."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy

from perception.assembly.settings.topic import Offer
from perception.bags.sources import open_bag
from perception.checking.check import check, check_silence
from perception.checking.findings import ERROR
from perception.checking.wiring import REQUESTED, REQUESTED_TF
from perception.ros.replay import Replay
from perception.ros.watch.live_recording import Live, LiveRecording


def recorded(ros: Any, bag: Path, path: Path, seconds: float, **parameters: str) -> Live:
    """The recording of a bag that is replayed again and again."""
    node = Node("vehicle", context=ros)
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    ears = Node("perception_check", context=ros, parameter_overrides=overrides)
    stop = threading.Event()
    replay = Replay(node, open_bag(bag))
    playing = threading.Thread(target=lambda: replay.run(stop, True))
    playing.start()
    try:
        return LiveRecording(ears).record(path, seconds)
    finally:
        stop.set()
        playing.join()
        ears.destroy_node()
        node.destroy_node()


def test_what_comes_is_recorded_and_looked_at(ros: Any, good_bag: Path, tmp_path: Path) -> None:
    live = recorded(ros, good_bag, tmp_path / "live", 6.0)
    assert live.path is not None
    offered, requested, tf = live.graph
    assert offered["/image"].type == "sensor_msgs/msg/Image"
    assert offered["/image"].offers[0].reliable
    assert requested["/points"] == REQUESTED == Offer(reliable=False, latched=False)
    assert not tf or requested["/tf_static"] == REQUESTED_TF
    report = check(live.path, live.topics, graph=live.graph, looked_at=4)
    assert {row.topic for row in report.topics} >= {"/image", "/points", "/camera_info", "/depth", "/infrared"}
    codes = {each.code for each in report.findings}
    assert ("tf-unheard" in codes, "tf-missing" in codes) == (not tf, not tf)
    assert not codes & {"qos-mismatch", "topic-type", "encoding", "camera-info-missing", "clock-offset"}


def test_an_override_that_does_not_fit_is_found(ros: Any, tmp_path: Path) -> None:
    """The node is set to request reliable images, and the camera's are best effort."""
    from sensor_msgs.msg import CompressedImage, Image, PointCloud2

    camera, ears = (
        Node("camera", context=ros),
        Node(
            "perception_check",
            context=ros,
            parameter_overrides=[Parameter("qos_overrides./image.subscription.reliability", value="reliable")],
        ),
    )
    sent = camera.create_publisher(Image, "/image", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    wrong = camera.create_publisher(CompressedImage, "/points", 1)
    info = camera.create_publisher(PointCloud2, "/other", 1)
    live = LiveRecording(ears).record(tmp_path / "live", 2.0)
    assert live.path is None
    assert "nothing came in 2 s on /image" in live.reason
    assert live.graph.requested["/image"].reliable
    assert not live.graph.offered["/image"].offers[0].reliable
    assert live.graph.offered["/points"].type == "sensor_msgs/msg/CompressedImage"
    report = check_silence(live.reason, live.topics, live.graph)
    assert {(each.code, each.where) for each in report.findings if each.severity == ERROR} == {
        ("no-sensor", "live topics"),
        ("topic-type", "/points"),
        ("qos-mismatch", "/image"),
    }
    for publisher in (sent, wrong, info):
        camera.destroy_publisher(publisher)
    camera.destroy_node()
    ears.destroy_node()
