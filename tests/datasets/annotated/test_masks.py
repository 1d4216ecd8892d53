# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from helpers.fleet import every_class
from hypothesis import given
from hypothesis import strategies as st

from perception.classes import CLASSES
from perception.datasets.annotated.masks import (
    box_of,
    colour_of,
    marked_classes,
    of_polygon,
    of_run_lengths,
    regions,
    run_lengths,
)


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_run_lengths_come_back(values: list[bool]) -> None:
    flat = np.array(values)
    lengths = run_lengths(flat)
    assert all(length > 0 for length in lengths[1:])
    np.testing.assert_array_equal(of_run_lengths(lengths, len(flat)), flat)


def test_run_lengths_begin_with_what_is_not() -> None:
    assert run_lengths(np.array([0, 0, 1, 1, 1, 0], bool)) == [2, 3, 1]
    assert run_lengths(np.array([1, 0], bool)) == [0, 1, 1]


@pytest.mark.parametrize("lengths", [[1, 2], [3, -1, 4], [7]])
def test_run_lengths_of_another_number_are_refused(lengths: list[int]) -> None:
    with pytest.raises(ValueError, match=r"run lengths of \d+ pixels, expected 6"):
        of_run_lengths(lengths, 6)


def test_a_polygon_is_the_pixels_whose_centre_is_inside() -> None:
    mask = of_polygon([1, 1, 4, 1, 4, 3, 1, 3], 4, 6)
    assert np.argwhere(mask).tolist() == [[y, x] for y in (1, 2) for x in (1, 2, 3)]
    triangle = of_polygon([0, 0, 4, 0, 0, 4], 4, 4)
    assert triangle.sum(axis=1).tolist() == [3, 2, 1, 0]
    assert of_polygon([-5, -5, 50, -5, 50, 50, -5, 50], 3, 5).all(), "cut at the border"
    with pytest.raises(ValueError, match="a polygon of 2 corners"):
        of_polygon([0, 0, 1, 1], 4, 4)


def test_regions_are_the_labels_again() -> None:
    labels = every_class()
    found = list(regions(labels, CLASSES))
    again = np.zeros_like(labels)
    for region in found:
        assert not again[region.mask].any(), "regions do not overlap"
        again[region.mask] = marked_classes(CLASSES)[region.label]
    np.testing.assert_array_equal(again, labels)
    names = [region.label for region in found]
    assert names == ["road", "road", "vehicle", "vehicle", "pedestrian", "pedestrian", "unlabelled"]
    assert [int(region.mask.sum()) for region in found if region.label == "vehicle"] == [280, 3], "specks are one"


def test_boxes_and_colours() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:6] = True
    assert box_of(mask) == (2, 1, 4, 2)
    assert (colour_of("road", CLASSES), colour_of("unlabelled", CLASSES)) == ("#804080", "#000000")
