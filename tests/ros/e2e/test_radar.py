# SPDX-License-Identifier: Apache-2.0
"""The node in its own process with a network that has channels for a radar, over real DDS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import PATIENT, Vehicle, wait_for
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from perception.messages.convert import cloud_fields
from perception.ros.node_process import NodeProcess
from perception.ros.spinning import spinning


class WithRadar(Vehicle):
    """Sends each instant's image, and a scan that is in the camera's own frame."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.radar = self._sensor(PointCloud2, "/radar")
        self.scans = 0

    def sense(self, level: int, camera: bool = True, lidar: bool = True, **changes: Any) -> int:
        stamp = super().sense(level, camera, lidar=False, **changes)
        header, self.scans = Header(frame_id="left"), self.scans + 1
        header.stamp.sec, header.stamp.nanosec = divmod(stamp, 1_000_000_000)
        returns = np.array([[0, 1, 20 + 0.01 * self.scans, 0]], np.float32)
        self.radar.publish(PointCloud2(header=header, **cloud_fields(returns, PointField)))
        return stamp


@pytest.fixture
def vehicle(ros: Any) -> Iterator[WithRadar]:
    node = Node("vehicle", context=ros)
    with spinning(node):
        yield WithRadar(node)
    node.destroy_node()


def test_a_radar_counts_where_the_network_has_channels_for_it(
    vehicle: WithRadar, tiny_radar_model: Path, tmp_path: Path
) -> None:
    words = ["--ros-args", "-p", f"model:={tiny_radar_model}", *PATIENT]
    with NodeProcess(words, tmp_path / "node.log") as process:
        process.wait_until_active(vehicle.node)
        wait_for(lambda: vehicle.radar.get_subscription_count() and vehicle.image.get_subscription_count())
        wait_for(lambda: vehicle.drive(2) and "radar" in vehicle.statuses()["fusion"][2].get("modalities", ""), 30)
        values = vehicle.statuses()["fusion"][2]
        assert values["modalities"] == "rgb radar"
        assert float(values["weight_radar"]) == pytest.approx(0.5)
        assert vehicle.statuses()["radar"][2]["alive"] == "True"


def test_one_that_the_network_has_no_channels_for_is_named_once(
    vehicle: WithRadar, tiny_model: Path, tmp_path: Path
) -> None:
    log = tmp_path / "node.log"
    with NodeProcess(["--ros-args", "-p", f"model:={tiny_model}", *PATIENT], log) as process:
        process.wait_until_active(vehicle.node)
        said = "radar: /radar is not listened to, the network has no channels for it"
        wait_for(lambda: vehicle.drive(1) and said in log.read_text(), 30)
        vehicle.drive(2)
        assert log.read_text().count(said) == 1
        wait_for(lambda: vehicle.drive(1) and vehicle.statuses()["fusion"][2]["modalities"] == "rgb", 30)
        assert "radar" not in vehicle.statuses()
