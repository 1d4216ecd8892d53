# SPDX-License-Identifier: Apache-2.0
"""The calibration chain equals KITTI's own formula, P · R_rect · Tr."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.calibration import (
    read_imu_to_velodyne,
    read_object_calibration,
    read_raw_calibration,
)
from perception.datasets.kitti.objects import read_object_labels
from perception.errors import DataError

finite = st.floats(-3, 3)
triples = st.tuples(finite, finite, finite)


def _line(name: str, matrix: np.ndarray) -> str:
    return f"{name}: {' '.join(repr(float(v)) for v in np.ravel(matrix))}\n"


@given(
    rectify=triples, turn=triples, shift=triples, baseline=st.tuples(st.floats(-500, 500), finite, st.floats(-0.1, 0.1))
)
def test_the_chain_equals_the_official_formula(tmp_path_factory, rectify, turn, shift, baseline):
    projection = np.array([[700.0, 0, 600], [0, 710, 170], [0, 0, 1]])
    projection = np.column_stack([projection, baseline])
    r_rect = cv2.Rodrigues(np.array(rectify))[0]
    tr = np.column_stack([cv2.Rodrigues(np.array(turn))[0], shift])
    path = tmp_path_factory.mktemp("calib") / "000000.txt"
    path.write_text(_line("P2", projection) + _line("R0_rect", r_rect) + _line("Tr_velo_to_cam", tr))

    points = np.random.default_rng(0).uniform(-20, 20, (50, 3))
    homogeneous = np.column_stack([points, np.ones(50)])
    rectified = np.column_stack([homogeneous @ tr.T @ r_rect.T, np.ones(50)])
    expected = rectified @ projection.T

    calibration = read_object_calibration(path)
    ours = (homogeneous @ calibration.lidar_to_camera.T)[:, :3] @ calibration.intrinsics.T
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_raw_files_give_the_rectified_camera(kitti_drive):
    calibration = read_raw_calibration(kitti_drive.parent, 2)
    assert calibration.size == (124, 38)
    np.testing.assert_allclose(calibration.intrinsics, [[72.15377, 0, 60.95593], [0, 72.15377, 17.2854], [0, 0, 1]])
    rotation = calibration.lidar_to_camera[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    forward = calibration.lidar_to_camera @ [10, 0, 0, 1]
    assert forward[2] == pytest.approx(9.73, abs=0.01)  # the camera sits 27 cm before the Velodyne
    assert read_imu_to_velodyne(kitti_drive.parent)[3].tolist() == [0, 0, 0, 1]


def test_odd_files_name_themselves_and_the_line(tmp_path):
    path = tmp_path / "000000.txt"
    with pytest.raises(DataError, match=r"000000\.txt: no such file"):
        read_object_calibration(path)
    path.write_text("P2: 1 2 3\n")
    with pytest.raises(DataError, match=r"000000\.txt: P2: 3 numbers, expected 12"):
        read_object_calibration(path)
    path.write_text(_line("P2", np.eye(3, 4)))
    with pytest.raises(DataError, match=r"000000\.txt: no line 'R_rect'"):
        read_object_calibration(path)


def test_real_3d_boxes_fall_onto_the_labelled_2d_boxes(real_data):
    """label_2 has both boxes; the 3D corners go through our camera 2, so a lost baseline would show as an offset."""
    training = real_data / "kitti_object" / "training"
    offsets = []
    for name in ("000000", "000001", "000002"):
        path = training / "calib" / f"{name}.txt"
        calibration = read_object_calibration(path)
        # rectified camera 0 (in which the boxes are given) to camera 2
        shift = (calibration.lidar_to_camera - read_object_calibration(path, camera=0).lidar_to_camera)[:3, 3]
        for label in read_object_labels(training / "label_2" / f"{name}.txt"):
            if label.object_type == "DontCare":
                continue
            corners = (label.corners() + shift) @ calibration.intrinsics.T
            uv = corners[:, :2] / corners[:, 2:]
            offset = np.concatenate([uv.min(0), uv.max(0)]) - label.box
            height = label.box[3] - label.box[1]
            assert np.abs(offset).max() < 1 + 0.06 * height, f"{name} {label.object_type}: {offset} pixels"
            offsets.append(offset)
    assert len(offsets) == 6
    assert np.median(np.abs(offsets)) < 0.5
