# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.evaluation.kitti.birds_eye import COLUMNS, ROWS, birds_eye


def test_a_cell_takes_the_pixel_that_its_middle_falls_on() -> None:
    """One pixel to the metre: 10 m to the left is column 1, 46 m ahead is row 1, as MATLAB counts."""
    image = np.arange(1, 41 * 21 + 1, dtype=np.uint16).reshape(41, 21).astype(np.uint8)
    plane = np.array([[1, 0, 11.0], [0, -1, 47.0], [0, 0, 1]])
    view = birds_eye(image, plane)
    assert view.shape == (ROWS, COLUMNS) == (800, 400)
    # The middles of the outermost cells are 2.5 cm inside: 1.025 and 20.975 in pixels.
    assert (view[0, 0], view[0, -1], view[-1, 0]) == (image[0, 0], image[0, 19], image[39, 0])
    assert (view[20, 0], view[0, 20]) == (image[1, 0], image[0, 1])


def test_outside_the_image_and_behind_the_camera_is_nothing() -> None:
    image = np.full((10, 21), 7, np.uint8)
    assert not birds_eye(image, np.diag([-1.0, -1, -1]) @ np.array([[1, 0, 11.0], [0, -1, 47], [0, 0, 1]])).any()
    view = birds_eye(image, np.array([[1, 0, 11.0], [0, -1, 47.0], [0, 0, 1]]))
    assert view[:180].all()
    assert not view[181:].any()


def test_the_view_from_above_has_the_far_end_on_top():
    image = np.arange(ROWS * COLUMNS, dtype=np.uint32).reshape(ROWS, COLUMNS).astype(np.uint8)
    plane = np.array([[20, 0, 201], [0, -20, 46 * 20 + 1], [0, 0, 1.0]])  # cell (0, 0) is the first pixel
    assert (ROWS, COLUMNS) == (800, 400)
    view = birds_eye(image, plane)
    assert (view[:-1, :-1] == image[:-1, :-1]).all()
    assert not view[-1].any()  # half a pixel beyond the image, as the development kit counts
    assert not view[:, -1].any()


def test_nothing_behind_the_camera_is_seen():
    plane = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])
    assert not birds_eye(np.full((50, 50), 9, np.uint8), plane).any()
