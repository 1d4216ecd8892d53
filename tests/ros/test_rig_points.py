# SPDX-License-Identifier: Apache-2.0
"""The node that merges the points of several cameras' nodes, over DDS: alone, and with a rig in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import LIDAR_TO_CAMERA, PATIENT, Vehicle, wait_for
from sensor_msgs.msg import PointCloud2, PointField

from perception.messages.convert import cloud_fields, stamp_ns
from perception.messages.labelled_clouds import read_labelled
from perception.ros.node_process import NodeProcess
from perception.ros.rig_points import RigPoints
from perception.ros.spinning import spinning

MERGED = "/rig/points"
BEHIND = "[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]"
"""A camera that looks back."""


def labelled(vehicle: Vehicle, labels: list[int], stamp: Any, frame_id: str = "velo") -> PointCloud2:
    """A cloud as a camera's node publishes it: point n is at n, 0, 0."""
    points = np.zeros((len(labels), 4), np.float32)
    points[:, 0] = np.arange(len(labels))
    fields = cloud_fields(points, PointField, np.array(labels, np.uint8), np.zeros((len(labels), 3), np.uint8))
    header = vehicle.header(frame_id)
    header.stamp = stamp
    return PointCloud2(header=header, **fields)


@pytest.fixture
def rig(ros: Any, vehicle: Vehicle) -> Iterator[RigPoints]:
    """The merging node in this process, which hears two cameras that are publishers of this test."""
    node = RigPoints(("front", "rear"), context=ros)
    with spinning(node, "rig"):
        yield node
    node.destroy_node()


def diagnosed(vehicle: Vehicle) -> tuple[bytes, str, dict[str, str]]:
    """The newest report of the merging node."""
    for array in reversed(vehicle.all("/diagnostics")):
        for status in array.status:
            if status.name == "rig: points":
                return status.level, status.message, {value.key: value.value for value in status.values}
    return b"\x03", "", {}


def test_points_are_merged_while_somebody_listens_and_a_missing_camera_is_told(
    rig: RigPoints, vehicle: Vehicle
) -> None:
    node = vehicle.node
    front, rear = (node.create_publisher(PointCloud2, f"/{name}/perception/points", 5) for name in ("front", "rear"))
    wait_for(lambda: diagnosed(vehicle)[1] == "nobody listens")
    assert front.get_subscription_count() == 0
    vehicle.listen(PointCloud2, MERGED)
    wait_for(lambda: front.get_subscription_count() and rear.get_subscription_count())

    def whole() -> bool:
        stamp = vehicle.header("").stamp
        for publisher, labels in ((front, [1, 2, 255, 255]), (rear, [255, 3, 0, 255])):
            publisher.publish(labelled(vehicle, labels, stamp))
        time.sleep(0.2)
        return any(read_labelled(each)[1].tolist() == [1, 2, 0, 255] for each in vehicle.all(MERGED))

    wait_for(whole)
    wait_for(lambda: whole() and diagnosed(vehicle)[1] == "2 cameras")
    assert float(diagnosed(vehicle)[2]["labelled_share"]) == 0.75

    # The rear camera's node ends: the sweep comes all the same, soon, and the diagnostics say who is missing.
    lonely = vehicle.header("").stamp
    front.publish(labelled(vehicle, [1, 1, 1, 1], lonely))
    cloud = vehicle.at(MERGED, _ns(lonely))
    assert read_labelled(cloud)[1].tolist() == [1, 1, 1, 1]
    wait_for(lambda: "rear" in diagnosed(vehicle)[1] and int(diagnosed(vehicle)[2]["rear.missing"]) >= 1)
    for publisher in (front, rear):
        node.destroy_publisher(publisher)


def test_clouds_that_are_not_of_the_same_points_are_left_out_and_told(rig: RigPoints, vehicle: Vehicle) -> None:
    node = vehicle.node
    front, rear = (node.create_publisher(PointCloud2, f"/{name}/perception/points", 5) for name in ("front", "rear"))
    vehicle.listen(PointCloud2, MERGED)
    wait_for(lambda: front.get_subscription_count() and rear.get_subscription_count())

    def refused() -> bool:
        stamp = vehicle.header("").stamp
        front.publish(labelled(vehicle, [1, 2, 255, 255], stamp))
        rear.publish(labelled(vehicle, [3, 3], stamp))
        time.sleep(0.2)
        _, message, values = diagnosed(vehicle)
        return "cannot be merged: rear" in message and int(values["rear.left_out"]) > 0

    wait_for(refused, 15)
    for publisher in (front, rear):
        node.destroy_publisher(publisher)


@pytest.mark.parametrize("parts", [("",), (":front", ":rear", ":rig")], ids=["one process", "several"])
def test_a_rig_labels_what_each_camera_sees(
    vehicle: Vehicle, tiny_model: Path, tmp_path: Path, parts: tuple[str, ...]
) -> None:
    for name, mount in (("front", LIDAR_TO_CAMERA), ("rear", BEHIND)):
        (tmp_path / f"{name}.yaml").write_text(f"lidar_to_camera: {mount}\n")
    file = tmp_path / "rig.yaml"
    file.write_text(
        "image: /image\ncamera_info: /camera_info\npoints: /points\n"
        "cameras:\n  front: {calibration_file: front.yaml}\n  rear: {calibration_file: rear.yaml}\n"
    )
    for topic in (MERGED, "/front/perception/points", "/rear/perception/points"):
        vehicle.listen(PointCloud2, topic)
    sent: set[int] = set()

    def seen(topic: str) -> list[list[bool]]:
        """Which points were seen, in the clouds of this test."""
        clouds = [cloud for cloud in vehicle.all(topic) if stamp_ns(cloud) in sent]
        return [(read_labelled(cloud)[1] != 255).tolist() for cloud in clouds]

    words = ["--ros-args", "-p", f"model:={tiny_model}", *PATIENT]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(NodeProcess(["--topics", f"{file}{part}", *words], tmp_path / f"{place}.log"))
            for place, part in enumerate(parts)
        ]
        for name in ("front", "rear"):
            processes[0].wait_until_active(vehicle.node, f"/{name}/perception")
        wait_for(lambda: vehicle.image.get_subscription_count() == 2)

        def all_three() -> bool:
            sent.add(vehicle.sense(160))
            time.sleep(0.3)
            for process in processes:
                process.check()
            return [True, True, True] in seen(MERGED)

        wait_for(all_three, 30)
    # Two points ahead and one behind: each node says which it saw.
    assert seen("/front/perception/points")[-1] == [True, True, False]
    assert seen("/rear/perception/points")[-1] == [False, False, True]
    log = "".join(path.read_text() for path in sorted(tmp_path.glob("*.log")))
    assert "merges the points of front, rear into /rig/points" in log
    assert ("2 cameras take turns at one network with threads: " in log) == (len(parts) == 1)
    assert ("as 2 cameras share" in log) == (len(parts) > 1)


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
