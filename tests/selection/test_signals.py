# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from helpers.fleet import scene

from perception.classes import CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import CameraModel, Frame
from perception.selection.signals import COLUMNS, ROWS, flickering, layout, likeness, stray, unsure

TO_CAMERA = np.array([[0, -1.0, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


def test_a_pixel_flickers_that_its_neighbours_in_time_agree_on() -> None:
    before = np.array([[ROAD, ROAD, ROAD, UNLABELLED, ROAD]], np.uint8)
    here = np.array([[VEHICLE, ROAD, VEHICLE, ROAD, UNLABELLED]], np.uint8)
    after = np.array([[ROAD, VEHICLE, VEHICLE, UNLABELLED, ROAD]], np.uint8)
    assert flickering(before, here, after).tolist() == [[True, False, False, False, False]]


def test_what_is_not_labelled_is_not_unsure() -> None:
    labels = np.array([[ROAD, ROAD, UNLABELLED]], np.uint8)
    assert unsure(labels, np.array([[152, 153, 0]], np.uint8)).tolist() == [[True, False, False]]


def flat_and_wall() -> Frame:
    """A level ground 1.7 m below the LiDAR, and 100 points of a wall from 0.5 to 2 m above it."""
    ground = np.stack([*np.meshgrid(np.linspace(3, 20, 60), np.linspace(-8, 8, 60)), np.full((60, 60), -1.7)], -1)
    wall = np.stack([np.full(100, 10.0), np.linspace(-3, 3, 100), np.linspace(-1.2, 0.3, 100)], -1)
    xyz = np.concatenate([ground.reshape(-1, 3), wall])
    points = np.concatenate([xyz, np.zeros((len(xyz), 1))], 1).astype(np.float32)
    camera = CameraModel(np.array([[70.0, 0, 48], [0, 70, 32], [0, 0, 1]]), 96, 64)
    return Frame(0, points=points, camera=camera, lidar_to_camera=TO_CAMERA)


def test_road_that_stands_up_and_objects_that_lie_flat_are_stray() -> None:
    frame = flat_and_wall()
    assert frame.points is not None
    labels = np.full(len(frame.points), ROAD, np.uint8)
    labels[-100:] = VEHICLE
    assert stray(frame, labels, CLASSES) == 0
    labels[-100:] = ROAD
    assert stray(frame, labels, CLASSES) == pytest.approx(100 / 3700)
    labels[-100:] = UNLABELLED
    labels[:36] = PEDESTRIAN
    assert stray(frame, labels, CLASSES) == pytest.approx(36 / 3600)


def test_nothing_is_said_where_points_cannot_be_compared() -> None:
    frame = flat_and_wall()
    assert frame.points is not None
    assert stray(frame, np.zeros(3, np.uint8), CLASSES) is None, "of another sweep"
    assert stray(frame, np.full(len(frame.points), UNLABELLED, np.uint8), CLASSES) is None
    assert stray(Frame(0, np.zeros((4, 4, 3), np.uint8)), np.zeros(0, np.uint8), CLASSES) is None


def test_scenes_are_alike_by_where_their_classes_are() -> None:
    road, sky = np.full((64, 96), ROAD, np.uint8), np.zeros((64, 96), np.uint8)
    half = sky.copy()
    half[32:] = ROAD
    layouts = np.stack([layout(each, CLASSES) for each in (road, sky, half, scene(0), scene(40))])
    assert layouts.shape == (5, ROWS * COLUMNS * len(CLASSES))
    np.testing.assert_allclose(likeness(layouts[:3], layouts[0]), [1, 0, 0.5])
    near, far = likeness(layouts[3:], layout(scene(2), CLASSES))
    assert 1 > near > far > 0.5
