# SPDX-License-Identifier: Apache-2.0
"""The content of the messages in a KITTI bag: calibration, frames, images, clouds, boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.kitti import PACKET, RECTIFIED, STAMPS, UNRECTIFIED, image, raw_drive, sweep
from helpers.kitti_bag import messages, tree

from perception.assembly.transforms import transform_matrix
from perception.bags.kitti.bag import serialise_recording
from perception.datasets.kitti.calibration import read_imu_to_velodyne, read_raw_calibration
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.one_camera import one_camera
from perception.errors import DataError
from perception.messages.cameras import read_view
from perception.messages.convert import read_camera, read_points, read_rgb, stamp_ns

SECOND = 1_317_042_272_000_000_000  # 2011-09-26 13:04:32 UTC
LEFT = "/kitti/camera_color_left"


@pytest.fixture(scope="module")
def unsynced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    return messages(raw_drive(tmp_path_factory.mktemp("unsynced"), synced=False))


def test_rectified_images_have_p_rect_and_no_distortion(synced: dict[str, list[Any]]) -> None:
    for camera, offset in (("gray_left", 0), ("gray_right", -38.75744), ("color_left", 0), ("color_right", -38.438148)):
        info = synced[f"/kitti/camera_{camera}/camera_info"][0]
        np.testing.assert_array_equal(info.k, [72.15377, 0, 24, 0, 72.15377, 10, 0, 0, 1])
        np.testing.assert_allclose(info.p, [72.15377, 0, 24, offset, 0, 72.15377, 10, 0, 0, 0, 1, 0], atol=1e-9)
        np.testing.assert_array_equal(info.r, np.eye(3).reshape(9))
        assert not info.d.any()
        assert (info.width, info.height) == RECTIFIED
        assert read_camera(info).frame_id == f"camera_{camera.replace('right', 'left')}_optical"


def test_unsynced_drives_have_k_d_and_r_and_sweeps_of_text(unsynced: dict[str, list[Any]]) -> None:
    info = unsynced[f"{LEFT}/camera_info"][0]
    np.testing.assert_array_equal(info.k, [98, 0, 34, 0, 97, 16, 0, 0, 1])
    np.testing.assert_array_equal(info.d, [-0.37, 0.2, 0.002, 0.001, -0.07])
    assert info.r[1] == 9.837760e-03
    assert info.p[0] == 72.15377
    assert (info.width, info.height) == UNRECTIFIED
    np.testing.assert_array_equal(read_rgb(unsynced[f"{LEFT}/image_raw"][1]), image(1, UNRECTIFIED, True))
    np.testing.assert_allclose(read_points(unsynced["/kitti/velo/pointcloud"][2]), sweep(2), atol=1e-6)
    assert "/kitti/tracklets" not in unsynced


def test_tf_static_comes_once_and_first(synced: dict[str, list[Any]], drive: Path) -> None:
    assert len(synced["/tf_static"]) == 1
    raw = next(serialise_recording(open_drive(drive)))
    assert (raw.topic, raw.stamp_ns) == ("/tf_static", SECOND + STAMPS["velodyne_points"])
    children = [transform.child_frame_id for transform in synced["/tf_static"][0].transforms]
    assert len(set(children)) == len(children) == 2 + 2 * 4


def test_tf_leads_from_the_world_to_every_sensor(synced: dict[str, list[Any]], drive: Path) -> None:
    """No TF is missing, and not everything is at base_link."""
    transforms = tree(synced)
    frames = {message.header.frame_id for topic in synced if "tf" not in topic and "track" not in topic
              for message in synced[topic]}  # fmt: skip
    assert frames == {"imu_link", "velo_link", "camera_gray_left_optical", "camera_color_left_optical"}
    assert all(transforms.lookup("base_link", frame) is not None for frame in frames)
    assert {(t.header.frame_id, t.child_frame_id) for m in synced["/tf"] for t in m.transforms} == {
        ("world", "base_link")
    }
    for i, name in enumerate(("gray_left", "gray_right", "color_left", "color_right")):
        camera = read_raw_calibration(drive.parent, i)
        found = transforms.lookup(f"camera_{name}_optical", "velo_link")
        np.testing.assert_allclose(found, camera.lidar_to_camera, atol=1e-6)
    imu = transforms.lookup("velo_link", "imu_link")
    np.testing.assert_allclose(imu, read_imu_to_velodyne(drive.parent), atol=1e-6)


def test_the_right_camera_sees_points_where_p_of_its_info_says(synced: dict[str, list[Any]], drive: Path) -> None:
    """REP 104: P projects from the frame that the messages name, the left camera's, with the baseline in its last
    column."""
    transforms, point = tree(synced), np.array([10.0, 1.0, 0.5, 1.0])
    for index, name in ((1, "gray_right"), (3, "color_right")):
        view = read_view(synced[f"/kitti/camera_{name}/camera_info"][0])
        mount = transforms.lookup(view.model.frame_id, "velo_link")
        assert mount is not None
        seen = view.model.intrinsics @ (view.from_frame @ mount @ point)[:3]
        own = read_raw_calibration(drive.parent, index)
        wanted = own.intrinsics @ (own.lidar_to_camera @ point)[:3]
        np.testing.assert_allclose(seen[:2] / seen[2], wanted[:2] / wanted[2], atol=1e-4)


def test_a_right_camera_alone_is_in_its_own_frame(tmp_path: Path) -> None:
    found = messages(raw_drive(tmp_path, cameras=(3,)))
    view = read_view(found["/kitti/camera_color_right/camera_info"][0])
    assert (view.model.frame_id, view.offset) == ("camera_color_right_optical", (0, 0, 0))
    assert tree(found).lookup(view.model.frame_id, "velo_link") is not None


def test_images_are_in_optical_frames(synced: dict[str, list[Any]]) -> None:
    """REP 103: z forward, x right, y down; the frame without the suffix is x forward, y left, z up."""
    transforms = tree(synced)
    optical = transforms.lookup("base_link", "camera_color_left_optical")
    body = transforms.lookup("base_link", "camera_color_left")
    assert optical is not None
    assert body is not None
    np.testing.assert_allclose(optical[:3, :3] @ [0, 0, 1], [1, 0, 0], atol=0.05)
    np.testing.assert_allclose(optical[:3, :3] @ [1, 0, 0], [0, -1, 0], atol=0.05)
    np.testing.assert_allclose(body[:3, :3], np.eye(3), atol=0.05)


def test_the_pose_is_the_vehicles_and_the_world_begins_at_its_imu(synced: dict[str, list[Any]]) -> None:
    poses = [transform_matrix(message.transforms[0].transform) for message in synced["/tf"]]
    imu = tree(synced).lookup("base_link", "imu_link")
    assert poses[0] is not None
    assert poses[2] is not None
    assert imu is not None
    np.testing.assert_allclose((poses[0] @ imu)[:3, 3], 0, atol=1e-9)
    east = 2e-5 * np.pi / 180 * 6378137 * np.cos(np.radians(49))
    np.testing.assert_allclose((poses[2] @ imu)[:3, 3], [east, 0, 0], atol=1e-6)
    forward = (poses[0] @ imu)[:3, 0]
    assert np.arctan2(forward[1], forward[0]) == pytest.approx(PACKET[5])  # yaw: 0 is east


def test_clouds_have_exactly_the_files_points(synced: dict[str, list[Any]]) -> None:
    """No extra point at the end, as from a reader that waits for the end of the file."""
    for number, cloud in enumerate(synced["/kitti/velo/pointcloud"]):
        assert (cloud.width, cloud.height, cloud.row_step, len(cloud.data)) == (50, 1, 800, 800)
        np.testing.assert_array_equal(read_points(cloud, intensity_max=1.0), sweep(number))


def test_rates_are_the_rates_and_not_the_velocities(synced: dict[str, list[Any]]) -> None:
    imu, velocity = synced["/kitti/oxts/imu"][0], synced["/kitti/oxts/gps/vel"][0]
    for rate in (imu.angular_velocity, velocity.twist.angular):
        assert [rate.x, rate.y, rate.z] == PACKET[17:20]
    acceleration = imu.linear_acceleration
    assert [acceleration.x, acceleration.y, acceleration.z] == PACKET[11:14]


def test_images_survive_and_compressed_ones_are_the_files(synced: dict[str, list[Any]], drive: Path) -> None:
    np.testing.assert_array_equal(read_rgb(synced[f"{LEFT}/image_raw"][1]), image(1, RECTIFIED, True))
    gray = synced["/kitti/camera_gray_right/image_raw"][2]
    assert gray.encoding == "mono8"
    np.testing.assert_array_equal(gray.data.reshape(20, 48), image(2, RECTIFIED, False))
    found = messages(drive, compressed=True)
    assert f"{LEFT}/image_raw" not in found
    picture = found[f"{LEFT}/image_raw/compressed"][1]
    assert bytes(picture.data) == (drive / "image_02/data/0000000001.png").read_bytes()
    assert picture.format == "rgb8; png compressed bgr8"
    assert found["/kitti/camera_gray_left/image_raw/compressed"][0].format == "mono8; png compressed mono8"
    np.testing.assert_array_equal(read_rgb(picture), image(1, RECTIFIED, True))


def test_tracklets_are_cubes_at_their_sweep(synced: dict[str, list[Any]]) -> None:
    arrays = synced["/kitti/tracklets"]
    assert [len(array.markers) for array in arrays] == [1, 2, 1]
    assert all(array.markers[0].action == 3 for array in arrays)  # DELETEALL
    cube = arrays[1].markers[1]
    assert (cube.type, cube.action, cube.ns, cube.id, cube.header.frame_id) == (1, 0, "Car", 0, "velo_link")
    assert stamp_ns(cube) == stamp_ns(synced["/kitti/velo/pointcloud"][1])
    assert (cube.scale.x, cube.scale.y, cube.scale.z) == (4.2, 1.8, 1.5)
    assert (cube.pose.position.x, cube.pose.position.y, cube.pose.position.z) == (10, 2, -0.75)
    assert 2 * np.arctan2(cube.pose.orientation.z, cube.pose.orientation.w) == pytest.approx(np.pi / 2)
    assert cube.color.a > 0


def test_an_image_of_another_size_is_refused(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    cv2.imwrite(str(drive / "image_02/data/0000000002.png"), image(0, (30, 20), True))
    with pytest.raises(DataError, match=r"0000000002\.png: 30×20 pixels, expected 48×20"):
        messages(drive)
    cv2.imwrite(str(drive / "image_02/data/0000000000.png"), image(0, (30, 20), True))
    with pytest.raises(DataError, match=r"image_02 has 30×20 pixels, but calib_cam_to_cam\.txt knows 48×20"):
        open_drive(drive)


def test_the_real_drive_gives_the_node_what_it_needs(real_data: Path) -> None:
    found = messages(real_data / "kitti_raw", compressed=True)
    drive = one_camera(open_drive(real_data / "kitti_raw"))
    stamps = [each.stamp_ns for each in drive.images.instants]
    assert [stamp_ns(message) for message in found[f"{LEFT}/camera_info"]] == stamps
    camera = read_camera(found[f"{LEFT}/camera_info"][0])
    np.testing.assert_allclose(camera.intrinsics, drive.model.intrinsics)
    np.testing.assert_allclose(tree(found).lookup(camera.frame_id, "velo_link"), drive.lidar_to_camera, atol=1e-6)
    assert found["/kitti/oxts/gps/fix"][0].status.status == 2
