# SPDX-License-Identifier: Apache-2.0
"""Our reader of KITTI's object set reads what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.classes import CLASSES, VEHICLE
from perception.datasets.kitti.objects import read_object_labels
from perception.frame import CameraModel, Frame, Prediction
from perception.labelling.files import FrameFiles
from perception.labelling.kitti_objects import label_lines
from perception.objects import Object, find_objects

CAMERA = CameraModel(np.array([[200.0, 0, 160], [0, 200.0, 60], [0, 0, 1]]), 320, 120)


def _turned(yaw: float) -> np.ndarray:
    """The axes of a box on level ground whose rotation_y is `yaw`."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, s, 0], [0, 0, -1], [-s, c, 0]])


def _prediction() -> Prediction:
    instances = np.zeros((120, 320), np.uint16)
    instances[40:90, 100:200], instances[30:60, 300:310] = 2004, 3002
    labels = (instances // 1000).astype(np.uint8)
    return Prediction(0, labels, np.full_like(labels, 204), {}, instances=instances)


def test_a_box_comes_back_with_its_corners(tmp_path: Path) -> None:
    box = Object(2004, 0.8, np.array([2.0, 0.9, 15.0]), (4.2, 1.8, 1.5), _turned(0.7), 13.0, 90)
    (tmp_path / "0.txt").write_text(label_lines(_prediction(), [box]))
    car, person = read_object_labels(tmp_path / "0.txt")
    assert (car.object_type, person.object_type) == ("Car", "Pedestrian")
    assert car.box == (100, 40, 200, 90)
    assert car.size == (1.5, 1.8, 4.2)
    assert car.yaw == pytest.approx(0.7, abs=1e-4)
    assert car.alpha == pytest.approx(0.7 - np.arctan2(2, 15), abs=1e-4)
    ours, theirs = (sorted(np.round(each.corners(), 2).tolist()) for each in (box, car))
    np.testing.assert_allclose(ours, theirs, atol=0.011)
    assert (person.size, person.bottom.tolist(), person.yaw, person.alpha) == ((-1, -1, -1), [-1000] * 3, -10, -10)
    scores = [float(line.split()[15]) for line in (tmp_path / "0.txt").read_text().splitlines()]
    assert scores == [0.8, 0.8]


def test_boxes_of_depth_are_those_that_depth_measured(tmp_path: Path) -> None:
    """A wall 10 m ahead that is as wide as the instance."""
    frame, prediction = Frame(0, depth=np.full((120, 320), 10, np.float32), camera=CAMERA), _prediction()
    files = FrameFiles(tmp_path, ("kitti",))
    files.write("a/0", frame, prediction, objects=find_objects(frame, prediction))
    assert files.is_done("a/0")
    car, person = read_object_labels(files.path("label_2", "a/0"))
    assert car.size == pytest.approx((2.4, 0.1, 4.9), abs=0.06)
    assert car.bottom[2] == pytest.approx(10, abs=0.01)
    assert person.size[0] == pytest.approx(1.4, abs=0.06)


def test_a_class_that_kitti_does_not_name_is_misc_and_nothing_is_no_line() -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    prediction = _prediction()
    prediction.classes, prediction.instances = five, np.where(prediction.labels == VEHICLE, np.uint16(4001), 0)
    assert label_lines(prediction, []).split()[0] == "Misc"
    prediction.instances = np.zeros_like(prediction.instances)
    assert label_lines(prediction, []) == ""
