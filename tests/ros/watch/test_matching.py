# SPDX-License-Identifier: Apache-2.0
"""Which publishers and subscribers are connected."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image

from perception.ros.watch.matching import mismatch, type_name

BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=1)
AUTOMATIC = QoSProfile(depth=1, liveliness=LivelinessPolicy.AUTOMATIC)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.mark.parametrize(
    ("offered", "requested", "policy"),
    [
        (RELIABLE, BEST_EFFORT, None),
        (LATCHED, RELIABLE, None),
        (BEST_EFFORT, RELIABLE, "reliability"),
        (RELIABLE, LATCHED, "durability"),
        (BEST_EFFORT, LATCHED, "reliability"),
        (RELIABLE, QoSProfile(depth=1, deadline=Duration(seconds=1)), "deadline"),
        (QoSProfile(depth=1, deadline=Duration(seconds=1)), RELIABLE, None),
        (AUTOMATIC, QoSProfile(depth=1, liveliness=LivelinessPolicy.MANUAL_BY_TOPIC), "liveliness"),
        (RELIABLE, QoSProfile(depth=1, liveliness_lease_duration=Duration(seconds=1)), "liveliness_lease_duration"),
    ],
)
def test_the_policy_is_named(offered: QoSProfile, requested: QoSProfile, policy: str | None) -> None:
    assert mismatch(offered, requested) == policy


def test_types_have_the_names_of_the_graph() -> None:
    assert type_name(Image) == "sensor_msgs/msg/Image"
    assert type_name(CompressedImage) == "sensor_msgs/msg/CompressedImage"
