# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.robustness import damage


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_nothing_is_lost_of_a_share_of_zero_and_all_of_one() -> None:
    rgb = np.full((4, 5, 3), 9, np.uint8)
    infrared = np.array([[100, 200, 60_000]], np.uint16)
    points = np.ones((6, 4), np.float32)
    depth = np.full((4, 5), 7, np.float32)
    assert (damage.lose_colours(rgb, 0, rng()) == 9).all()
    assert (damage.lose_colours(rgb, 1, rng()) == (124, 116, 104)).all()
    assert damage.lose_infrared(infrared, 1, rng()).tolist() == [[200, 200, 200]]  # the median
    assert damage.lose_infrared(infrared, 1, rng()).dtype == np.uint16
    assert len(damage.lose_points(points, 0, rng())) == 6
    assert len(damage.lose_points(points, 1, rng())) == 0
    lost = damage.lose_depth(depth, 1, rng())
    assert np.isnan(lost).all()
    assert lost.dtype == np.float32
    assert (damage.lose_depth(depth, 0, rng()) == 7).all()
    assert (rgb == 9).all()


def test_a_speckled_point_stays_on_its_ray_with_its_intensity() -> None:
    points = np.array([[3, 4, 0, 0.5], [0, 0, -10, 0.25]], np.float32).repeat(50, axis=0)
    found = damage.speckle_points(points, 1, rng())
    distance = np.linalg.norm(found[:, :3], axis=1)
    near = np.isclose(distance, 1.5)
    assert (near | np.isclose(distance, 80)).all()
    assert 20 < near.sum() < 80
    np.testing.assert_allclose(found[:50, :3] / distance[:50, None], [[0.6, 0.8, 0]] * 50, atol=1e-6)
    np.testing.assert_array_equal(found[:, 3], points[:, 3])
    np.testing.assert_array_equal(damage.speckle_points(points, 0, rng()), points)


def test_a_point_at_the_origin_stays_finite() -> None:
    assert np.isfinite(damage.speckle_points(np.zeros((10, 4), np.float32), 1, rng())).all()


def test_speckles_are_low_and_high_as_often() -> None:
    values = np.full((200, 200), 50, np.uint8)
    found = damage.speckled(values, 0, 255, 0.4, rng())
    assert found.dtype == np.uint8
    assert (found == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert (found == 255).mean() == pytest.approx(0.2, abs=0.01)
    assert (found == 50).mean() == pytest.approx(0.6, abs=0.01)


def test_infrared_keeps_to_its_own_extremes() -> None:
    infrared = np.arange(20_000, 20_100, dtype=np.uint16).reshape(10, 10)
    assert set(np.unique(damage.speckle_infrared(infrared, 1, rng()))) == {20_000, 20_099}
    assert set(np.unique(damage.speckle_colours(np.full((9, 9, 3), 9, np.uint8), 1, rng()))) == {0, 255}
    depths = damage.speckle_depth(np.full((9, 9), 9, np.float32), 1, rng())
    assert set(np.unique(depths)) == {np.float32(1.5), np.float32(80)}
