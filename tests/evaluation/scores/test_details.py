# SPDX-License-Identifier: Apache-2.0
"""By distance, by size, calibration: against counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perception.classes import ROAD, VEHICLE
from perception.evaluation.scores.calibration import Bin, Calibration
from perception.evaluation.scores.details import Details
from perception.evaluation.scores.distance import DistanceBands, distance_map
from perception.evaluation.scores.object_size import ObjectSizes, SizeScore
from perception.frame import CameraModel, Frame

CAMERA = CameraModel(np.array([[10.0, 0, 8], [0, 10, 6], [0, 0, 1]]), 16, 12)
KITTI = CameraModel(np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]]), 1242, 375)


def test_depth_comes_before_lidar_and_both_before_nothing():
    depth = np.full((12, 16), np.nan, np.float32)
    depth[0] = 20
    points = np.array([[0, 0, 40, 0], [0, 0, 70, 0], [-32, -24, 40, 0]], np.float32)  # two at the centre, one at 0, 0
    frame = Frame(0, depth=depth, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    distance = distance_map(frame, 16, 12)
    assert distance[6, 8] == 40  # the nearer one
    assert distance[0, 0] == 20
    assert np.isfinite(distance).sum() == 17
    assert distance_map(Frame(0, rgb=np.zeros((12, 16, 3), np.uint8)), 16, 12) is None


def test_each_band_scores_its_own_pixels():
    bands = DistanceBands()
    truth = np.array([[ROAD, ROAD, ROAD, ROAD, ROAD]], np.uint8)
    labels = np.array([[ROAD, 0, ROAD, 0, 0]], np.uint8)
    bands.update(labels, truth, np.array([[14.9, 15, 45, 61, np.nan]], np.float32))
    found = bands.scores()
    assert [figures.recall["road"] for figures in found.values()] == [1, 0, 1, 0]
    assert list(found) == ["0–15 m", "15–30 m", "30–60 m", "over 60 m"]
    assert sum(figures.pixels for figures in found.values()) == 4


def test_objects_are_components_of_the_truth():
    truth, labels = np.zeros((480, 640), np.uint8), np.zeros((480, 640), np.uint8)
    truth[0:10, 0:10] = VEHICLE  # small, found
    truth[20:30, 0:10] = VEHICLE  # small, missed
    truth[100:150, 100:150] = VEHICLE  # medium, a quarter of it hit
    truth[200:400, 200:400] = VEHICLE  # large
    labels[0:10, 0:10] = labels[100:125, 100:125] = labels[200:400, 200:400] = VEHICLE
    sizes = ObjectSizes()
    sizes.update(labels, truth)
    vehicle = sizes.scores()["vehicle"]
    assert vehicle["small"] == SizeScore(2, 0.5, 0.5)
    assert vehicle["medium"] == SizeScore(1, 0, 0.25)
    assert vehicle["large"] == SizeScore(1, 1, 1)
    assert math.isnan(sizes.scores()["pedestrian"]["small"].recall)


def test_sizes_shrink_with_the_image():
    truth = np.zeros((240, 320), np.uint8)
    truth[0:20, 0:20] = VEHICLE  # as 40×40 at 640×480
    sizes = ObjectSizes()
    sizes.update(truth, truth)
    assert sizes.scores()["vehicle"]["medium"].objects == 1


def test_calibration_error_by_hand():
    calibration = Calibration()
    truth = np.array([1, 1, 1, 1, 255], np.uint8)
    calibration.update(np.array([1, 1, 1, 0, 0], np.uint8), np.full(5, 255, np.uint8), truth)
    assert calibration.score().expected_calibration_error == pytest.approx(0.25)  # sure of all, right in three of four
    assert calibration.bins() == [Bin(1, 0.75, 4)]
    assert math.isnan(Calibration().score().expected_calibration_error)


def test_details_of_a_perfect_answer():
    truth = np.zeros((375, 1242), np.uint8)
    truth[200:] = ROAD
    truth[150:180, 100:140] = VEHICLE
    frame = Frame(0, depth=np.full((375, 1242), 20, np.float32), camera=KITTI)
    details = Details()
    details.update(frame, truth, np.full_like(truth, 255), truth)
    found = details.scores()
    assert found.distance["15–30 m"].iou["road"] == 1
    assert found.kitti_road.max_f == pytest.approx(1)
    assert found.kitti_road_bev.average_precision == pytest.approx(1)
    assert found.calibration.expected_calibration_error == 0
