# SPDX-License-Identifier: Apache-2.0
"""Depth from KITTI's two colour cameras, in each layout that has them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.kitti_benchmarks import write_semantics
from helpers.stereo import write_pair

from perception.datasets.kitti.frames import KittiFrames
from perception.datasets.kitti.raw_samples import KittiRawSamples
from perception.datasets.kitti.semantics import KittiSemantics
from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.sensors.projection import project

LEFT, RIGHT = "100 0 120 5 0 100 40 0 0 0 1 0", "100 0 120 -45 0 100 40 0 0 0 1 0"
"""Projections of two cameras 0.5 m apart, so that the pairs' 8 pixels are 6.25 m."""


@pytest.fixture
def drive(tmp_path):
    """Three pairs in the object layout, beside a drive of one camera."""
    for number in range(3):
        name = f"{number:06d}.png"
        write_pair(tmp_path / "pairs/image_2" / name, tmp_path / "pairs/image_3" / name)
        write_pair(tmp_path / "alone/image_2" / name, tmp_path / "elsewhere" / name)
    (tmp_path / "pairs/calib.txt").write_text(
        f"P2: {LEFT}\nP3: {RIGHT}\nR0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
    )
    return tmp_path / "pairs"


@pytest.fixture
def semantics(tmp_path):
    """One training image of KITTI semantics with its pair and calibration of KITTI stereo 2015."""
    root = write_semantics(tmp_path / "semantics")
    for number in range(5):
        name = f"{number:06d}_10.png"
        write_pair(root / "training/image_2" / name, root / "training/image_3" / name)
        cv2.imwrite(str(root / "training/semantic" / name), np.full((80, 240), 7, np.uint8))
    calibration = root / "training/calib_cam_to_cam/000004.txt"
    calibration.parent.mkdir()
    calibration.write_text(f"calib_time: now\nP_rect_02: {LEFT}\nP_rect_03: {RIGHT}\n")
    return root


def check(frame):
    assert frame.depth.shape == frame.rgb.shape[:2]
    assert np.isfinite(frame.depth[:, 128:]).mean() > 0.9
    assert np.nanmedian(frame.depth) == pytest.approx(6.25, rel=0.02)


def test_drives_with_a_right_camera_have_depth_by_a_name_of_their_own(drive):
    samples = open_dataset("kitti-stereo", drive.parent, "all")
    assert [sample.name for sample in samples] == ["pairs/000000", "pairs/000001", "pairs/000002"]
    check(samples[0].frame)
    plain = open_dataset("kitti-frames", drive.parent, "all")
    assert len(plain) == 6
    assert {sample.frame.modalities for sample in plain} == {("rgb",)}


def test_pairs_that_cannot_be_used_are_refused(drive):
    with pytest.raises(DataError, match="alone: no folder image_3 beside image_2"):
        KittiFrames(drive.parent / "alone", stereo=True)
    cv2.imwrite(str(drive / "image_3/000001.png"), np.zeros((80, 200, 3), np.uint8))
    with pytest.raises(DataError, match=r"image_3/000001\.png: 200×80 and 240×80 pixels in the right and the left"):
        KittiFrames(drive, stereo=True)[1]
    text = (drive / "calib.txt").read_text()
    (drive / "calib.txt").write_text(text.replace(RIGHT, LEFT))
    with pytest.raises(DataError, match=r"calib\.txt: P2 and P3 are not a rectified pair, left and right"):
        KittiFrames(drive, stereo=True)[0]
    (drive / "calib.txt").write_text(text.replace("P3", "P1"))
    with pytest.raises(DataError, match=r"calib\.txt: no line 'P3'"):
        KittiFrames(drive, stereo=True)[0]
    (drive / "calib.txt").unlink()
    with pytest.raises(DataError, match=r"frame 000000 has a right image but neither calib/000000\.txt nor calib\.txt"):
        KittiFrames(drive, stereo=True)[0]
    (drive / "image_3/000001.png").unlink()
    with pytest.raises(DataError, match=r"image_3: no right image for 1 of 3 left ones, the first is 000001\.png"):
        KittiFrames(drive, stereo=True)


def test_the_semantics_benchmark_takes_camera_and_depth_from_stereo_2015(semantics):
    sample = open_dataset("kitti-semantics-stereo", semantics, "val")[0]
    check(sample.frame)
    assert sample.frame.camera.intrinsics.tolist() == [[100, 0, 120], [0, 100, 40], [0, 0, 1]]
    plain = KittiSemantics(semantics, "all")
    assert plain[4].frame.depth is None
    assert [sample.frame.camera is None for sample in plain] == [True] * 4 + [False]


def test_the_semantics_benchmark_refuses_depth_without_calibration(semantics):
    with pytest.raises(DataError, match=r"calib_cam_to_cam/000000\.txt: no such file; depth from two images needs it"):
        KittiSemantics(semantics, "all", stereo=True)[0]
    with pytest.raises(DataError, match="testing/image_3: no right image for 2 of 2"):
        KittiSemantics(semantics, "test", stereo=True)


def test_raw_drives_have_depth_where_both_images_are(kitti_drive):
    with pytest.raises(DataError, match="image_03/data: no right images"):
        KittiRawSamples(kitti_drive, stereo=True)
    for number in (0, 1):
        name = f"{number:010d}.png"
        write_pair(kitti_drive / "image_02/data" / name, kitti_drive / "image_03/data" / name)
    path = kitti_drive.parent / "calib_cam_to_cam.txt"
    rotation = next(line for line in path.read_text().splitlines() if line.startswith("R_rect_00"))
    path.write_text(f"{rotation}\nS_rect_02: 240 80\nP_rect_02: {LEFT}\nP_rect_03: {RIGHT}\n")
    cv2.imwrite(str(kitti_drive / "image_02/data/0000000002.png"), np.zeros((80, 240, 3), np.uint8))
    samples = open_dataset("kitti-raw-stereo", kitti_drive)
    assert [sample.frame.depth is None for sample in samples] == [False, False, True, True]
    check(samples[0].frame)
    assert samples[0].point_labels is not None


def test_the_real_pairs_agree_with_the_laser_scanner(real_data):
    """Of the points that are not hidden by nearer ones and that got a depth, nearly all are within a tenth."""
    drives = KittiFrames(real_data / "kitti_frustum", "val", stereo=True)
    assert {sample.partition("/")[0] for sample in (drives[0].name, drives[-1].name)} == {"drive_0005"}
    frames = drives[0].frame, open_dataset("kitti-raw-stereo", real_data / "kitti_raw")[3].frame
    for frame in frames:
        seen = project(frame.points, frame.lidar_to_camera, frame.camera)
        nearest: np.ndarray = np.full(frame.depth.size, np.inf, np.float32)
        np.minimum.at(nearest, seen.pixels, seen.depth)
        nearest = cv2.erode(nearest.reshape(frame.depth.shape), np.ones((9, 9))).ravel()
        open_view = seen.depth < 1.05 * nearest[seen.pixels]
        measured, expected = frame.depth.ravel()[seen.pixels[open_view]], seen.depth[open_view]
        valid = np.isfinite(measured)
        assert valid.mean() > 0.65
        assert np.mean(np.abs(measured[valid] / expected[valid] - 1) < 0.1) > 0.85
