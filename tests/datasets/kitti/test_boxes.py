# SPDX-License-Identifier: Apache-2.0
"""Points in human-made boxes: inside, at the margin, on the floor, and in unknown areas."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.classes import NO_OBJECT, PEDESTRIAN, VEHICLE
from perception.datasets.kitti.boxes import FLOOR, MARGIN, label_points, number_points
from perception.datasets.kitti.frames import KittiFrames, KittiObject
from perception.datasets.kitti.tracklets import TrackletBox

metres = st.floats(-40, 40)


def box(kind: str = "Car", x: float = 10.0, y: float = 2.0, yaw: float = 0.0) -> tuple[str, np.ndarray]:
    """4 m long, 2 m wide, 1.5 m high, its floor at z = -1.7."""
    return kind, TrackletBox(kind, (1.5, 2.0, 4.0), np.array([x, y, -1.7]), yaw, "visible", 0).corners()


def label(point: tuple[float, float, float], *boxes: tuple[str, np.ndarray]) -> int:
    return int(label_points(np.array([point], np.float32), boxes)[0])


def test_inside_around_and_outside():
    assert label((10, 2, -1), box()) == VEHICLE
    assert label((12.34, 2, -1), box()) == 255  # 34 cm before the bumper
    assert label((12.36, 2, -1), box()) == NO_OBJECT
    assert label((10, 2, -1.65), box()) == 255  # the road below it
    assert label((10, 2, -2.1), box()) == NO_OBJECT
    assert label((10, 2, -1), box("Pedestrian")) == PEDESTRIAN
    assert label((10, 2, -1)) == NO_OBJECT


def test_nobody_knows_what_is_in_boxes_of_two_classes():
    assert label((10, 2, -1), box("Cyclist")) == label((10, 2, -1), box("Misc")) == 255
    assert label((10, 2, -1), box("Car"), box("Pedestrian")) == 255
    assert label((10, 2, -1), box("Car"), box("Van", x=10.5)) == VEHICLE
    assert label((10, 2, -1), box("Car"), box("Cyclist", x=10.5)) == 255


def test_being_in_one_box_counts_more_than_being_beside_another():
    assert label((10, 2, -1), box("Car"), box("Pedestrian", x=12.1)) == VEHICLE


@given(x=metres, y=metres, yaw=st.floats(-math.pi, math.pi), a=st.floats(-1, 1), b=st.floats(-1, 1), c=st.floats(0, 1))
def test_any_box_knows_its_inside(x, y, yaw, a, b, c):
    forward, left = np.array([math.cos(yaw), math.sin(yaw)]), np.array([-math.sin(yaw), math.cos(yaw)])
    height = -1.7 + FLOOR + 0.01 + c * (1.5 - FLOOR - 0.02)
    inside = np.array([x, y]) + 1.99 * a * forward + 0.99 * b * left
    outside = np.array([x, y]) + (2.01 + MARGIN) * forward + 0.99 * b * left
    points = np.array([[*inside, height], [*outside, height]], np.float32)
    assert label_points(points, [box(x=x, y=y, yaw=yaw)]).tolist() == [VEHICLE, NO_OBJECT]


def test_a_drive_with_tracklets(frames_root, kitti_drive):
    drive = frames_root / "drive_a"
    assert KittiFrames(drive)[1].point_labels is None
    (drive / "tracklet_labels.xml").write_text((kitti_drive / "tracklet_labels.xml").read_text())
    # The car stands across in frames 1 (x 9.1–10.9) and 2, y -0.1–4.1, z -1.5–0.
    np.array([[10, 2, -1, 0], [20, 2, -1, 0]], "<f4").tofile(drive / "velodyne/000001.bin")
    samples = KittiFrames(drive)
    assert samples[1].point_labels.tolist() == [VEHICLE, NO_OBJECT]
    assert samples[1].point_instances[0] // 1000 == VEHICLE
    assert samples[1].point_instances[1] == 0
    assert (samples[3].point_labels == NO_OBJECT).all()  # the car is gone


def test_object_labels_with_dont_care(frames_root):
    drive = frames_root / "drive_a"
    (drive / "label_2").mkdir()
    calibration = (drive / "calib.txt").read_text()
    (drive / "calib.txt").write_text(f"P0: 20 0 16 0 0 20 10 0 0 0 1 0\n{calibration}")
    # Camera x right, y down, z forward: a car 10 m ahead, its floor 1.5 m below; the left half is DontCare.
    lines = (
        "Car 0 0 0 0 0 1 1 1.5 2.0 4.0 0.0 1.5 10.0 -1.5707963",
        f"DontCare -1 -1 -10 0 0 15 19{' -1' * 3}{' -1000' * 3} -10",
    )
    (drive / "label_2/000000.txt").write_text("\n".join(lines) + "\n")
    points = [[10, 0, -1, 0], [30, 8, 0, 0], [30, -8, 0, 0]]  # in the car; beyond it, left and right
    np.array(points, "<f4").tofile(drive / "velodyne/000000.bin")
    assert KittiFrames(drive)[0].point_labels.tolist() == [VEHICLE, 255, NO_OBJECT]
    assert KittiFrames(drive)[0].point_instances.tolist() == [2001, 0, 0]


def test_the_real_sets(real_data):
    car = KittiObject(real_data / "kitti_object")
    assert len(car) == 3
    assert (car[0].point_labels == PEDESTRIAN).sum() > 100
    assert (car[2].point_labels == VEHICLE).sum() > 20
    drive = KittiFrames(real_data / "kitti_frustum" / "drive_0005", "val")
    assert (drive[0].point_labels == VEHICLE).sum() > 100
    assert KittiFrames(real_data / "kitti_frustum" / "sfnd")[0].point_labels is None


def test_points_have_the_number_of_their_box():
    boxes = [box("Cyclist", x=-20.0), box(), box("Van", x=13.9), box("Pedestrian", x=30.0)]
    points = np.array([(10, 2, -1), (13.9, 2, -1), (11.95, 2, -1), (30, 2, -1), (-20, 2, -1), (0, 0, 0)], np.float32)
    numbers = number_points(points, boxes, label_points(points, boxes))
    assert numbers.tolist() == [2002, 2003, 2002, 3004, 0, 0]  # in two boxes: the first; a cyclist is two classes
