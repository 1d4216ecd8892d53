# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.errors import FrameError
from perception.ground import Ground


def test_a_level_camera_s_heights() -> None:
    ground = Ground.mounted(1.65)
    below, beside, above = ground.above(np.array([[0, 1.65, 9], [3, 0, 9], [0, -1, 9]], np.float32))
    assert (below, beside, above) == pytest.approx((0, 1.65, 2.65), abs=1e-6)


@pytest.mark.parametrize(("pitch", "roll"), [(0.1, 0.0), (0.0, 0.2), (-0.05, -0.3), (0.4, 0.1)])
def test_angles_come_back(pitch: float, roll: float) -> None:
    ground = Ground.mounted(1.2, pitch, roll)
    assert (ground.pitch, ground.roll) == pytest.approx((pitch, roll))
    assert np.linalg.norm(ground.up) == pytest.approx(1)


def test_a_camera_that_looks_down_sees_the_ground_come_nearer() -> None:
    """Looking down by 0.1 rad from 2 m, the optical axis meets the ground after 2 / sin 0.1 metres."""
    meets = np.array([[0, 0, 2 / np.sin(0.1)]], np.float32)
    assert Ground.mounted(2, 0.1).above(meets)[0] == pytest.approx(0, abs=1e-5)


def test_leaning_to_the_right_brings_the_right_side_down() -> None:
    right, left = Ground.mounted(1, 0, 0.1).above(np.array([[5, 0, 0], [-5, 0, 0]], np.float32))
    assert (right, left) == pytest.approx((1 - 5 * np.sin(0.1), 1 + 5 * np.sin(0.1)), abs=1e-6)


def test_mirroring_turns_the_roll_alone() -> None:
    mirrored = Ground(Ground.mounted(1.2, 0.1, 0.2).up, 1.2, "lidar").mirrored()
    assert (mirrored.pitch, mirrored.roll, mirrored.height, mirrored.source) == pytest.approx((0.1, -0.2, 1.2, "lidar"))


def test_the_angle_between_two_grounds() -> None:
    assert Ground.mounted(1).angle_to(Ground.mounted(2, 0.25)) == pytest.approx(0.25)


@pytest.mark.parametrize(("up", "height"), [((0, 0, 0), 1), ((0, np.nan, 0), 1), ((0, -1, 0), np.inf), ((0, -1), 1)])
def test_what_is_no_plane_is_refused(up: tuple[float, ...], height: float) -> None:
    with pytest.raises(FrameError, match="finite"):
        Ground(np.array(up), height)
