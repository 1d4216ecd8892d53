# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")

from perception.classes import PALETTE, ROAD, UNLABELLED
from perception.frame import CameraModel, Frame
from perception.ros.publishers import overlay

CAMERA = CameraModel(np.eye(3), 8, 4)
LABELS = np.zeros((4, 8), np.uint8)
LABELS[:, 4:] = ROAD
LABELS[0, 7] = UNLABELLED


def test_colours_cover_the_classes_and_nothing_else() -> None:
    rgb = np.full((4, 8, 3), 100, np.uint8)
    image = overlay(Frame(0, rgb=rgb), LABELS, 0.5)
    assert (image[:, :4] == 100).all()
    assert (image[0, 7] == 100).all()
    np.testing.assert_allclose(image[2, 5], PALETTE[ROAD] * 0.5 + 50, atol=1)
    assert (rgb == 100).all()


@pytest.mark.parametrize(("alpha", "wanted"), [(0.0, [100, 100, 100]), (1.0, PALETTE[ROAD])])
def test_alpha(alpha: float, wanted: list[int]) -> None:
    image = overlay(Frame(0, rgb=np.full((4, 8, 3), 100, np.uint8)), LABELS, alpha)
    np.testing.assert_array_equal(image[2, 5], wanted)


def test_infrared_stands_in_for_the_camera() -> None:
    infrared = np.full((2, 4), 4000, np.uint16)
    infrared[:, 0] = 16000
    image = overlay(Frame(0, infrared=infrared), LABELS, 0.5)
    assert image.shape == (4, 8, 3)
    assert (image[1, 0] == 255).all()
    assert (image[1, 3] == 64).all()


def test_a_sweep_alone_is_drawn_on_black() -> None:
    frame = Frame(0, points=np.ones((3, 4), np.float32), camera=CAMERA, lidar_to_camera=np.eye(4))
    image = overlay(frame, LABELS, 1.0)
    assert (image[:, :4] == 0).all()
    np.testing.assert_array_equal(image[2, 5], PALETTE[ROAD])
