# SPDX-License-Identifier: Apache-2.0
"""KITTI odometry sequences as recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import RECTIFIED, odometry_sequence, sweep
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.odometry import parse_seconds
from perception.datasets.kitti.recording import VELODYNE_IN_BASE, Recording
from perception.datasets.kitti.streams import EPOCH_NS
from perception.errors import DataError


def stamps(stream) -> list[int]:
    return [instant.stamp_ns for instant in stream.instants]


def mount(recording: Recording, child: str) -> np.ndarray:
    return next(matrix for _, name, matrix in recording.mounts if name == child)


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
