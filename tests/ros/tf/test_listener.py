# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import wait_for
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from perception.assembly.transforms import TransformSource
from perception.bags.geometry import serialise_links
from perception.ros.spinning import spinning
from perception.ros.tf.listener import listen
from perception.ros.tf.message import tf_message_class

T0 = 1_700_000_000_000_000_000
STEP = 100_000_000
MOUNT = np.array([[0, -1, 0, 0.5], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])


def driven(metres: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = metres
    return matrix


@pytest.fixture
def heard(ros: Any) -> Iterator[TransformSource]:
    """What is known of a LiDAR that is mounted on a car, and of the car, which drove from 10 to 11 m."""
    if tf_message_class() is None:
        pytest.skip("this rclpy cannot have TF's messages")
    sender, receiver = Node("sender", context=ros), Node("receiver", context=ros)
    source = listen(receiver)
    assert source is not None
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static = sender.create_publisher(tf_message_class(), "/tf_static", latched)
    moving = sender.create_publisher(tf_message_class(), "/tf", 10)
    with spinning(receiver, "receiver"):
        static.publish(serialise_links("/tf_static", T0, [("base", "/lidar", MOUNT)]).data)
        wait_for(lambda: moving.get_subscription_count() > 0)
        for number in (0, 1):
            moving.publish(serialise_links("/tf", T0 + number * STEP, [("odom", "base", driven(10 + number))]).data)
        wait_for(lambda: source.lookup("odom", "lidar", T0 + STEP) is not None)
        wait_for(lambda: source.lookup("odom", "lidar", T0) is not None)
        yield source
    sender.destroy_node()
    receiver.destroy_node()


def test_mounts_and_motion_are_composed(heard: TransformSource) -> None:
    np.testing.assert_allclose(heard.lookup("base", "lidar"), MOUNT, atol=1e-9)
    np.testing.assert_allclose(heard.lookup("/lidar", "base"), np.linalg.inv(MOUNT), atol=1e-9)
    np.testing.assert_allclose(heard.lookup("odom", "lidar", T0), driven(10) @ MOUNT, atol=1e-9)
    np.testing.assert_allclose(heard.lookup("odom", "lidar", T0 + STEP // 2), driven(10.5) @ MOUNT, atol=1e-6)
    assert heard.lookup("base", "nowhere") is None


def test_a_still_point_moves_back_as_the_car_drives_on(heard: TransformSource) -> None:
    found = heard.motion("base", T0, T0 + STEP, "odom")
    np.testing.assert_allclose(found, driven(-1), atol=1e-9)
    assert heard.motion("base", T0, T0 + 50 * STEP, "odom") is None


def test_what_moved_is_forgotten_and_mounts_stay(heard: TransformSource) -> None:
    heard.forget()
    assert heard.lookup("odom", "base", T0) is None
    assert heard.lookup("base", "lidar") is not None
