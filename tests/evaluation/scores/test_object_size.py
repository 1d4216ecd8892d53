# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, VEHICLE
from perception.evaluation.scores.object_size import ObjectSizes


def test_objects_are_counted_by_size_and_found_by_half() -> None:
    """In an image of 640 × 480: 31² is small, 32² medium, 96² large."""
    truth = np.zeros((480, 640), np.uint8)
    for left, side in ((0, 31), (100, 32), (200, 96)):
        truth[:side, left : left + side] = VEHICLE
    labels = truth.copy()
    labels[16:, 100:132] = 0  # half of it is left, which is enough
    labels[40:, 200:296] = 0  # less than half
    sizes = ObjectSizes()
    sizes.update(labels, truth)
    found = sizes.scores()["vehicle"]
    assert [found[size].objects for size in ("small", "medium", "large")] == [1, 1, 1]
    assert [found[size].found for size in ("small", "medium", "large")] == [1, 1, 0]
    assert [found[size].recall for size in ("small", "medium", "large")] == pytest.approx([1, 0.5, 40 / 96])
    assert np.isnan(sizes.scores()["pedestrian"]["small"].recall)


def test_bounds_shrink_with_the_image_and_corners_touch() -> None:
    """In a sixteenth of the pixels 8² is no longer small; two people that touch at a corner are one object."""
    truth = np.zeros((120, 160), np.uint8)
    truth[:8, :8] = truth[8:16, 8:16] = PEDESTRIAN
    truth[50:57, :7] = PEDESTRIAN
    sizes = ObjectSizes()
    sizes.update(np.zeros_like(truth), truth)
    found = sizes.scores()["pedestrian"]
    assert [found[size].objects for size in ("small", "medium", "large")] == [1, 1, 0]
