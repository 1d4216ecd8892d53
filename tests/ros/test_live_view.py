# SPDX-License-Identifier: Apache-2.0
"""A running node is shown: its sensors and answers over DDS, into a file that is read back."""

from __future__ import annotations

import threading
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

from perception.ros.live_view import LiveView
from perception.ros.node_process import NodeProcess
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
