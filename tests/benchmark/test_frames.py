# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.benchmark.frames import JITTER, resized, with_points
from perception.frame import Frame


@pytest.mark.parametrize("count", [1, 40, 100, 130, 555])
def test_a_sweep_has_as_many_points_as_asked_for_in_their_order(frame: Frame, count: int) -> None:
    assert frame.points is not None
    points = with_points(frame, count).points
    assert points is not None
    assert points.shape == (count, 4)
    assert (np.diff(points[:, 3]) >= 0).all()
    nearest = np.abs(points[:, None, :3] - frame.points[None, :, :3]).max(2).min(1)
    assert nearest.max() < 6 * JITTER
    np.testing.assert_array_equal(with_points(frame, count).points, points)


@pytest.mark.parametrize(("scale", "size"), [(0.25, (15, 5)), (1.0, (60, 20)), (2.0, (120, 40))])
def test_every_image_takes_the_new_size(frame: Frame, scale: float, size: tuple[int, int]) -> None:
    other = resized(frame, scale)
    assert other.camera is not None
    assert other.rgb is not None
    assert other.depth is not None
    assert other.infrared is not None
    assert other.size == (other.camera.width, other.camera.height) == size
    assert other.rgb.shape[1::-1] == other.depth.shape[::-1] == other.infrared.shape[::-1] == size
    assert other.infrared.dtype == np.uint16
    assert other.points is frame.points
