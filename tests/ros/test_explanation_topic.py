# SPDX-License-Identifier: Apache-2.0
"""The shipped network in a real node, explained beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.vehicle import LIDAR_TO_CAMERA, PATIENT, Vehicle, wait_for
from sensor_msgs.msg import Image

from perception.explanation.figure import WIDTH
from perception.messages.convert import read_rgb, stamp_ns
from perception.ros.node_process import NodeProcess


def test_a_frame_is_explained_under_its_own_stamp(vehicle: Vehicle, tmp_path: Path) -> None:
    parameters = ["-p", "publish_explanation:=true", "-p", f"lidar_to_camera:={LIDAR_TO_CAMERA}", *PATIENT]
    with NodeProcess(["--ros-args", *parameters], tmp_path / "node.log") as node:
        node.wait_until_active(vehicle.node)
        vehicle.listen(Image, "/perception/explanation")
        stamps: list[int] = []
        wait_for(lambda: stamps.extend(vehicle.drive(1)) or vehicle.all("/perception/explanation"), 180)
        message = vehicle.all("/perception/explanation")[0]
        assert stamp_ns(message) in stamps
        assert message.header.frame_id == "left"
        assert read_rgb(message).shape[1:] == (WIDTH, 3)
