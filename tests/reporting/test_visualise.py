# SPDX-License-Identifier: Apache-2.0
"""Pictures are checked by the colours at known places; what they look like was looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.classes import PALETTE, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import CameraModel, Frame, Returns
from perception.reporting import visualise

CAMERA = CameraModel(np.array([[70.0, 0, 61.5], [0, 70.0, 18.5], [0, 0, 1]]), 124, 38)
LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)


def make_frame() -> Frame:
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=1,
        rgb=np.full((38, 124, 3), 100, np.uint8),
        depth=np.full((38, 124), 10, np.float32),
        infrared=rng.integers(29000, 31000, (38, 124), np.uint16),
        points=rng.uniform((5, -4, -1, 0), (40, 4, 1, 1), (500, 4)).astype(np.float32),
        camera=CAMERA,
        lidar_to_camera=LIDAR_TO_CAMERA,
    )


def make_labels() -> np.ndarray:
    labels = np.zeros((38, 124), np.uint8)
    labels[20:, :60] = ROAD
    labels[20:, 60:90] = VEHICLE
    labels[20:, 90:] = PEDESTRIAN
    labels[:5] = UNLABELLED
    return labels


def test_overlay_colours_the_foreground_alone() -> None:
    image = np.full((38, 124, 3), 100, np.uint8)
    result = visualise.overlay(image, make_labels(), alpha=0.5)
    assert (result[:19] == 100).all()
    for row, column, class_id in ((30, 30, ROAD), (30, 75, VEHICLE), (30, 110, PEDESTRIAN)):
        np.testing.assert_allclose(result[row, column], (100 + PALETTE[class_id].astype(int)) / 2, atol=1)
    assert (image == 100).all()


def test_points_behind_something_nearer_have_no_class_from_above() -> None:
    """A vehicle's flank at 8 m, and a point 20 m away that the LiDAR sees past it and the camera does not."""
    focal, camera = 720.0, CameraModel(np.array([[720.0, 0, 200], [0, 720.0, 100], [0, 0, 1]]), 400, 200)
    u, v = (each.ravel() for each in np.meshgrid(np.arange(100, 200, 2.0), np.arange(60, 140, 5.0)))
    u, v, depth = np.append(u, 150), np.append(v, 101), np.append(np.full(u.shape, 8.0), 20.0)
    side, down = (u - 200) / focal * depth, (v - 100) / focal * depth
    points = np.stack([depth, -side, -down, 0 * depth], axis=1).astype(np.float32)
    frame = Frame(0, points=points, camera=camera, lidar_to_camera=LIDAR_TO_CAMERA)
    view = visualise.bird_view(frame, np.full((200, 400), VEHICLE, np.uint8), 660, 200)
    scale = 660 / 66
    flank, behind = ((int((4 + x) * scale), int(100 - y * scale)) for x, y, *_ in points[[600, -1]])
    np.testing.assert_array_equal(view[flank[1], flank[0]], PALETTE[VEHICLE])
    np.testing.assert_array_equal(view[behind[1], behind[0]], (62, 62, 62))


def test_lidar_view_puts_points_where_the_camera_sees_them() -> None:
    frame = make_frame()
    frame.points = np.array([[10, 0, 0, 0], [-10, 0, 0, 0]], np.float32)
    view = visualise.lidar_view(frame, 124, 38)
    rows, columns = np.nonzero((view != visualise.BACKDROP).any(axis=2))
    assert 18 <= rows.min() <= rows.max() <= 20
    assert 61 <= columns.min() <= columns.max() <= 63


def test_bird_view_colours_points_by_class() -> None:
    frame = make_frame()
    frame.points = np.array([[20, 0, -1, 0], [20, 8, 0, 0]], np.float32)
    labels = np.full((38, 124), VEHICLE, np.uint8)
    view = visualise.bird_view(frame, labels, 660, 200)
    assert (view[100, 241] == PALETTE[VEHICLE]).all()
    assert (visualise.bird_view(frame, None, 660, 200)[100, 241] == 62).all()


def test_thermal_view_is_brighter_where_it_is_warmer() -> None:
    infrared = np.full((20, 40), 29000, np.uint16)
    infrared[:, 20:] = 31000
    view = visualise.thermal_view(infrared, 40, 20).astype(int).sum(axis=2)
    assert view[10, 30] > view[10, 10] + 200


def test_depth_view_is_dark_where_nothing_was_measured() -> None:
    depth = np.full((20, 40), 10, np.float32)
    depth[:10] = np.nan
    view = visualise.depth_view(depth, 40, 20)
    assert (view[5, 5] == visualise.BACKDROP).all()
    assert (view[15, 5] != visualise.BACKDROP).any()


@pytest.mark.parametrize("sensors", [("rgb", "depth", "infrared", "points"), ("rgb",), ("points",), ("infrared",)])
def test_a_panel_of_any_sensors(sensors: tuple[str, ...]) -> None:
    absent = {"rgb", "depth", "infrared", "points"} - set(sensors)
    frame = replace(make_frame(), **dict.fromkeys(absent, None))
    panel = visualise.drive_panel(frame, make_labels(), "title", "note")
    assert panel.shape[1] == visualise.WIDTH
    assert panel.dtype == np.uint8
    unanswered = visualise.drive_panel(frame, None, "title")
    assert unanswered.shape == panel.shape
    assert (unanswered != panel).any()


def test_all_panels_of_a_drive_have_one_size() -> None:
    whole, blind = make_frame(), replace(make_frame(), rgb=None, points=None, infrared=None)
    sizes = {visualise.drive_panel(frame, None, "", sensors=whole.modalities).shape for frame in (whole, blind)}
    assert len(sizes) == 1


def test_a_radars_columns_are_a_picture_of_the_panel() -> None:
    returns = Returns(np.array([[10, 0, 0, 0, 0]], np.float32), LIDAR_TO_CAMERA)
    frame = replace(make_frame(), extra={"radar": returns})
    view = visualise.further_view(frame, "radar", 124, 38)
    assert (view[20, 61] != visualise.BACKDROP).any()
    assert (view[20, 10] == visualise.BACKDROP).all()
    with_radar, without = (visualise.drive_panel(each, None, "").shape[0] for each in (frame, make_frame()))
    assert with_radar > without


def test_montage_is_a_grid() -> None:
    images = [np.full((40, 100, 3), value, np.uint8) for value in (50, 100, 150)]
    sheet = visualise.montage(images, columns=2, width=206)
    assert sheet.shape == (86, 206, 3)
    assert [sheet[20, 50, 0], sheet[20, 150, 0], sheet[60, 50, 0]] == [50, 100, 150]
    assert (sheet[60, 150] == visualise.BACKDROP).all()


def test_each_instance_has_a_line_around_it_and_its_number() -> None:
    image, instances = np.full((100, 200, 3), 100, np.uint8), np.zeros((100, 200), np.uint16)
    instances[20:80, 20:90], instances[20:80, 90:160] = 2001, 2002
    drawn = visualise.outlined(image, instances)
    changed = (drawn != image).any(2)
    assert changed[20:80, 20].all()
    assert changed[20, 20:160].all()
    assert not changed[:15].any()
    assert not changed[:, 170:].any()
    assert changed[42:58, 50:60].any(), "no number"
    assert not np.array_equal(drawn[40, 21], drawn[40, 159]), "both numbers have the same colour"
    assert (image == 100).all()
    np.testing.assert_array_equal(visualise.outlined(image, np.zeros_like(instances)), image)


def test_a_panel_shows_instances() -> None:
    frame, labels = make_frame(), make_labels()
    instances = np.where(labels == VEHICLE, np.uint16(2001), 0)
    without = visualise.drive_panel(frame, labels, "street")
    assert not np.array_equal(visualise.drive_panel(frame, labels, "street", instances=instances), without)
