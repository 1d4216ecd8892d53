# SPDX-License-Identifier: Apache-2.0
"""TFMessage over real DDS, whether or not tf2_msgs is installed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import wait_for
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from perception.bags.geometry import serialise_links
from perception.bags.raw import TYPES
from perception.ros.spinning import spinning
from perception.ros.tf.message import TF_MESSAGE, _types, subscribe, tf_message_class

LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def test_the_type_is_that_of_ros_and_loads_none_of_the_others() -> None:
    """Other nodes compare the hash; the types of all distributions would take most of an import's time."""
    assert _types().hash_rihs01(TF_MESSAGE) == TYPES.hash_rihs01(TF_MESSAGE)
    code = "import sys, perception.ros.tf.message; sys.exit('rosbags.typesys.stores.ros2_humble' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_latched_transforms_reach_whoever_comes_later(ros: Any) -> None:
    """300 of them, far more than our base type has bytes, and none of a broken message before."""
    mount = np.array([[0, -1, 0, 0.5], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])
    links = [("lidar", f"camera_{number}", mount) for number in range(300)]
    sender, receiver = Node("sender", context=ros), Node("receiver", context=ros)
    publisher = sender.create_publisher(tf_message_class(), "/tf_static", LATCHED)
    publisher.publish(b"\x00\x01\x00\x00\xff\xff\xff\x0fno transforms")
    publisher.publish(serialise_links("/tf_static", 5_000_000_007, links).data)
    heard: list[Any] = []
    try:
        with spinning(receiver):
            assert subscribe(receiver, "/tf_static", heard.append, LATCHED)
            wait_for(lambda: heard, 30)
    finally:
        sender.destroy_node()
        receiver.destroy_node()
    (transforms,) = heard
    assert [each.child_frame_id for each in transforms] == [child for _, child, _ in links]
    last = transforms[-1]
    assert (last.header.frame_id, last.header.stamp.sec, last.header.stamp.nanosec) == ("lidar", 5, 7)
    translation = last.transform.translation
    assert (translation.x, translation.y, translation.z) == (0.5, -0.1, -0.3)


def test_the_network_sees_the_type_of_tf2(ros: Any) -> None:
    """Its name and hash: other machines on the network recognise it by them."""
    node = Node("teller", context=ros)
    try:
        publisher = node.create_publisher(tf_message_class(), "/tf", 10)
        (info,) = node.get_publishers_info_by_topic("/tf")
        assert (info.topic_type, str(info.topic_type_hash)) == (TF_MESSAGE, TYPES.hash_rihs01(TF_MESSAGE))
        assert TYPES.hash_rihs01(TF_MESSAGE).startswith("RIHS01_e369d0f0")
        node.destroy_publisher(publisher)
    finally:
        node.destroy_node()
