# SPDX-License-Identifier: Apache-2.0
"""Boxes of known places and sizes, of which the points on the sides towards the camera are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.classes import ROAD, UNLABELLED, VEHICLE
from perception.frame import CameraModel, Frame, Prediction
from perception.ground import Ground
from perception.objects.boxes import Object, find_objects, fit_box
from perception.sensors.projection import project

CAMERA = CameraModel(np.array([[200.0, 0, 160], [0, 200.0, 60], [0, 0, 1]]), 320, 120)
HEIGHT = 1.6
LEVEL = np.array([0.0, -1.0, 0.0])


def made(where: tuple[float, float], size: tuple[float, float, float], yaw: float, ground: Ground) -> Object:
    """A box on the ground: to the right and forward of the camera, and turned about the ground's normal."""
    forward = np.array([0.0, 0.0, 1.0]) - ground.up[2] * ground.up
    forward /= np.linalg.norm(forward)
    right = -np.cross(ground.up, forward)
    ahead = np.cos(yaw) * right - np.sin(yaw) * forward
    rotation = np.stack([ahead, np.cross(ground.up, ahead), ground.up], 1)
    centre = where[0] * right + where[1] * forward + (size[2] / 2 - ground.height) * ground.up
    return Object(VEHICLE * 1000 + 1, 1.0, centre, size, rotation, 0.0, 0)


def seen(box: Object, step: float = 0.1) -> np.ndarray:
    """(M, 3) points on the upright sides that face the camera."""
    half, found = np.array(box.size) / 2, []
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        normal = sign * box.rotation[:, axis]
        if normal @ (box.centre + half[axis] * normal) < 0:
            other = 1 - axis
            along, up = (np.linspace(-half[each], half[each], 2 + int(2 * half[each] / step)) for each in (other, 2))
            own = np.zeros((len(along), len(up), 3))
            own[..., axis], own[..., other], own[..., 2] = sign * half[axis], along[:, None], up
            found.append(own.reshape(-1, 3) @ box.rotation.T + box.centre)
    return np.concatenate(found)


def turned(one: float, other: float) -> float:
    """Radians between two directions, whichever way."""
    return abs((one - other + np.pi / 2) % np.pi - np.pi / 2)


@settings(max_examples=60)
@given(
    across=st.floats(-8, 8),
    forward=st.floats(8, 40),
    length=st.floats(3, 10),
    width=st.floats(1.2, 2.5),
    height=st.floats(1, 3),
    yaw=st.floats(-1.57, 1.57),
    pitch=st.floats(-0.1, 0.1),
    roll=st.floats(-0.05, 0.05),
    seed=st.integers(0, 99),
)
def test_the_box_of_two_sides_is_the_one_that_was_made(
    across: float, forward: float, length: float, width: float, height: float, yaw: float, pitch: float, roll: float,
    seed: int,
) -> None:  # fmt: skip
    ground = Ground.mounted(HEIGHT, pitch, roll)
    box = made((across, forward), (length, width, height), yaw, ground)
    xyz = seen(box)
    sides = np.abs((xyz - box.centre) @ box.rotation) >= np.array(box.size) / 2 - 1e-6
    xyz += np.random.default_rng(seed).normal(0, 0.01, xyz.shape)
    centre, size, rotation = fit_box(xyz, ground.up, ground.height)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation[:, 2], ground.up)
    if min(sides[:, 0].sum(), sides[:, 1].sum()) > 20 and sides[:, 0].mean() < 0.95 and sides[:, 1].mean() < 0.95:
        np.testing.assert_allclose(size, box.size, atol=0.15)
        np.testing.assert_allclose(centre, box.centre, atol=0.1)
        assert turned(Object(1, 1, centre, size, rotation, 1, 1).yaw, box.yaw) < 0.03


def test_yaw_is_kittis() -> None:
    for yaw in (-1.2, 0.0, 0.4, 1.5):
        box = made((5, 10), (4, 2, 1.5), yaw, Ground(LEVEL, HEIGHT))
        assert box.yaw == pytest.approx(yaw)
        assert turned(Object(1, 1, *fit_box(seen(box), LEVEL), 1, 1).yaw, yaw) < 0.03


def test_corners_are_those_of_the_box() -> None:
    corners = made((1, 10), (4, 2, 1.5), 0.0, Ground(LEVEL, HEIGHT)).corners()
    assert corners.shape == (8, 3)
    np.testing.assert_allclose(corners.min(0), [-1, HEIGHT - 1.5, 9], atol=1e-9)
    np.testing.assert_allclose(corners.max(0), [3, HEIGHT, 11], atol=1e-9)
    np.testing.assert_allclose(corners[:4, 1], HEIGHT)


def test_a_box_stands_on_the_ground_although_its_foot_was_not_seen_and_floats_if_far_above() -> None:
    box = made((1, 10), (4, 2, 1.5), 0.3, Ground(LEVEL, HEIGHT))
    xyz = seen(box)
    upper = xyz[xyz[:, 1] < HEIGHT - 0.5]
    assert fit_box(upper, LEVEL, HEIGHT)[1][2] == pytest.approx(1.5, abs=0.01)
    assert fit_box(upper, LEVEL)[1][2] < 1.05
    assert fit_box(upper - [0, 1, 0], LEVEL, HEIGHT)[1][2] < 1.05


def test_points_of_the_road_make_no_box_longer() -> None:
    box = made((1, 10), (4, 2, 1.5), 0.8, Ground(LEVEL, HEIGHT))
    road = np.stack([np.linspace(-4, 1, 40), np.full(40, HEIGHT - 0.05), np.full(40, 8.0)], 1)
    _, size, _ = fit_box(np.concatenate([seen(box), road]), LEVEL, HEIGHT)
    np.testing.assert_allclose(size, box.size, atol=0.1)


def _scene(**sensed: Any) -> tuple[Frame, Prediction]:
    instances = np.zeros((120, 320), np.uint16)
    instances[30:100, 60:150], instances[30:100, 170:260], instances[:10, :10] = 2001, 2002, 3001
    labels = np.where(instances > 0, instances // 1000, ROAD).astype(np.uint8)
    frame = Frame(0, camera=CAMERA, **sensed)
    return frame, Prediction(0, labels, np.full_like(labels, 204), {}, instances=instances)


def _sweep(*parts: np.ndarray) -> np.ndarray:
    """The parts as a sweep of a LiDAR in the camera's place and frame."""
    xyz = np.concatenate(parts)
    return np.hstack([xyz, np.full((len(xyz), 1), 0.5)]).astype(np.float32)


def test_each_instance_has_the_box_of_its_points_without_strays() -> None:
    ground = Ground(LEVEL, HEIGHT)
    boxes = made((-2.2, 10), (3, 1.6, 1.5), 0.2, ground), made((2.2, 10), (3, 1.6, 1.5), -0.3, ground)
    behind = np.stack([np.linspace(-3, -2, 20), np.zeros(20), np.full(20, 18.0)], 1)  # through the window
    points = _sweep(*map(seen, boxes), behind, np.float64([[0, 0, 3]]))
    frame, prediction = _scene(points=points, lidar_to_camera=np.eye(4))
    prediction.point_labels = np.full(len(points), VEHICLE, np.uint8)
    prediction.ground = ground
    first, second = find_objects(frame, prediction)
    assert [(each.code, each.class_id, each.number) for each in (first, second)] == [(2001, 2, 1), (2002, 2, 2)]
    for found, box in ((first, boxes[0]), (second, boxes[1])):
        np.testing.assert_allclose(found.size, box.size, atol=0.1)
        np.testing.assert_allclose(found.centre, box.centre, atol=0.1)
        assert turned(found.yaw, box.yaw) < 0.03
        assert found.score == pytest.approx(0.8)
        assert found.distance == pytest.approx(np.linalg.norm(seen(box), axis=1).min())
    # A point that something nearer hides from the camera is of no instance.
    prediction.point_labels[: len(seen(boxes[0]))] = UNLABELLED
    assert find_objects(frame, prediction)[0].points == 20


def test_without_a_sweep_depth_measures_and_without_either_there_is_no_box() -> None:
    depth = np.full((60, 160), np.nan, np.float32)  # at half the camera's resolution
    depth[15:50, 85:130] = 10.0
    frame, prediction = _scene(depth=depth)
    (found,) = find_objects(frame, prediction)
    assert found.code == 2002
    assert found.size[0] == pytest.approx(90 * 10 / 200, abs=0.2)
    assert found.centre[2] == pytest.approx(10, abs=0.1)
    assert found.distance == pytest.approx(10, abs=0.1)
    prediction.absent = {"depth": "constant"}
    assert find_objects(frame, prediction) == []


def test_what_the_sweep_does_not_reach_depth_does() -> None:
    wall = np.stack([*(each.ravel() for each in np.meshgrid(np.arange(-4.5, -1, 0.1), np.arange(-1, 1, 0.2)))], 1)
    points = _sweep(np.hstack([wall, np.full((len(wall), 1), 10.0)]))
    assert len(project(points, np.eye(4), CAMERA).rows)
    frame, prediction = _scene(points=points, lidar_to_camera=np.eye(4), depth=np.full((120, 320), 20, np.float32))
    prediction.point_labels = np.full(len(points), VEHICLE, np.uint8)
    assert {each.code: round(each.centre[2]) for each in find_objects(frame, prediction)} == {
        2001: 10, 2002: 20, 3001: 20
    }  # fmt: skip


def test_frames_without_a_camera_model_and_networks_without_a_head_have_no_boxes() -> None:
    frame, prediction = _scene(depth=np.full((120, 320), 10, np.float32))
    assert len(find_objects(frame, prediction)) == 3
    assert find_objects(Frame(0, depth=frame.depth), prediction) == []
    prediction.instances = None
    assert find_objects(frame, prediction) == []
