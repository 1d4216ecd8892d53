# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.classes import NO_OBJECT
from perception.datasets.kitti.frames import KittiFrames
from perception.datasets.kitti.tracklets import TrackletBox
from perception.frame import CameraModel, Frame
from perception.sample import Sample
from perception.training.checks.boxes import check, check_with_tracklets

CAMERA = CameraModel(np.array([[200.0, 0, 160], [0, 200, 60], [0, 0, 1]]), 320, 160)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
BOX = TrackletBox("Car", (1.6, 2.0, 4.0), np.array([12.0, 0, -1.7]), 0.0, "visible", 0)
BACK = np.s_[62:86, 146:174]
"""The pixels of the car's back, 10 m ahead, in the image."""


def _points() -> np.ndarray:
    """A car's back 10 m ahead, 1.6 m high, above a ground 1.7 m below the sensor, and a block beside it."""
    y, z = (a.ravel() for a in np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1.5, -0.12, 40)))
    back = np.stack([np.full(y.shape, 10.1), y, z], 1)
    x, side = (a.ravel() for a in np.meshgrid(np.linspace(4, 30, 120), np.linspace(-6, 6, 60)))
    ground = np.stack([x, side, np.full(x.shape, -1.7)], 1)
    ground = ground[(ground[:, 0] < 10) | (np.abs(ground[:, 1]) > 1.2)]
    y, z = (a.ravel() for a in np.meshgrid(np.linspace(2.5, 3.5, 30), np.linspace(-1.7, -0.7, 30)))
    block = np.stack([np.full(y.shape, 8.0), y, z], 1)
    xyz = np.concatenate([back, ground, block])
    return np.c_[xyz, np.ones(len(xyz))].astype(np.float32)


def _sample(teacher: np.ndarray) -> Sample:
    frame = Frame(0, np.zeros((160, 320, 3), np.uint8), points=_points(), camera=CAMERA, lidar_to_camera=TO_CAMERA)
    return Sample("drive/0000000003", frame, probabilities=np.eye(4, dtype=np.float32)[teacher[::2, ::2]])


@pytest.fixture
def teacher() -> np.ndarray:
    """Road below the horizon, the car seen."""
    classes = np.zeros((160, 320), np.uint8)
    classes[62:] = 1
    classes[BACK] = 2
    return classes


def test_box_and_teacher_agree(teacher: np.ndarray) -> None:
    out = check(_sample(teacher), [BOX])
    assert (out.labels[66:86, 148:172] == 2).mean() > 0.95
    assert (out.labels[:, :130] == 255).all()
    assert (out.labels[100:] == 255).all()


def test_dense_points_need_no_teacher(teacher: np.ndarray) -> None:
    teacher[BACK] = 1
    out = check(_sample(teacher), [BOX])
    assert (out.labels[66:86, 148:172] == 2).mean() > 0.95


def test_where_few_points_contradict_the_teacher_nothing_is_learnt(teacher: np.ndarray) -> None:
    teacher[BACK] = 0
    sample = _sample(teacher)
    points = sample.frame.points
    on_back = np.flatnonzero(BOX.contains(points) & (points[:, 2] > -1.5))
    corners = [i for i in on_back if abs(points[i, 1]) > 0.95 and (points[i, 2] > -0.15 or points[i, 2] < -1.45)]
    sample.frame.points = np.delete(points, np.setdiff1d(on_back, corners), 0)
    out = check(sample, [BOX])
    assert (out.labels == 255).all()
    assert not out.probabilities[33:42, 75:85].any()
    assert sample.probabilities[33:42, 75:85].any()  # the sample that came in is as it was


def test_what_stands_up_is_no_road_and_what_lies_is_no_vehicle(teacher: np.ndarray) -> None:
    teacher[62:, 200:240] = 2  # a "vehicle" on bare ground
    out = check(_sample(teacher), [BOX])
    block = out.probabilities[40:46, 38:47]  # 8 m ahead, 2.5 to 3.5 m to the left
    assert not block.any()
    near = out.probabilities[50:79, 103:118]
    assert (near.sum(2) == 0).mean() > 0.5
    assert (out.probabilities[60:75, 60:80].sum(2) > 0).all()  # right road stays


def test_a_cone_that_the_teacher_calls_a_vehicle_is_background(teacher: np.ndarray) -> None:
    sample = _sample(teacher)
    y, z = (a.ravel() for a in np.meshgrid(np.linspace(-3.3, -3.0, 8), np.linspace(-1.6, -1.0, 14)))
    cone = np.stack([np.full(y.shape, 8.0), y, z, np.ones(y.shape)], 1).astype(np.float32)
    sample.frame.points = np.concatenate([sample.frame.points, cone])
    sample.point_labels = np.full(len(sample.frame.points), NO_OBJECT, np.uint8)
    teacher[84:101, 234:244] = 2
    seen = Sample(sample.name, sample.frame, None, _sample(teacher).probabilities, sample.point_labels)
    out = check(seen, [BOX])
    assert (out.labels[86:98, 236:242] == 0).all()
    assert not out.probabilities[43:49, 118:121].any()
    assert (out.labels[:, :130] == 255).all()  # the block, too high for a small thing, is no more than contested


def test_without_points_nothing_changes(teacher: np.ndarray) -> None:
    sample = _sample(teacher)
    camera_only = Sample("a/0", Frame(0, sample.frame.rgb), probabilities=sample.probabilities)
    assert check(camera_only, [BOX]) is camera_only


def test_tracklets_are_found_by_frame(kitti_drive: Path, teacher: np.ndarray) -> None:
    """The fixture's car is only in frames 1 and 2."""
    sample = _sample(teacher)
    sample.name = f"{kitti_drive.name}/0000000001"
    box_of = check_with_tracklets([sample], kitti_drive)[0]
    assert (box_of.labels == 2).any()
    sample.name = f"{kitti_drive.name}/0000000003"
    assert (check_with_tracklets([sample], kitti_drive.parent)[0].labels == 255).all()


def test_real_boxes_agree_with_the_teacher(real_data: Path) -> None:
    frames = KittiFrames(real_data / "kitti_frustum" / "drive_0005", "train")
    samples = [frames[i] for i in (0, 40)]
    for before, after in zip(samples, check_with_tracklets(samples, real_data / "kitti_frustum"), strict=True):
        assert 0.002 < np.isin(after.labels, (2, 3)).mean() < 0.2
        assert (after.probabilities.sum(2) == 0).mean() < 0.15
        road = before.probabilities[..., 1] > 0.8
        assert (after.probabilities[road].sum(1) > 0).mean() > 0.9


def test_a_white_sky_is_background_whatever_the_teacher_says(teacher: np.ndarray) -> None:
    teacher[:30] = 2
    sample = _sample(teacher)
    sample.frame.rgb[:30, 100:] = 255
    sample.probabilities[:15, :, 2] = 0.6
    out = check(sample, [])
    assert (out.labels[:28, 104:] == 0).all()
    assert (out.labels[:30, :100] == 255).all()
    assert not out.probabilities[:14, 52:].any()
    assert out.probabilities[:14, :49].any()
