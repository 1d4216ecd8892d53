# SPDX-License-Identifier: Apache-2.0
"""The node in its own process with two LiDARs, over real DDS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import LIDAR_TO_CAMERA, Vehicle, sweep, wait_for
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from perception.messages.convert import cloud_fields, stamp_ns
from perception.ros.node_process import NodeProcess
from perception.ros.spinning import spinning

FIRST, SECOND = "/points", "/left/points"


class TwoLidars(Vehicle):
    """Sends each instant's sweep on both topics, or on one."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.left = self._sensor(PointCloud2, SECOND)
        self.sending: tuple[str, ...] = (FIRST, SECOND)
        self.listen(PointCloud2, "/perception/points")

    def sense(self, level: int, camera: bool = True, lidar: bool = True, **changes: Any) -> int:
        stamp = super().sense(level, camera, FIRST in self.sending, **changes)
        if SECOND in self.sending:
            header = Header(frame_id="velo")
            header.stamp.sec, header.stamp.nanosec = divmod(stamp, 1_000_000_000)
            self.left.publish(PointCloud2(header=header, **cloud_fields(sweep(), PointField)))
        return stamp

    def sizes(self, stamps: list[int]) -> set[int]:
        """How many points the clouds of these stamps have."""
        return {message.width for message in self.all("/perception/points") if stamp_ns(message) in stamps}

    def misses(self, name: str) -> bool:
        """Whether the newest diagnostics warn only of that LiDAR."""
        said = self.statuses()
        warned = {key for key, (level, _, _) in said.items() if level == b"\x01"}
        return warned == {"fusion", name} and f"without {name}" in said["fusion"][1] and "silent for" in said[name][1]


@pytest.fixture
def two(ros: Any) -> Iterator[TwoLidars]:
    node = Node("vehicle", context=ros)
    with spinning(node):
        yield TwoLidars(node)
    node.destroy_node()


def test_two_lidars_are_one_cloud_and_each_may_fall_silent(two: TwoLidars, tiny_model: Path, tmp_path: Path) -> None:
    given = [f"model:={tiny_model}", f"lidar_to_camera:={LIDAR_TO_CAMERA}", f"lidar.extra_topics:=[{SECOND}]"]
    given += ["wait_s:=0.5", "lidar.timeout_s:=1.0", "rgb.timeout_s:=5.0", "frozen_after:=0"]
    words = ["--ros-args", *(word for each in given for word in ("-p", each))]
    with NodeProcess(words, tmp_path / "node.log") as process:
        process.wait_until_active(two.node)
        wait_for(lambda: two.left.get_subscription_count() and two.points.get_subscription_count())
        time.sleep(0.3)
        wait_for(lambda: 6 in two.sizes(two.drive(2)), 30)
        wait_for(lambda: {"lidar", "lidar2"} <= two.statuses().keys())
        for silent, name in ((SECOND, "lidar2"), (FIRST, "lidar")):
            two.sending = tuple(topic for topic in (FIRST, SECOND) if topic != silent)
            wait_for(lambda: two.sizes(two.drive(3)) == {3}, 30)
            wait_for(lambda name=name: two.drive(1) and two.misses(name), 30)  # type: ignore[misc]
            two.sending = (FIRST, SECOND)
            wait_for(lambda: 6 in two.sizes(two.drive(2)), 30)
