# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives: layouts, gaps, stamps, broken files; and the real drive where it is."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from perception.classes import PEDESTRIAN, VEHICLE
from perception.datasets.io.files import read_soft_labels
from perception.datasets.kitti.raw import KittiRaw, SweepStamps
from perception.errors import DataError
from perception.sensors.projection import project


def test_a_drive_is_found_from_each_folder_above_it(kitti_drive):
    for path in (kitti_drive, kitti_drive.parent, kitti_drive.parent.parent):
        assert KittiRaw(path).path == kitti_drive


def test_two_drives_must_be_told_apart(kitti_drive):
    shutil.copytree(kitti_drive, kitti_drive.with_name("2011_09_26_drive_0002_sync"))
    with pytest.raises(DataError, match=r"2 drives, name one .*drive_0001_sync, .*drive_0002_sync"):
        KittiRaw(kitti_drive.parent)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        KittiRaw(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no DATE_drive_NNNN_sync folder"):
        KittiRaw(tmp_path)
    unsynced = tmp_path / "2011_09_26_drive_0001_extract"
    unsynced.mkdir()
    with pytest.raises(DataError, match="get its _sync version, or make a bag of it"):
        KittiRaw(unsynced)


def test_jpeg_images_are_read(kitti_drive):
    for path in sorted((kitti_drive / "image_02/data").glob("*.png")):
        cv2.imwrite(str(path.with_suffix(".jpg")), np.full((38, 124, 3), (0, 0, 200), np.uint8))
        path.unlink()
    drive = KittiRaw(kitti_drive)
    assert [frame.modalities for frame in drive] == [("rgb", "lidar"), ("rgb", "lidar"), ("rgb",), ("lidar",)]
    assert np.abs(drive[1].rgb.astype(int) - (200, 0, 0)).max() <= 2


@pytest.mark.parametrize(
    ("there", "frame_id", "shift"), [("03", "camera_color_right", 1), ("00", "camera_gray_left", 2)]
)
def test_any_camera_that_is_there_is_taken(kitti_drive, there, frame_id, shift):
    (kitti_drive / "image_02").rename(kitti_drive / f"image_{there}")
    (kitti_drive / "image_02/data").mkdir(parents=True)  # unpacked, but empty
    projection = f"72.15377 0 60.95593 {-72.15377 * shift} 0 72.15377 17.2854 0 0 0 1 0"
    with (kitti_drive.parent / "calib_cam_to_cam.txt").open("a") as file:
        file.write(f"S_rect_{there}: 124 38\nP_rect_{there}: {projection}\n")
    if there == "00":
        for path in (kitti_drive / "image_00/data").glob("*.png"):
            cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    drive, colour = KittiRaw(kitti_drive), KittiRaw(kitti_drive, "image_02")
    assert drive.camera.frame_id == frame_id
    assert [frame.modalities for frame in drive] == [("rgb", "lidar"), ("rgb", "lidar"), ("rgb",), ("lidar",)]
    moved = drive.calibration.lidar_to_camera[0, 3] - colour.calibration.lidar_to_camera[0, 3]
    assert moved == pytest.approx(-shift - 4.485728 / 72.15377 + 60.95593 / 72.15377 * 0.002745884, abs=1e-6)
    if there == "00":
        image = drive[0].rgb
        assert (image[..., 0] == image[..., 1]).all()
        assert image.std() > 10


def test_gaps_leave_frames_without_that_sensor(kitti_drive):
    drive = KittiRaw(kitti_drive)
    assert drive.numbers == [0, 1, 2, 3]
    assert [frame.modalities for frame in drive] == [("rgb", "lidar"), ("rgb", "lidar"), ("rgb",), ("lidar",)]
    assert all(frame.size == (124, 38) for frame in drive)
    assert drive[-1].points.shape == (200, 4)


def test_stamps_are_the_cameras_and_else_the_sweeps(kitti_drive):
    drive = KittiRaw(kitti_drive)
    start = 1_317_042_272_000_000_000
    assert drive.stamps == [start + 345808896, start + 445808896, start + 545808896, start + 635337762]
    assert [frame.stamp_ns for frame in drive] == drive.stamps
    assert drive.sweep_stamps[0] == SweepStamps(start + 283701593, start + 335337762, start + 386973931)
    assert drive.sweep_stamps[2] == SweepStamps(None, None, None)
    assert drive.oxts_stamps[1] == start + 449659964


def test_oxts_and_tracklets_are_optional(kitti_drive):
    shutil.rmtree(kitti_drive / "oxts")
    (kitti_drive / "tracklet_labels.xml").unlink()
    drive = KittiRaw(kitti_drive)
    assert drive.oxts == drive.oxts_stamps == [None] * 4
    assert drive.tracklets == []


def test_truncated_files_name_themselves_and_others_stay_readable(kitti_drive):
    sweep = kitti_drive / "velodyne_points/data/0000000001.bin"
    sweep.write_bytes(sweep.read_bytes()[:-3])
    image = kitti_drive / "image_02/data/0000000000.png"
    image.write_bytes(image.read_bytes()[:2000])
    drive = KittiRaw(kitti_drive)
    with pytest.raises(DataError, match=r"0000000001\.bin: 3197 bytes, truncated.* 3184 or 3200"):
        drive[1]
    with pytest.raises(DataError, match=r"0000000000\.png: truncated PNG"):
        drive[0]
    assert drive[2].rgb is not None


def test_an_image_of_another_size_than_calibrated_is_refused(kitti_drive):
    calibration = kitti_drive.parent / "calib_cam_to_cam.txt"
    calibration.write_text(calibration.read_text().replace("1.24e+02", "1.242e+03"))
    with pytest.raises(DataError, match=r"0000000000\.png: 124×38 pixels, expected 1242×38"):
        KittiRaw(kitti_drive)[0]


def test_missing_calibration_and_stamps_are_named(kitti_drive):
    (kitti_drive / "image_02/timestamps.txt").unlink()
    with pytest.raises(DataError, match=r"image_02/timestamps\.txt: no such file"):
        KittiRaw(kitti_drive)
    (kitti_drive.parent / "calib_velo_to_cam.txt").unlink()
    with pytest.raises(DataError, match=r"calib_velo_to_cam\.txt: no such file"):
        KittiRaw(kitti_drive)
    with pytest.raises(DataError, match="KITTI has image_00"):
        KittiRaw(kitti_drive, camera="left")


def test_the_real_drive_has_both_cameras_and_all_sensors(real_data):
    left, right = (KittiRaw(real_data / "kitti_raw", camera) for camera in ("image_02", "image_03"))
    assert len(left) == len(right) == 8
    frame = left[0]
    assert frame.modalities == ("rgb", "lidar")
    assert frame.size == (1242, 375)
    assert frame.stamp_ns == 1_317_042_272_345_808_896
    baseline = (right[0].lidar_to_camera - frame.lidar_to_camera)[:3, 3]
    np.testing.assert_allclose(baseline, [-0.533, 0.003, 0.0], atol=1e-3)  # the colour cameras stand 0.53 m apart
    assert all(start < forward < end for start, forward, end in left.sweep_stamps)


def test_points_in_real_boxes_fall_on_what_the_image_shows_there(real_data):
    """Boxes and image labels come from different hands: only the right chain brings them together."""
    drive = KittiRaw(real_data / "kitti_raw")
    hits = total = 0
    for number, frame in zip(drive.numbers, drive, strict=True):
        soft = read_soft_labels(real_data / "kitti_frustum/drive_0005/soft_label" / f"{number:06d}.png")
        for box in (tracklet.at(number) for tracklet in drive.tracklets):
            if box is None or box.occlusion != "visible":
                continue
            above_ground = frame.points[:, 2] > box.bottom[2] + 0.3
            points = frame.points[box.contains(frame.points) & above_ground]
            u, v = (project(points, frame.lidar_to_camera, frame.camera).uv.T / 2).astype(int)
            objects = soft[..., VEHICLE] + soft[..., PEDESTRIAN]
            hits += (objects[np.minimum(v, soft.shape[0] - 1), u] > 0.5).sum()
            total += len(u)
    assert total > 5000
    assert hits / total > 0.9
