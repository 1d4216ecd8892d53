# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rosbags.typesys import Stores, get_typestore

from perception.assembly.transforms import StaticTransforms, TransformTree, transform_matrix
from perception.bags.writer import serialise_extrinsics
from perception.frame import CameraModel

numbers = st.floats(-10, 10, allow_nan=False)
quaternions = st.lists(numbers, min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1)
translations = st.lists(numbers, min_size=3, max_size=3)


def transform(rotation: list[float], translation: list[float]) -> SimpleNamespace:
    return SimpleNamespace(
        rotation=SimpleNamespace(**dict(zip("xyzw", rotation, strict=True))),
        translation=SimpleNamespace(**dict(zip("xyz", translation, strict=True))),
    )


def stamped(parent: str, child: str, rotation: list[float], translation: list[float]) -> SimpleNamespace:
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=parent), child_frame_id=child, transform=transform(rotation, translation)
    )


@given(quaternions, translations)
def test_a_quaternion_becomes_a_rigid_matrix(rotation: list[float], translation: list[float]) -> None:
    matrix = transform_matrix(transform(rotation, translation))
    assert matrix is not None
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    x, y, z, w = np.array(rotation) / np.linalg.norm(rotation)
    vector = np.array([1.0, 2.0, 3.0])
    axis = np.array([x, y, z])
    rotated = vector + 2 * np.cross(axis, np.cross(axis, vector) + w * vector)
    np.testing.assert_allclose(matrix @ [*vector, 1], [*(rotated + translation), 1], atol=1e-9)


@given(st.lists(st.tuples(quaternions, translations), min_size=3, max_size=3), st.permutations(range(3)))
def test_chains_compose_in_any_order_of_arrival(links: list[Any], order: list[int]) -> None:
    """camera ← base → imu → lidar, as in kitti2bag."""
    edges = [("base", "camera"), ("base", "imu"), ("imu", "lidar")]
    messages = [stamped(parent, child, *links[i]) for i, (parent, child) in enumerate(edges)]
    tree = StaticTransforms()
    for index in order:
        tree.add([messages[index]])
    camera, imu, lidar = (transform_matrix(message.transform) for message in messages)
    assert camera is not None
    wanted = np.linalg.inv(camera) @ imu @ lidar
    np.testing.assert_allclose(tree.lookup("camera", "lidar"), wanted, atol=1e-6)
    np.testing.assert_allclose(tree.lookup("/lidar", "camera"), np.linalg.inv(wanted), atol=1e-6)


def driven(milliseconds: int, metres: float, quarter_turns: float = 0.0) -> SimpleNamespace:
    """The pose of base_link in odom."""
    half = quarter_turns * np.pi / 4
    found = stamped("/odom", "base_link", [0, 0, np.sin(half), np.cos(half)], [metres, 0, 0])
    sec, nanosec = divmod(milliseconds * 1_000_000, 1_000_000_000)
    found.header.stamp = SimpleNamespace(sec=sec, nanosec=nanosec)
    return found


def test_between_two_transforms_frames_move_evenly() -> None:
    tree = TransformTree()
    tree.add([stamped("base_link", "lidar", [0, 0, 0, 1], [1, 0, 2])])
    tree.move([driven(2100, 12.0, 1.0), driven(2000, 10.0)])
    halfway = tree.lookup("odom", "lidar", 2_050_000_000)
    assert halfway is not None
    np.testing.assert_allclose(halfway @ [0, 0, 0, 1], [11 + np.sqrt(0.5), np.sqrt(0.5), 2, 1], atol=1e-9)
    back = tree.lookup("lidar", "odom", 2_050_000_000)
    assert back is not None
    np.testing.assert_allclose(back @ halfway, np.eye(4), atol=1e-9)
    moved = tree.motion("lidar", 2_000_000_000, 2_100_000_000, "odom")
    assert moved is not None
    # At 10 m it saw things 14 m ahead of it in odom; at 12 m it looks to the left, from a metre aside.
    np.testing.assert_allclose(moved @ [13.0, 0, 0, 1], [-1, -12, 0, 1], atol=1e-9)
    np.testing.assert_allclose(tree.motion("lidar", 2_000_000_000, 2_000_000_000, "odom"), np.eye(4), atol=1e-9)


def test_what_is_not_known_of_that_time_is_not_guessed() -> None:
    tree = TransformTree()
    tree.move([driven(2000, 10.0), driven(3500, 40.0), driven(3600, 42.0)])
    for milliseconds in (1999, 2700, 3601):
        assert tree.motion("base_link", milliseconds * 1_000_000, 3_600_000_000, "odom") is None
    newest = tree.lookup("odom", "base_link", 5_000_000_000)
    assert newest is not None
    assert newest[0, 3] == 42.0
    tree.move([driven(1000, 0.0)])  # the bag began again
    assert tree.motion("base_link", 2_000_000_000, 3_500_000_000, "odom") is None
    tree.move([driven(1100, 2.0), driven(12_050, 5.0)])
    assert tree.motion("base_link", 1_000_000_000, 1_100_000_000, "odom") is None, "it was more than ten seconds ago"
    tree.forget()
    assert tree.lookup("odom", "base_link") is None


def test_frames_that_do_not_connect_are_unknown() -> None:
    tree = StaticTransforms()
    tree.add([stamped("base", "camera", [0, 0, 0, 1], [0, 0, 0]), stamped("base", "lidar", [0, 0, 0, 0], [0, 0, 0])])
    assert tree.lookup("camera", "lidar") is None
    assert transform_matrix(transform([0, 0, 0, 1], [np.nan, 0, 0])) is None


def test_the_bags_that_we_write_give_the_extrinsics_back() -> None:
    lidar_to_camera = np.array([[0, -1, 0, 0.1], [0, 0, -1, 0.2], [1, 0, 0, 0.3], [0, 0, 0, 1.0]])
    camera = CameraModel(np.eye(3), 10, 10, "left")
    raw = serialise_extrinsics(0, lidar_to_camera, camera)
    message = get_typestore(Stores.ROS2_JAZZY).deserialize_cdr(raw.data, raw.type)
    tree = StaticTransforms()
    tree.add(message.transforms)  # type: ignore[attr-defined]
    np.testing.assert_allclose(tree.lookup("left", "lidar"), lidar_to_camera, atol=1e-9)
