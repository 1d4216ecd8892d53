# SPDX-License-Identifier: Apache-2.0
"""KITTI drives from one camera: cameras, calibration, stamps, broken files; and the real drive if it is available."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
from helpers.kitti import raw_drive

from perception.classes import PEDESTRIAN, VEHICLE
from perception.datasets.io.files import read_soft_labels
from perception.datasets.kitti.layouts import find_drive
from perception.datasets.kitti.one_camera import one_camera
from perception.datasets.kitti.tracklets import read_tracklets
from perception.errors import DataError
from perception.sensors.projection import project

SECOND = 1_317_042_272_000_000_000


def opened(path, camera=None):
    return one_camera(find_drive(path), camera)


def numbers(stream):
    return [each.number for each in stream.instants]


def test_a_drive_is_found_from_each_folder_above_it(kitti_drive):
    for path in (kitti_drive, kitti_drive.parent, kitti_drive.parent.parent):
        assert opened(path).path == kitti_drive


def test_images_that_are_not_rectified_are_refused(tmp_path):
    with pytest.raises(DataError, match="get its _sync version, or convert it to a bag"):
        opened(raw_drive(tmp_path, synced=False))


def test_jpeg_images_are_read_beside_png_ones(kitti_drive):
    for path in sorted((kitti_drive / "image_02/data").glob("*.png"))[1:]:
        cv2.imwrite(str(path.with_suffix(".jpg")), np.full((38, 124, 3), (0, 0, 200), np.uint8))
        path.unlink()
    drive = opened(kitti_drive)
    assert numbers(drive.images) == [0, 1, 2]
    assert np.abs(drive.frame(0, image=1).rgb.astype(int) - (200, 0, 0)).max() <= 2
    assert drive.frame(0, image=0).rgb.std() > 10


@pytest.mark.parametrize(
    ("there", "frame_id", "shift"), [("03", "camera_color_right_optical", 1), ("00", "camera_gray_left_optical", 2)]
)
def test_any_camera_that_is_there_is_taken(kitti_drive, there, frame_id, shift):
    shutil.copytree(kitti_drive / "image_02", kitti_drive / f"image_{there}")
    projection = f"72.15377 0 60.95593 {-72.15377 * shift} 0 72.15377 17.2854 0 0 0 1 0"
    with (kitti_drive.parent / "calib_cam_to_cam.txt").open("a") as file:
        file.write(f"S_rect_{there}: 124 38\nP_rect_{there}: {projection}\n")
    if there == "00":
        for path in (kitti_drive / "image_00/data").glob("*.png"):
            cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    colour = opened(kitti_drive)
    shutil.rmtree(kitti_drive / "image_02")
    (kitti_drive / "image_02/data").mkdir(parents=True)  # unpacked, but empty
    drive = opened(kitti_drive)
    assert (colour.model.frame_id, drive.model.frame_id) == ("camera_color_left_optical", frame_id)
    moved = drive.lidar_to_camera[0, 3] - colour.lidar_to_camera[0, 3]
    assert moved == pytest.approx(-shift - 4.485728 / 72.15377 + 60.95593 / 72.15377 * 0.002745884, abs=1e-6)
    if there == "00":
        image = drive.frame(0, image=0).rgb
        assert (image[..., 0] == image[..., 1]).all()
        assert image.std() > 10


def test_every_sensor_has_its_own_stamps(kitti_drive):
    drive = opened(kitti_drive)
    assert drive.images.instants == [(SECOND + 345808896 + 100_000_000 * number, number) for number in (0, 1, 2)]
    assert drive.sweeps.instants == [(SECOND + 335337762 + after, n) for n, after in ((0, 0), (1, 10**8), (3, 10**9))]


def test_frames_need_neither_inertial_unit_nor_boxes(kitti_drive):
    shutil.rmtree(kitti_drive / "oxts")
    (kitti_drive.parent / "calib_imu_to_velo.txt").unlink()
    (kitti_drive / "tracklet_labels.xml").write_text("broken")
    assert opened(kitti_drive).frame(7, image=0, sweep=0).modalities == ("rgb", "lidar")


def test_sweeps_alone_are_seen_from_where_the_left_colour_camera_was(kitti_drive):
    before = opened(kitti_drive)
    shutil.rmtree(kitti_drive / "image_02")
    drive = opened(kitti_drive)
    assert (drive.model.width, drive.model.height, drive.model.frame_id) == (124, 38, "camera_color_left_optical")
    np.testing.assert_allclose(drive.lidar_to_camera, before.lidar_to_camera)
    assert drive.frame(7, sweep=3).modalities == ("lidar",)
    shutil.rmtree(kitti_drive / "velodyne_points")
    with pytest.raises(DataError, match="neither PNG or JPEG images nor sweeps in this drive"):
        opened(kitti_drive)


def test_truncated_files_name_themselves_and_others_stay_readable(kitti_drive):
    sweep = kitti_drive / "velodyne_points/data/0000000001.bin"
    sweep.write_bytes(sweep.read_bytes()[:-3])
    image = kitti_drive / "image_02/data/0000000000.png"
    image.write_bytes(image.read_bytes()[:20])
    drive = opened(kitti_drive)
    with pytest.raises(DataError, match=r"0000000001\.bin: 3197 bytes, truncated.* 3184 or 3200"):
        drive.frame(0, sweep=1)
    with pytest.raises(DataError, match=r"0000000000\.png: truncated PNG"):
        drive.frame(0, image=0)
    assert drive.frame(0, image=2).rgb is not None


def test_images_of_another_size_than_calibrated_or_than_the_first_are_refused(kitti_drive):
    cv2.imwrite(str(kitti_drive / "image_02/data/0000000001.png"), np.zeros((30, 20, 3), np.uint8))
    with pytest.raises(DataError, match=r"0000000001\.png: 20×30 pixels, expected 124×38"):
        opened(kitti_drive).frame(0, image=1)
    calibration = kitti_drive.parent / "calib_cam_to_cam.txt"
    calibration.write_text(calibration.read_text().replace("1.24e+02", "1.242e+03"))
    with pytest.raises(DataError, match=r"image_02 has 124×38 pixels, but calib_cam_to_cam\.txt knows 1242×38"):
        opened(kitti_drive)


def test_missing_calibration_and_stamps_are_named(kitti_drive):
    with pytest.raises(DataError, match="KITTI has image_00"):
        opened(kitti_drive, "left")
    (kitti_drive.parent / "calib_velo_to_cam.txt").rename(kitti_drive.parent / "elsewhere.txt")
    with pytest.raises(DataError, match=r"calib_velo_to_cam\.txt: no such file"):
        opened(kitti_drive)
    (kitti_drive / "image_02/timestamps.txt").unlink()
    with pytest.raises(DataError, match=r"image_02/timestamps\.txt: no such file"):
        opened(kitti_drive)


def test_the_real_drive_has_both_cameras_and_all_sensors(real_data):
    left, right = (opened(real_data / "kitti_raw", camera) for camera in ("image_02", "image_03"))
    assert numbers(left.images) == numbers(right.images) == numbers(left.sweeps) == list(range(8))
    assert (left.model.width, left.model.height) == (1242, 375)
    assert left.images.instants[0].stamp_ns == 1_317_042_272_345_808_896
    baseline = (right.lidar_to_camera - left.lidar_to_camera)[:3, 3]
    np.testing.assert_allclose(baseline, [-0.533, 0.003, 0.0], atol=1e-3)  # the colour cameras stand 0.53 m apart


def test_points_in_real_boxes_fall_on_what_the_image_shows_there(real_data):
    """Boxes and image labels have different authors: they only agree if the chain is right."""
    drive = opened(real_data / "kitti_raw")
    tracklets = read_tracklets(drive.path / "tracklet_labels.xml")
    hits = total = 0
    for number in numbers(drive.sweeps):
        sweep = drive.sweeps.read(number)
        soft = read_soft_labels(real_data / "kitti_frustum/drive_0005/soft_label" / f"{number:06d}.png")
        for box in (tracklet.at(number) for tracklet in tracklets):
            if box is None or box.occlusion != "visible":
                continue
            above_ground = sweep[:, 2] > box.bottom[2] + 0.3
            points = sweep[box.contains(sweep) & above_ground]
            u, v = (project(points, drive.lidar_to_camera, drive.model).uv.T / 2).astype(int)
            objects = soft[..., VEHICLE] + soft[..., PEDESTRIAN]
            hits += (objects[np.minimum(v, soft.shape[0] - 1), u] > 0.5).sum()
            total += len(u)
    assert total > 5000
    assert hits / total > 0.9
