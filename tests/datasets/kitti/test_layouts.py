# SPDX-License-Identifier: Apache-2.0
"""Each layout as a recording: streams, stamps, mounts, poses, boxes; and folders without a recording."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import RECTIFIED, odometry_sequence, raw_drive, sweep, tracking_split
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.calibration import read_calibration_lines, read_object_calibration
from perception.datasets.kitti.cameras import read_raw_camera
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.odometry import parse_seconds
from perception.datasets.kitti.recording import OPTICAL, VELODYNE_IN_BASE, Recording
from perception.datasets.kitti.streams import EPOCH_NS
from perception.errors import DataError


def stamps(stream) -> list[int]:
    return [instant.stamp_ns for instant in stream.instants]


def mount(recording: Recording, child: str) -> np.ndarray:
    return next(matrix for _, name, matrix in recording.mounts if name == child)


def test_raw_drives_are_found_from_the_folders_above(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    for path in (drive, drive.parent, tmp_path):
        assert len(open_drive(path).sweeps) == 3


def test_a_drive_of_one_sensor_has_only_its_stream(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    for name in ("image_00", "image_01", "image_02", "image_03", "velodyne_points"):
        shutil.rmtree(drive / name)
    recording = open_drive(drive)
    assert (len(recording.cameras), len(recording.sweeps), len(recording.boxes), len(recording.oxts)) == (0, 0, 0, 3)


def test_odometry_has_all_cameras_at_the_times_of_its_frames(tmp_path: Path) -> None:
    recording = open_drive(odometry_sequence(tmp_path))
    expected = [EPOCH_NS, EPOCH_NS + 103735900, EPOCH_NS + 207346500]
    names = ("camera_gray_left", "camera_gray_right", "camera_color_left", "camera_color_right")
    assert tuple(camera.name for camera in recording.cameras) == names
    assert [stamps(camera.images) for camera in recording.cameras] == [expected] * 4
    assert stamps(recording.sweeps) == stamps(recording.poses) == expected
    np.testing.assert_array_equal(recording.sweeps.read(2), sweep(2))
    assert recording.cameras[0].calibration.size == RECTIFIED
    assert not recording.cameras[3].calibration.d.any()
    assert recording.cameras[3].calibration.p[0, 3] == pytest.approx(-38.438148)


def test_odometrys_poses_become_the_vehicles(tmp_path: Path) -> None:
    recording = open_drive(odometry_sequence(tmp_path))
    np.testing.assert_allclose(recording.poses.read(0), np.eye(4), atol=1e-6)
    np.testing.assert_allclose(recording.poses.read(2)[:3, 3], [2, 0, 0], atol=0.05)  # forward, but for the mounting
    assert "base_link" in recording.mounts[0]
    np.testing.assert_array_equal(mount(recording, "velo_link"), VELODYNE_IN_BASE)


def test_sequences_without_poses_and_folders_of_several(tmp_path: Path) -> None:
    odometry_sequence(tmp_path, "07")
    odometry_sequence(tmp_path, "11", poses=False)
    assert len(open_drive(tmp_path, "11").poses) == 0
    with pytest.raises(DataError, match="2 sequences; name one of them with --sequence: 07, 11"):
        open_drive(tmp_path)
    with pytest.raises(DataError, match="no sequence '12'"):
        open_drive(tmp_path / "sequences", "12")


@given(st.integers(0, 10**13))
def test_seconds_are_exact(nanoseconds: int) -> None:
    assert parse_seconds(f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}") == nanoseconds
    assert parse_seconds(f"{nanoseconds}e-9") == nanoseconds


@pytest.mark.parametrize("text", ["", "soon", "nan", "1,5", "inf"])
def test_seconds_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time in seconds"):
        parse_seconds(text)


def test_odometrys_mistakes_name_file_and_line(tmp_path: Path) -> None:
    sequence = odometry_sequence(tmp_path)
    poses, times = tmp_path / "poses/07.txt", sequence / "times.txt"
    poses.write_text(poses.read_text().replace("0 0 0 1 2", "0 0 0 1 x"))
    with pytest.raises(DataError, match=r"07\.txt: line 3: .*a pose has twelve numbers"):
        open_drive(sequence).poses.read(2)
    poses.write_text("1 0 0 0 0 1 0 0 0 0 1 0\n")
    with pytest.raises(DataError, match=r"1 poses, but times\.txt has 3 lines"):
        open_drive(sequence)
    times.write_text("0\nlater\n0.2\n")
    with pytest.raises(DataError, match=r"times\.txt: line 2: 'later' is not a time"):
        open_drive(sequence)
    times.write_text("0\n")
    with pytest.raises(DataError, match=r"times\.txt: 1 lines, expected one per frame up to 000002"):
        open_drive(sequence)


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


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder \(a KITTI drive\)"):
        open_drive(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a KITTI drive: neither image_02/data"):
        open_drive(tmp_path)
    raw_drive(tmp_path)
    raw_drive(tmp_path / "more")
    shutil.copytree(tmp_path / "more/2011_09_26", tmp_path / "2011_09_28")
    with pytest.raises(DataError, match="2 sequences; name one of them with --sequence: 2011_09_26/2011_09_26_drive"):
        open_drive(tmp_path)
    empty = tmp_path / "2011_09_26/2011_09_26_drive_0009_sync"
    (empty / "oxts/data").mkdir(parents=True)
    with pytest.raises(DataError, match="no image, sweep or OXTS packet"):
        open_drive(empty)


def test_the_frame_of_unrectified_images_fits_their_calibration(real_data: Path) -> None:
    """R, K and P of one camera must agree with the chain from the Velodyne: two ways to the same pixel."""
    date = real_data / "kitti_raw/2011_09_26"
    lines, velodyne = (read_calibration_lines(date / f"calib_{name}.txt") for name in ("cam_to_cam", "velo_to_cam"))
    point = np.array([20.0, 3.0, -1.0])
    in_camera0 = velodyne["R"].reshape(3, 3) @ point + velodyne["T"]
    for i in range(4):
        camera = read_raw_camera(date, i, (1392, 512))
        unrectified = lines[f"R_{i:02d}"].reshape(3, 3) @ in_camera0 + lines[f"T_{i:02d}"]
        rectified = (camera.velodyne_to_camera @ [*point, 1])[:3]
        np.testing.assert_allclose(camera.r @ unrectified, rectified, atol=2e-3)
