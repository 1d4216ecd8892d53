# SPDX-License-Identifier: Apache-2.0
"""A running node is shown: its sensors and answers over DDS, into a file that is read back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import columns, rows
from helpers.vehicle import HEIGHT, LIDAR_TO_CAMERA, PATIENT, WIDTH, Vehicle, wait_for
from rclpy.node import Node
from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from perception.classes import CLASSES
from perception.messages.convert import image_fields
from perception.objects import Object
from perception.ros.live_view import LiveView
from perception.ros.node_process import NodeProcess
from perception.ros.object_publishers import markers
from perception.viewing.log import Log


def test_a_running_node_is_shown(ros: Any, vehicle: Vehicle, tiny_model: Path, tmp_path: Path) -> None:
    parameters = ["-p", f"model:={tiny_model}", "-p", f"lidar_to_camera:={LIDAR_TO_CAMERA}", *PATIENT]
    path = tmp_path / "live.rrd"
    recording = rr.RecordingStream("test")
    recording.save(path)
    own = Node("perception_view", context=ros)
    view, stop = LiveView(own, Log(recording), rate_hz=20), threading.Event()
    thread = threading.Thread(target=view.run, args=(lambda: not stop.is_set(),))
    try:
        with NodeProcess(["--ros-args", *parameters], tmp_path / "node.log") as process:
            process.wait_until_active(vehicle.node)
            sensors = (vehicle.image, vehicle.points, vehicle.info)
            wait_for(lambda: all(sensor.get_subscription_count() == 2 for sensor in sensors))
            wait_for(lambda: own.count_publishers("/perception/points"))
            thread.start()
            vehicle.drive(12)
            wait_for(lambda: "weight_rgb" in vehicle.statuses()["fusion"][2])
            vehicle.drive(8)  # what the diagnostics say is shown with the next frame
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()
        own.destroy_node()
        recording.disconnect()

    labels = {stamp: np.frombuffer(each.data, np.uint8) for stamp, each in vehicle.labels().items()}
    entity = "/world/camera/labels"
    stamps, shown = rows(path, entity, "stamp"), rows(path, entity, "SegmentationImage:buffer")
    assert len(stamps) >= 3
    for stamp, image in zip(stamps, shown, strict=True):
        np.testing.assert_array_equal(np.asarray(image, np.uint8).ravel(), labels[stamp])
        assert len(labels[stamp]) == WIDTH * HEIGHT
    assert {"/world/camera/rgb", "/world/points", "/weights/rgb", "/latency/p50", "/latency/infer"} <= set(
        columns(path)
    )
    assert any(len(ids) == 3 and 255 in np.ravel(ids) for ids in rows(path, "/world/points", "Points3D:class_ids"))
    weights = np.ravel(rows(path, "/weights/rgb", "Scalars:scalars"))
    assert ((weights == 0.5) | (weights == 1.0)).all()


def test_instances_and_boxes_of_a_running_node_are_shown(ros: Any, vehicle: Vehicle, tmp_path: Path) -> None:
    path, recording = tmp_path / "live.rrd", rr.RecordingStream("test")
    recording.save(path)
    own, node = Node("perception_view", context=ros), Node("perception", context=ros)
    view, stop = LiveView(own, Log(recording), rate_hz=20), threading.Event()
    thread = threading.Thread(target=view.run, args=(lambda: not stop.is_set(),))
    instances = np.full((HEIGHT, WIDTH), 2003, np.uint16)
    labels, codes = (node.create_publisher(Image, f"~/{name}", 5) for name in ("labels", "instances"))
    boxes = node.create_publisher(MarkerArray, "~/objects/markers", 5)
    turned = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])  # ahead
    box = Object(2003, 0.9, np.array([1.0, 0.5, 12.0]), (4.0, 1.8, 1.5), turned, 10.5, 80)
    try:
        thread.start()
        for _ in range(12):
            header = vehicle.header("left")
            labels.publish(Image(header=header, **image_fields((instances // 1000).astype(np.uint8), "mono8")))
            codes.publish(Image(header=header, **image_fields(instances, "16UC1")))
            boxes.publish(markers(header, [box], CLASSES))
            time.sleep(0.15)
        assert view.shown > 3
    finally:
        stop.set()
        thread.join()
        own.destroy_node()
        node.destroy_node()
        recording.disconnect()
    shown = rows(path, "/world/camera/instances", "SegmentationImage:buffer")[-1]
    np.testing.assert_array_equal(np.asarray(shown, np.uint8).view(np.uint16), instances.ravel())
    (centre,) = rows(path, "/world/objects", "Boxes3D:centers")[-1:]
    np.testing.assert_allclose(centre, [12, -1, -0.5], atol=1e-6)  # the LiDAR's frame: forward, left, up
    (turn,) = rows(path, "/world/objects", "Boxes3D:quaternions")[-1:]
    np.testing.assert_allclose(np.abs(turn), [0, 0, 0, 1], atol=1e-6)
    assert rows(path, "/world/objects", "Boxes3D:labels")[-1] == "vehicle 3, 10.5 m, 0.90"
