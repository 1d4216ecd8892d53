# SPDX-License-Identifier: Apache-2.0
"""KITTI tracking sequences as recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import tracking_split

from perception.datasets.kitti.calibration import read_object_calibration
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.recording import OPTICAL, Recording
from perception.datasets.kitti.streams import EPOCH_NS
from perception.errors import DataError


def stamps(stream) -> list[int]:
    return [instant.stamp_ns for instant in stream.instants]


def mount(recording: Recording, child: str) -> np.ndarray:
    return next(matrix for _, name, matrix in recording.mounts if name == child)


def test_tracking_has_stamps_by_frame_number_and_gaps_stay_gaps(tmp_path: Path) -> None:
    split = tracking_split(tmp_path)
    recording = open_drive(split)
    assert stamps(recording.cameras[0].images) == stamps(recording.oxts) == [EPOCH_NS + i * 10**8 for i in range(3)]
    assert stamps(recording.sweeps) == stamps(recording.boxes) == [EPOCH_NS, EPOCH_NS + 2 * 10**8]
    to_camera = read_object_calibration(split / "calib/0003.txt").lidar_to_camera
    np.testing.assert_allclose(recording.cameras[0].calibration.velodyne_to_camera, to_camera, atol=1e-12)
    body = mount(recording, "camera_color_left")
    np.testing.assert_allclose(np.linalg.inv(body @ OPTICAL), to_camera, atol=1e-6)
    assert open_drive(tmp_path, "0003").cameras[0].name == "camera_color_left"


def test_trackings_labels_become_boxes_in_the_velodyne_frame(tmp_path: Path) -> None:
    """The car stands 10 m ahead, 2 m left; its yaw of −π/2 about the camera's y looks along z, forward."""
    boxes = open_drive(tracking_split(tmp_path)).boxes
    assert boxes.read(2) == []
    (car,) = boxes.read(0)
    assert (car.object_type, car.number, car.size) == ("Car", 4, (4.2, 1.8, 1.5))
    np.testing.assert_allclose(car.pose[:3, 3], [10.3, 2.0, -1.0], atol=0.3)
    np.testing.assert_allclose(car.pose[:3, :3], np.eye(3), atol=0.03)
    assert np.linalg.det(car.pose[:3, :3]) == pytest.approx(1, abs=1e-5)


def test_trackings_mistakes_name_file_and_line(tmp_path: Path) -> None:
    split = tracking_split(tmp_path)
    labels = split / "label_02/0003.txt"
    labels.write_text("0 4 Car 0 0\n")
    with pytest.raises(DataError, match=r"0003\.txt: line 1: 5 columns, expected 17"):
        open_drive(split)
    labels.write_text("0 x Car" + " 0" * 14 + "\n")
    with pytest.raises(DataError, match=r"0003\.txt: line 1: invalid literal"):
        open_drive(split)
    labels.unlink()
    (split / "oxts/0003.txt").write_text("1 2 3\n")
    with pytest.raises(DataError, match=r"0003\.txt: line 1: 3 numbers, expected 30"):
        open_drive(split)
    shutil.rmtree(split / "oxts")
    assert (len(open_drive(split).boxes), len(open_drive(split).poses)) == (0, 0)
