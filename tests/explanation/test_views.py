# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from perception.classes import BACKGROUND, PALETTE, ROAD, VEHICLE
from perception.explanation import views
from perception.frame import CameraModel, Frame, Prediction

CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)


def camera_frame() -> Frame:
    return Frame(0, rgb=np.full((64, 96, 3), (200, 100, 50), np.uint8))


def test_values_are_painted_in_the_colours_of_their_map() -> None:
    found = views.painted(np.array([[0.0, 1.0]]), views.HEAT, (96, 64), smooth=False)
    assert found.shape == (64, 96, 3)
    for column, value in ((10, 0.0), (90, 1.0)):
        colour = matplotlib.colormaps["inferno"](value, bytes=True)[:3]
        np.testing.assert_array_equal(found[30, column], colour)
    outside = views.painted(np.array([[-3.0, 7.0]]), views.HEAT, (96, 64), smooth=False)
    np.testing.assert_array_equal(outside, found)
    smooth = views.painted(np.array([[0.0, 1.0]]), views.HEAT, (96, 64))
    half = matplotlib.colormaps["inferno"](0.5, bytes=True)[:3]
    assert np.abs(smooth[30, 47:49].astype(int) - half).max() < 12


def test_the_camera_is_easiest_to_read_then_heat_then_depth() -> None:
    heat = np.linspace(0, 200, 64 * 96).reshape(64, 96).astype(np.uint8)
    depth = np.full((64, 96), 9, np.float32)
    points = np.array([[0, 0, 8, 0.5]], np.float32)
    everything = Frame(0, camera_frame().rgb, depth, heat, points, CAMERA, np.eye(4))
    assert everything.rgb is not None
    np.testing.assert_array_equal(views.base(everything), everything.rgb)
    np.testing.assert_array_equal(
        views.base(Frame(0, depth=depth, infrared=heat)), views.sensor(everything, "infrared")
    )
    np.testing.assert_array_equal(views.base(Frame(0, depth=depth)), views.sensor(everything, "depth"))
    alone = Frame(0, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    np.testing.assert_array_equal(views.base(alone), views.sensor(everything, "lidar"))
    assert len({views.sensor(everything, name).tobytes() for name in ("depth", "infrared", "lidar")}) == 3


def test_what_changed_has_the_colour_of_its_new_class_and_the_rest_is_dark() -> None:
    before, after = np.full((64, 96), ROAD, np.uint8), np.full((64, 96), ROAD, np.uint8)
    after[:10], after[10:20] = VEHICLE, BACKGROUND
    found = views.changed(camera_frame(), before, after)
    np.testing.assert_array_equal(found[5, 5], PALETTE[VEHICLE])
    np.testing.assert_array_equal(found[15, 5], views.LOST)
    grey = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    np.testing.assert_allclose(found[40, 5], grey / 2, atol=1)


def test_heat_brightens_where_it_is_and_the_mask_has_an_outline() -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[20:50, 20:70] = VEHICLE
    prediction = Prediction(0, labels, labels, {})
    heat = np.zeros((64, 96), np.float32)
    heat[:, 60:] = 1
    found = views.heated(camera_frame(), heat, prediction, "vehicle").astype(int)
    assert found[5, 80].sum() > found[5, 10].sum() + 100
    line = 255 - (255 - PALETTE[VEHICLE].astype(int)) * 2 // 3
    np.testing.assert_array_equal(found[20, 40], line)
    np.testing.assert_array_equal(found[49, 40], line)
    assert (found[35, 40] != line).any()


@pytest.mark.parametrize("class_id", [ROAD, VEHICLE])
def test_masks_lie_over_the_image_or_over_grey(class_id: int) -> None:
    labels = np.zeros((64, 96), np.uint8)
    labels[32:] = class_id
    frame = camera_frame()
    assert frame.rgb is not None
    found = views.masks(frame, labels)
    np.testing.assert_array_equal(found[:30], frame.rgb[:30])
    assert (
        np.abs(found[40, 5].astype(int) - PALETTE[class_id]).sum()
        < np.abs(frame.rgb[40, 5].astype(int) - PALETTE[class_id]).sum()
    )
    without = views.masks(Frame(0, depth=np.full((64, 96), 9, np.float32)), labels)
    assert np.ptp(without[5, 5]) == 0  # grey
