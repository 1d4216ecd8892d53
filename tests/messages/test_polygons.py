# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from perception.classes import CLASSES, PALETTE, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.messages.polygons import TOLERANCE, marker_fields, outlines


def street() -> np.ndarray:
    """A road with a vehicle on it, which is a hole in the road, a pedestrian beside it, and speckles."""
    labels = np.zeros((60, 100), np.uint8)
    labels[30:] = ROAD
    labels[40:50, 20:40] = VEHICLE
    labels[20:35, 80:86] = PEDESTRIAN
    labels[3, 3] = labels[5:7, 50:52] = VEHICLE
    labels[0, 90:] = UNLABELLED
    return labels


def test_each_area_has_one_outline_through_its_border_pixels_and_so_has_a_hole() -> None:
    found = outlines(street())
    assert [each.class_id for each in found] == [ROAD, ROAD, VEHICLE, PEDESTRIAN]
    vehicle, pedestrian = found[2].corners, found[3].corners
    assert {tuple(corner) for corner in vehicle.tolist()} == {(20, 40), (39, 40), (39, 49), (20, 49)}
    assert {tuple(corner) for corner in pedestrian.tolist()} == {(80, 20), (85, 20), (85, 34), (80, 34)}
    assert vehicle.dtype == np.int32


def test_filled_outlines_are_the_mask_again() -> None:
    rng = np.random.default_rng(0)
    blurred = cv2.GaussianBlur(rng.random((80, 120)), (0, 0), 6)
    labels = np.where(blurred > np.median(blurred), ROAD, 0).astype(np.uint8)
    filled = np.zeros_like(labels)
    cv2.drawContours(filled, [each.corners for each in outlines(labels)], -1, ROAD, cv2.FILLED)
    border = cv2.dilate(labels, np.ones((3, 3))) != cv2.erode(labels, np.ones((3, 3)))
    assert TOLERANCE == 1.0
    np.testing.assert_array_equal(filled[~border], labels[~border])


def test_a_marker_has_a_line_for_each_side_in_the_colour_of_its_class() -> None:
    found = outlines(street())
    fields = marker_fields(found, SimpleNamespace, SimpleNamespace)
    sides = sum(len(each.corners) for each in found)
    assert len(fields["points"]) == 2 * sides
    assert len(fields["outline_colors"]) == sides
    # The pedestrian's four sides come last, and end where they began.
    last = fields["points"][-8:]
    assert [(each.x, each.y) for each in last[1::2]] == [(each.x, each.y) for each in (*last[2::2], last[0])]
    paint = fields["outline_colors"][-1]
    assert (paint.r, paint.g, paint.b) == pytest.approx(PALETTE[PEDESTRIAN] / 255)
    assert paint.a == 1.0


def test_without_masks_there_are_no_lines() -> None:
    labels = np.full((20, 30), UNLABELLED, np.uint8)
    assert outlines(labels, CLASSES) == []
    assert marker_fields([], SimpleNamespace, SimpleNamespace)["points"] == []
