# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.cameras import CameraCalibration
from perception.datasets.kitti.oxts import OxtsPacket, parse_oxts_packet
from perception.datasets.kitti.recording import (
    BASE,
    IMU,
    IMU_IN_BASE,
    OPTICAL,
    VELODYNE,
    VELODYNE_IN_BASE,
    Camera,
    Instant,
    Recording,
    Stream,
    Vehicle,
    instants,
    mounts,
    nothing,
    paired,
    vehicle_poses,
)


def camera(name: str, stamps: list[int] | None = None, to_camera: np.ndarray | None = None) -> Camera:
    p = np.array([[72.0, 0, 24, -38.0], [0, 72, 10, 0], [0, 0, 1, 0]])
    matrix = np.eye(4) if to_camera is None else to_camera
    calibration = CameraCalibration((48, 20), p[:, :3], np.zeros(5), np.eye(3), p, matrix)
    found = [Instant(stamp, number) for number, stamp in enumerate(stamps or [])]
    return Camera(name, calibration, Stream(found, lambda number: Path(f"{number}.png")))


def test_the_right_camera_of_a_pair_is_in_the_left_ones_frame() -> None:
    left, right = camera("camera_color_left"), camera("camera_color_right")
    found = paired(right, [left, right])
    assert found.frame_id == "camera_color_left_optical"
    assert found.calibration.p[0, 3] == -38
    assert paired(left, [left, right]) is left


def test_without_its_left_one_it_is_in_its_own() -> None:
    right = camera("camera_color_right")
    found = paired(right, [right, camera("camera_gray_left")])
    assert found.frame_id == "camera_color_right_optical"
    assert not found.calibration.p[:, 3].any()
    assert right.calibration.p[0, 3] == -38  # the given one stays as it is


@given(st.lists(st.integers(0, 9), unique=True), st.dictionaries(st.integers(0, 9), st.integers(0, 99)))
def test_instants_are_in_the_order_of_their_stamps(numbers: list[int], stamps: dict[int, int]) -> None:
    found = instants(numbers, stamps)
    assert {each.number for each in found} == set(numbers) & set(stamps)
    assert [each.stamp_ns for each in found] == sorted(each.stamp_ns for each in found)
    assert all(each.stamp_ns == stamps[each.number] for each in found)


def chain(tree: list[tuple[str, str, np.ndarray]], child: str) -> np.ndarray:
    """(4, 4) of `child` in base_link."""
    matrix = np.eye(4)
    while child != BASE:
        parent, step = next((parent, step) for parent, name, step in tree if name == child)
        matrix, child = step @ matrix, parent
    return matrix


def test_the_tree_leads_from_the_axles_to_the_optical_frame() -> None:
    to_camera = np.array([[0, -1, 0, 0.06], [0, 0, -1, -0.08], [1, 0, 0, -0.27], [0, 0, 0, 1.0]])
    for imu in (None, np.block([[np.eye(3), np.array([[-0.8], [0.3], [-0.8]])], [np.zeros(3), 1]])):
        tree = mounts([camera("camera_color_left", to_camera=to_camera)], imu)
        velodyne = chain(tree, VELODYNE)
        optical = chain(tree, "camera_color_left_optical")
        np.testing.assert_allclose(np.linalg.inv(optical) @ velodyne, to_camera, atol=1e-9)
        forward = optical[:3, :3] @ [0, 0, 1]
        np.testing.assert_allclose(forward, [1, 0, 0], atol=1e-9)
        if imu is None:
            np.testing.assert_allclose(velodyne, VELODYNE_IN_BASE)
        else:
            np.testing.assert_allclose(chain(tree, IMU), IMU_IN_BASE)
            np.testing.assert_allclose(np.linalg.inv(velodyne) @ chain(tree, IMU), imu, atol=1e-9)


def test_printed_rotations_become_orthogonal() -> None:
    rough = np.eye(4)
    rough[:3, :3] = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]]) + 1e-4
    tree = mounts([camera("camera_gray_left", to_camera=rough)])
    for _, _, matrix in tree:
        np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)


def test_body_and_optical_frame() -> None:
    """Two metres right, three down and ten ahead of the lens."""
    np.testing.assert_array_equal(OPTICAL @ [2, 3, 10, 1], [10, -2, -3, 1])


def packet(latitude: float, yaw: float = 0.0) -> OxtsPacket:
    return parse_oxts_packet(" ".join(map(str, [latitude, 8.4, 112.0, 0, 0, yaw] + [0.0] * 19 + [4, 10, 4, 4, 0])), "x")


def test_the_world_begins_where_the_inertial_unit_stood() -> None:
    """A hundred-thousandth of a degree to the north is 1.11 m; the car, which looks north, drives it forward."""
    packets = [packet(49.0, np.pi / 2), packet(49.00001, np.pi / 2)]
    poses = vehicle_poses(Stream([Instant(5, 0), Instant(6, 1)], packets.__getitem__))
    first, second = poses.read(0), poses.read(1)
    np.testing.assert_allclose(first @ IMU_IN_BASE @ [0, 0, 0, 1], [0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose((second - first)[:3, 3], [0, 1.11, 0], atol=0.01)
    np.testing.assert_allclose((np.linalg.inv(first) @ second)[:3, 3], [1.11, 0, 0], atol=0.01)
    assert len(vehicle_poses(nothing())) == 0


def test_a_recording_begins_with_its_first_sensor() -> None:
    sweeps = Stream([Instant(70, 0)], lambda number: np.zeros((0, 4), np.float32))
    late = camera("camera_gray_left", [90, 95])
    oxts = Stream([Instant(60, 0)], lambda number: packet(49.0))
    recording = Recording(
        Path("drive"), lambda index: late if index == 0 else None, sweeps, lambda cameras: Vehicle([], oxts), "raw"
    )
    assert recording.start_ns == 60
    assert [each.name for each in recording.cameras] == ["camera_gray_left"]
    empty = Recording(Path("drive"), lambda index: None, nothing(), lambda cameras: Vehicle([]), "tracking")
    assert empty.start_ns == 0
    assert (recording.name(7), empty.name(7)) == ("0000000007", "000007")


def test_lines_for_the_user_come_from_every_sensor() -> None:
    one = Camera("camera_gray_left", camera("camera_gray_left").calibration, nothing(), unstamped=["a"])
    recording = Recording(
        Path("d"), lambda i: one if i == 0 else None, nothing(), lambda c: Vehicle([], left_out=["c"]), "raw", ["b"]
    )
    assert recording.left_out == ["a", "b", "c"]
