# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.training.checks.small_things import small_things


def _upright(x: float, y: float, width: float, top: float) -> np.ndarray:
    """Points on an upright rectangle that faces the sensor, from the ground (z = 0) to `top`."""
    side, height = (a.ravel() for a in np.meshgrid(np.arange(0, width, 0.1), np.arange(0, top, 0.1)))
    return np.c_[np.full(side.shape, x), y + side, height, np.ones(side.shape)].astype(np.float32)


@pytest.mark.parametrize(
    ("x", "width", "top", "small"),
    [
        (10.0, 0.3, 0.75, True),  # a traffic cone
        (10.0, 1.6, 0.75, False),  # a part of a bicycle, or a bench
        (10.0, 0.5, 1.7, False),  # a person
        (10.0, 0.3, 0.2, False),  # a kerb stone
        (35.0, 0.3, 0.75, False),  # too far away
    ],
)
def test_what_stands_alone_and_is_small(x: float, width: float, top: float, small: bool) -> None:
    points = np.concatenate([_upright(x, -3, width, top), _upright(8, 3, 2, 2)])
    found = small_things(points, points[:, 2].astype(np.float64), np.ones(len(points), np.bool_))
    of_it = points[:, 1] < 0
    assert found[of_it & (points[:, 2] > 0.12)].any() == small
    assert not found[~of_it].any()
    assert not found[points[:, 2] <= 0.12].any()


def test_only_chosen_points_count() -> None:
    points = _upright(10, 0, 0.3, 0.75)
    assert not small_things(points, points[:, 2].astype(np.float64), np.zeros(len(points), np.bool_)).any()
    assert not small_things(points[:0], np.zeros(0), np.zeros(0, np.bool_)).any()
