# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from perception.assembly.throttled_log import ThrottledLog
from perception.ros.subscriptions import PLAIN_SILENCE_S, Subscriptions

RELIABLE = "qos_overrides./points.subscription.reliability"


class Ears:
    """A node with subscriptions, a LiDAR, and the results of both."""

    def __init__(self, context: Any, *overrides: Parameter) -> None:
        self.node = Node("ears", context=context, parameter_overrides=list(overrides))
        self.said: list[str] = []
        self.heard: list[tuple[str, int]] = []
        complaints = ThrottledLog(self.said.append, self.said.append)
        self.subscriptions = Subscriptions(
            self.node,
            ("rgb", "lidar"),
            lambda sensor, stamp, given: self.heard.append((sensor, stamp)),
            {},
            complaints,
        )
        self.lidar = self.node.create_publisher(PointCloud2, "points", qos_profile_sensor_data)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 10.0
        while not condition():
            assert time.monotonic() < end, self.said
            self.lidar.publish(PointCloud2(header=Header()))
            self.executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self.subscriptions.destroy()
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def ears(ros: Any) -> Iterator[Ears]:
    made = Ears(ros)
    yield made
    made.close()


def test_a_stamp_of_zero_becomes_the_time_of_arrival(ears: Ears) -> None:
    before = time.time_ns()
    ears.until(lambda: ears.heard)
    sensor, stamp = ears.heard[0]
    assert sensor == "lidar"
    assert before <= stamp <= time.time_ns()
    assert ears.said == ["/points: header.stamp: zero; the time of arrival is taken instead"]


def test_a_publisher_that_does_not_fit_is_named_while_it_is_there(ros: Any) -> None:
    ears = Ears(ros, Parameter(RELIABLE, value="reliable"))
    try:
        ears.until(ears.subscriptions.refused)
        assert ears.subscriptions.refused() == {"/points": "QoS (reliability)"}
        assert not ears.heard
        assert len(ears.said) == 1, "once, not with every look at the graph"
        assert "qos_overrides./points.subscription.reliability" in ears.said[0]
        ears.node.destroy_publisher(ears.lidar)
        end = time.monotonic() + 10.0
        while ears.subscriptions.refused():
            assert time.monotonic() < end
            ears.executor.spin_once(timeout_sec=0.05)
    finally:
        ears.close()


def test_a_publisher_of_another_type_is_named(ears: Ears, stranger: Any) -> None:
    stranger.create_publisher(CompressedImage, "image", 1)
    ears.until(ears.subscriptions.refused)
    assert ears.subscriptions.refused() == {"/image": "type (sensor_msgs/msg/CompressedImage)"}
    told = "a publisher sends sensor_msgs/msg/CompressedImage in place of sensor_msgs/msg/Image, so nothing is received"
    assert [line for line in ears.said if told in line]


def test_no_event_is_waited_for(ears: Ears) -> None:
    """Each costs time with every message."""
    ours = len(list(ears.node.waitables))
    ears.subscriptions.destroy()
    assert len(list(ears.node.waitables)) == ours


def test_it_may_listen_again(ears: Ears) -> None:
    ears.subscriptions.destroy()
    assert ears.subscriptions.topics == []
    again = Subscriptions(ears.node, ("rgb",), lambda *_: None, {"odometry": print}, ThrottledLog(print, print))
    assert again.topics == ["/odometry", "/image", "/image/compressed"]
    again.destroy()


def test_messages_decide_between_plain_and_compressed_images(ears: Ears) -> None:
    node = ears.node
    camera = node.create_publisher(Image, "image", 1)
    coded = node.create_publisher(CompressedImage, "image/compressed", 1)
    ears.until(lambda: coded.get_subscription_count() == 1 and node.count_publishers("image"))
    ears.subscriptions.settle()
    for stamp in range(1, 11):  # the plain topic is advertised and silent
        coded.publish(CompressedImage(header=Header(stamp=Time(sec=stamp))))
        ears.until(lambda stamp=stamp: ("rgb", stamp * 10**9) in ears.heard)  # type: ignore[misc]
        ears.subscriptions.settle()

    camera.publish(Image(header=Header(stamp=Time(sec=11))))
    ears.until(lambda: ("rgb", 11 * 10**9) in ears.heard)
    ears.subscriptions.settle()
    ears.until(lambda: coded.get_subscription_count() == 0)
    assert ears.subscriptions.topics == ["/image", "/points"]

    fell_silent = time.monotonic()  # and stays advertised

    def listens_again() -> bool:
        ears.subscriptions.settle()
        return bool(coded.get_subscription_count() == 1)

    ears.until(listens_again)
    assert time.monotonic() - fell_silent < PLAIN_SILENCE_S + 2
    coded.publish(CompressedImage(header=Header(stamp=Time(sec=12))))
    ears.until(lambda: ("rgb", 12 * 10**9) in ears.heard)


def test_compressed_images_stay_where_the_plain_ones_cannot_be_heard(ros: Any) -> None:
    ears = Ears(ros, Parameter("qos_overrides./image.subscription.reliability", value="reliable"))
    try:
        ears.node.create_publisher(Image, "image", qos_profile_sensor_data)
        ears.until(lambda: "/image" in ears.subscriptions.refused())
        ears.subscriptions.settle()
        assert "/image/compressed" in ears.subscriptions.topics
    finally:
        ears.close()


def test_a_topic_that_nobody_publishes_has_a_nearest_that_somebody_does(ears: Ears) -> None:
    ears.node.create_publisher(Image, "/imagee", 1)
    ears.node.create_publisher(Image, "/nothing/like/it", 1)
    ears.node.create_publisher(Image, "/ears/image", 1)  # its own answers
    ears.until(lambda: "/image" in ears.subscriptions.nearest())
    assert ears.subscriptions.nearest()["/image"] == "/imagee"
    assert "/points" not in ears.subscriptions.nearest()


@pytest.mark.parametrize("latched", [True, False])
def test_a_camera_info_is_heard_whatever_its_durability(ros: Any, latched: bool) -> None:
    """A latched one that was sent once, before the node subscribed, and those that are sent again and again."""
    node, width = Node("ears", context=ros), list[int]()
    executor = SingleThreadedExecutor(context=ros)
    executor.add_node(node)
    said = list[str]()
    policy = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    camera = node.create_publisher(CameraInfo, "camera_info", QoSProfile(depth=1, durability=policy))
    camera.publish(CameraInfo(width=640))
    others = {"camera_info": lambda message: width.append(message.width)}
    subscriptions = Subscriptions(node, ("rgb",), lambda *_: None, others, ThrottledLog(said.append, said.append))
    end = time.monotonic() + 10.0
    while not width:
        assert time.monotonic() < end
        if not latched:
            camera.publish(CameraInfo(width=640))
        executor.spin_once(timeout_sec=0.05)
        subscriptions.settle()
    assert width[0] == 640
    assert said == []
    assert subscriptions.refused() == {}
    subscriptions.destroy()
    assert not [each.topic_name for each in node.subscriptions if each.topic_name == "/camera_info"]
    executor.shutdown()
    node.destroy_node()
