# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives as recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from helpers.kitti import STAMPS, raw_drive

from perception.datasets.kitti.layouts import open_drive


def test_a_drive_of_one_sensor_has_only_its_stream(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    for name in ("image_00", "image_01", "image_02", "image_03", "velodyne_points"):
        shutil.rmtree(drive / name)
    recording = open_drive(drive)
    assert (len(recording.cameras), len(recording.sweeps), len(recording.boxes), len(recording.oxts)) == (0, 0, 0, 3)


def test_every_sensor_has_its_own_stamps(tmp_path: Path) -> None:
    recording = open_drive(raw_drive(tmp_path))
    begin = 1_317_042_272_000_000_000  # 2011-09-26 13:04:32 UTC
    found = {camera.name: camera.images.instants[0].stamp_ns - begin for camera in recording.cameras}
    assert found == {
        "camera_gray_left": STAMPS["image_00"],
        "camera_gray_right": STAMPS["image_01"],
        "camera_color_left": STAMPS["image_02"],
        "camera_color_right": STAMPS["image_03"],
    }
    assert recording.oxts.instants[2].stamp_ns - begin == STAMPS["oxts"] + 200_000_000
    assert recording.name(5) == "0000000005"


def test_a_tracklet_is_a_box_about_its_centre(tmp_path: Path) -> None:
    """It stands on z = −1.5 at (10, 2), is 1.5 m high, and looks to the left."""
    boxes = open_drive(raw_drive(tmp_path)).boxes
    assert boxes.read(0) == boxes.read(2) == []
    (car,) = boxes.read(1)
    assert (car.object_type, car.size) == ("Car", (4.2, 1.8, 1.5))
    np.testing.assert_allclose(car.pose @ [0, 0, 0, 1], [10, 2, -0.75, 1])
    np.testing.assert_allclose(car.pose[:3, :3] @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_the_vehicle_is_where_its_inertial_unit_says(tmp_path: Path) -> None:
    """The packets go 1e-5 degrees of longitude a frame to the east: 0.73 m at a latitude of 49."""
    poses = open_drive(raw_drive(tmp_path)).poses
    step = poses.read(1)[:3, 3] - poses.read(0)[:3, 3]
    np.testing.assert_allclose(step, [0.73, 0, 0], atol=0.01)
