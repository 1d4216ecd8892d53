# SPDX-License-Identifier: Apache-2.0
"""What a camera_info says of a KITTI camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import RECTIFIED, UNRECTIFIED, raw_drive

from perception.datasets.kitti.calibration import read_calibration_lines
from perception.datasets.kitti.cameras import read_raw_camera, velodyne_to_camera0
from perception.errors import DataError


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


def test_a_rectified_camera_has_no_distortion_and_its_own_baseline(tmp_path: Path) -> None:
    date = raw_drive(tmp_path).parent
    left, right = (read_raw_camera(date, i, RECTIFIED) for i in (0, 1))
    assert not right.d.any()
    np.testing.assert_array_equal(right.r, np.eye(3))
    np.testing.assert_allclose(right.k, [[72.15377, 0, 24], [0, 72.15377, 10], [0, 0, 1]])
    assert left.p[0, 3] == 0
    assert right.p[0, 3] == pytest.approx(-38.75744)
    # What the right camera sees of a point is 0.537 m to the left of what the left one does.
    shift = right.velodyne_to_camera[:3, 3] - left.velodyne_to_camera[:3, 3]
    np.testing.assert_allclose(shift, [-38.75744 / 72.15377, 0, 0], atol=1e-9)


def test_colour_cameras_have_the_baseline_to_the_left_colour_one(tmp_path: Path) -> None:
    """Of the right one's offset of −33.95242 from camera 0, the left one has 4.485728 itself."""
    date = raw_drive(tmp_path).parent
    right = read_raw_camera(date, 3, RECTIFIED)
    assert right.p[0, 3] == pytest.approx(-33.95242 - 4.485728)


def test_an_unrectified_camera_has_its_own_lens(tmp_path: Path) -> None:
    date = raw_drive(tmp_path).parent
    camera = read_raw_camera(date, 2, UNRECTIFIED)
    assert camera.k[0].tolist() == [98, 0, 34]
    assert camera.d.tolist() == [-0.37, 0.2, 0.002, 0.001, -0.07]
    assert camera.r[0, 0] == pytest.approx(0.9999239)
    assert camera.p[0, :3].tolist() == [72.15377, 0, 24]


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    date = raw_drive(tmp_path).parent
    with pytest.raises(DataError, match=r"image_02 has 50×20 pixels, .*48×20"):
        read_raw_camera(date, 2, (50, 20))


def test_both_spellings_of_the_velodynes_place(tmp_path: Path) -> None:
    """Forward of the Velodyne is the camera's z, left is −x, up is −y; the camera is 0.1 m in front of it."""
    rows = "0 -1 0 0 0 0 -1 0 1 0 0 -0.1"
    rectification = "0 1 0 -1 0 0 0 0 1"  # a quarter turn
    for names in (("R0_rect", "Tr_velo_to_cam"), ("R_rect", "Tr_velo_cam")):
        path = tmp_path / "calib.txt"
        path.write_text(f"{names[0]}: {rectification}\n{names[1]}: {rows}\n")
        matrix = velodyne_to_camera0(read_calibration_lines(path), path)
        np.testing.assert_allclose(matrix @ [10, 2, 3, 1], [-3, 2, 9.9, 1])
    path.write_text(f"Tr: {rows}\n")
    np.testing.assert_allclose(
        velodyne_to_camera0(read_calibration_lines(path), path) @ [10, 2, 3, 1], [-2, -3, 9.9, 1]
    )
