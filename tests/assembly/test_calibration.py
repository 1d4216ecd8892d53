# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perception.assembly.calibration import Calibration, FileCalibration, read_calibration_file
from perception.errors import DataError, MessageError
from perception.frame import CameraModel
from perception.messages.cameras import CameraView
from perception.messages.convert import camera_info_fields

WHOLE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
"""The region of interest of a camera without one."""
CAMERA = CameraModel(np.array([[700.0, 0, 600], [0, 710, 180], [0, 0, 1]]), 1242, 375, "left")
FROM_FILE, FROM_PARAMETER, FROM_TF = (np.eye(4) + np.eye(4, k=3) * offset for offset in (1, 2, 3))

YAML = """\
image_width: 1242
image_height: 375
camera_name: left
projection_matrix:
  rows: 3
  cols: 4
  data: [700.0, 0, 600, 0, 0, 710, 180, 0, 0, 0, 1, 0]
lidar_to_camera: [0, -1, 0, 0.1,  0, 0, -1, 0.2,  1, 0, 0, 0.3,  0, 0, 0, 1]
"""


class Tf:
    def lookup(self, target: str, source: str) -> Any:
        return FROM_TF if (target, source) == ("left", "velo") else None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> Any:
        return None

    def forget(self) -> None:
        pass


def info(**changes: Any) -> SimpleNamespace:
    fields = {"header": SimpleNamespace(frame_id="left"), "roi": WHOLE, **camera_info_fields(CAMERA), **changes}
    return SimpleNamespace(**fields)


def test_yaml_file(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    path.write_text(YAML)
    found = read_calibration_file(path)
    assert found.camera is not None
    np.testing.assert_array_equal(found.camera.model.intrinsics, CAMERA.intrinsics)
    assert (found.camera.model.width, found.camera.model.height, found.camera.model.frame_id) == (1242, 375, "left")
    assert found.lidar_to_camera is not None
    np.testing.assert_array_equal(found.lidar_to_camera[:3, 3], [0.1, 0.2, 0.3])


def test_kitti_folder(kitti_drive: Path) -> None:
    found = read_calibration_file(kitti_drive.parent)
    assert found.camera is not None
    assert found.lidar_to_camera is not None
    assert (found.camera.model.width, found.camera.model.height) == (124, 38)
    # The LiDAR looks along x, the camera along z.
    assert (found.lidar_to_camera @ [10, 0, 0, 1])[2] == pytest.approx(9.7, abs=0.1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected keys"),
        ("a: [", "not valid YAML"),
        ("camera: 3", "neither image_width"),
        (YAML.replace("600, 0, 0", "600, 0"), "projection_matrix: expected 12 numbers"),
        (YAML.replace("0.3", "x"), "lidar_to_camera: expected 16 numbers"),
        (YAML.replace("-1, 0.2", "-7, 0.2"), "no rigid transform"),
        (YAML.replace("700.0", "0.0"), "projection_matrix and camera_matrix: no focal length"),
        (YAML.replace("1242", "wide"), "whole numbers"),
    ],
)
def test_broken_files_are_named_with_the_key(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=reason) as error:
        read_calibration_file(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.yaml: No such file"):
        read_calibration_file(tmp_path / "no.yaml")


def test_extrinsics_by_tf_then_file_then_parameter() -> None:
    file = FileCalibration(None, FROM_FILE)
    everything = Calibration(file, FROM_PARAMETER, Tf())
    assert everything.lidar_to_camera("velo", "left") is FROM_TF
    assert everything.lidar_to_camera("other", "left") is FROM_FILE
    assert Calibration(None, FROM_PARAMETER, Tf()).lidar_to_camera("other", "left") is FROM_PARAMETER
    with pytest.raises(MessageError, match="from 'other' to 'left'"):
        Calibration(transforms=Tf()).lidar_to_camera("other", "left")


def test_file_and_parameter_tell_of_the_first_lidar_alone() -> None:
    calibration = Calibration(FileCalibration(None, FROM_FILE))
    with pytest.raises(MessageError, match="nor to the first LiDAR's ''"):
        calibration.lidar_to_camera("side", "left", "lidar2")
    assert calibration.lidar_to_camera("velo", "left") is FROM_FILE
    assert calibration.lidar_to_camera("velo", "left", "lidar2") is FROM_FILE, "it is in the same frame"
    with pytest.raises(MessageError, match="nor to the first LiDAR's 'velo' "):
        calibration.lidar_to_camera("side", "left", "lidar2")


def test_the_newest_camera_info_wins_over_the_file() -> None:
    file = FileCalibration(CameraView(CameraModel(np.eye(3), 10, 10)), None)
    calibration = Calibration(file)
    assert calibration.camera() is file.camera
    calibration.put_camera_info(info())
    camera = calibration.camera()
    assert camera is not None
    assert camera.model.width == 1242
    calibration.put_camera_info(info())
    assert calibration.camera() is camera
    calibration.put_camera_info(info(width=621))
    assert calibration.camera() is not camera


def test_the_known_camera_stays_while_the_newest_camera_info_is_broken() -> None:
    calibration = Calibration()
    calibration.put_camera_info(info())
    camera = calibration.camera()
    assert calibration.broken() is None
    calibration.put_camera_info(info(p=np.zeros(12), k=np.zeros(9)))
    for _ in range(2):
        assert calibration.camera() is camera
        assert "not calibrated" in str(calibration.broken())
    calibration.put_camera_info(info())
    assert calibration.camera() is not None
    assert calibration.broken() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"header": SimpleNamespace(frame_id="right")},
        {"roi": SimpleNamespace(x_offset=10, y_offset=0, width=800, height=300)},
        {"width": 1000},
        {"r": np.diag([1.0, -1, -1]).ravel(), "d": np.array([0.1, 0, 0, 0, 0])},
    ],
)
def test_whatever_changes_in_a_camera_info_counts(changes: dict[str, Any]) -> None:
    calibration = Calibration()
    calibration.put_camera_info(info())
    before = calibration.camera()
    calibration.put_camera_info(info(**changes))
    after = calibration.camera()
    assert before is not None
    assert after is not None
    parts = [
        (view.model.frame_id, view.model.width, view.model.intrinsics.tolist(), view.lens) for view in (before, after)
    ]
    assert parts[0] != parts[1]


def test_a_file_whose_matrix_is_zeros_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "car.yaml"
    path.write_text("lidar_to_camera: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]")
    with pytest.raises(DataError, match="no rigid transform"):
        read_calibration_file(path)


CALIBRATED = """\
image_width: 1392
image_height: 512
camera_name: left
camera_matrix: {rows: 3, cols: 3, data: [959.8, 0, 696.0, 0, 956.9, 224.2, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.369, 0.197, 0.00135, 0.00057, -0.0677]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [721.5, 0, 609.6, 0, 0, 721.5, 172.9, 0, 0, 0, 1, 0]}
lidar_to_camera: [0, -1, 0, 0.1,  0, 0, -1, 0.2,  1, 0, 0, 0.3,  0, 0, 0, 1]
"""
"""A file of camera_calibration, with the LiDAR's pose."""


def read(tmp_path: Path, text: str) -> FileCalibration:
    path = tmp_path / "car.yaml"
    path.write_text(text)
    return read_calibration_file(path)


def test_a_file_with_distortion_rectifies_as_camera_info_does(tmp_path: Path) -> None:
    found = read(tmp_path, CALIBRATED)
    assert found.camera is not None
    assert found.camera.lens is not None
    assert found.camera.lens.k[0] == 959.8
    assert found.camera.model.intrinsics[0, 0] == 721.5
    with pytest.raises(DataError, match=r"images in a folder are not rectified here.*'image_rectified: yes'"):
        found.of_files(tmp_path)
    camera, mount = read(tmp_path, CALIBRATED + "image_rectified: yes\n").of_files(tmp_path)
    assert camera is not None
    assert mount is not None
    assert (camera.intrinsics[0, 2], mount[0, 3]) == (609.6, 0.1)


def test_a_file_may_say_only_that_images_are_rectified(tmp_path: Path) -> None:
    assert read(tmp_path, "image_rectified: yes").rectified == "yes"
    assert Calibration(read(tmp_path, "image_rectified: no")).rectified == "no"
    with pytest.raises(DataError, match="image_rectified: 'perhaps', expected one of auto, yes, no"):
        read(tmp_path, "image_rectified: perhaps")


def test_the_baseline_of_a_file_counts(tmp_path: Path) -> None:
    text = YAML.replace("600, 0, 0, 710", "600, -70, 0, 710")
    _, mount = read(tmp_path, text).of_files(tmp_path)
    assert mount is not None
    assert mount[0, 3] == pytest.approx(0.1 - 70 / 700)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("projection_matrix", "#", "projection_matrix: empty although d has distortion; rectify the image and set p"),
        ("721.5, 0, 609.6", "721.5, .nan, 609.6", "projection_matrix: number 2 of 12 is nan"),
        ("696.0", ".inf", "camera_matrix: number 3 of 9 is inf"),
        ("-0.369, 0.197", "0.1, 0.1, 0.197", "distortion_coefficients: 6 numbers, 'plumb_bob' has 4 or 5"),
        ("image_width: 1392\nimage_height: 512", "image_width: 2784\nimage_height: 912",
         "camera_matrix: principal point 696, 224.2 belongs to images of 1392×456, but width and height say 2784×912"),
        ("image_width: 1392\nimage_height: 512", "image_width: 464\nimage_height: 171",
         "projection_matrix: principal point 609.6, 172.9 lies outside the image of 464×171"),
        ("[0, -1, 0, 0.1,  0, 0, -1, 0.2,  1, 0, 0, 0.3,  0, 0, 0, 1]",
         "[0, 0, 1, 0,  -1, 0, 0, 0,  0, -1, 0, 0,  0.1, 0.2, 0.3, 1]", "last row is 0.1 0.2 0.3 1, expected 0 0 0 1"),
        ("0, -1, 0, 0.1", "0, -1000, 0, 0.1", "row 1 of its rotation has length 1000, expected 1"),
        ("0, -1, 0, 0.1", "0, 1, 0, 0.1", "determinant of its rotation is -1"),
    ],
)  # fmt: skip
def test_the_number_of_a_file_that_is_off_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(tmp_path, CALIBRATED.replace(old, new))
