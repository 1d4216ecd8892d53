# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.simulation.sensors.noise import TILE, cell_hash, noise, tile, unrolled


def test_a_tile_is_normal_and_smoother_when_rough_is_less() -> None:
    for roughness in (0.5, 1.6):
        values = tile(roughness)
        assert (values.shape, values.dtype) == ((TILE, TILE), np.float32)
        assert (values.mean(), values.std()) == pytest.approx((0, 1), abs=1e-4)
    assert np.abs(np.diff(tile(1.6))).mean() < 0.5 * np.abs(np.diff(tile(0.5))).mean()


@pytest.mark.parametrize("count", [0, 1, 1024, 1025, 40_000])
def test_noise_repeats_after_its_period(count: int) -> None:
    rng = np.random.default_rng(0)
    u, v = rng.uniform(-50, 50, (2, count)).astype(np.float32)
    here = noise(u, v, 8.0)
    assert here.shape == (count,)
    np.testing.assert_allclose(noise(u + 8, v - 16, 8.0), here, atol=0.02)


def test_floors_roll_out_as_they_lie_and_walls_along_and_up() -> None:
    position = np.array([[3, 4, 5], [3, 4, 5], [3, 4, 5]], np.float32)
    normal = np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]], np.float32)
    u, v = unrolled(position, normal)
    assert u.tolist() == [3, 4, 3]
    assert v.tolist() == [4, 5, 5]


def test_a_hash_is_of_its_cell_alone_and_even() -> None:
    column, row = np.meshgrid(np.arange(-100, 100), np.arange(-100, 100))
    values = cell_hash(column.ravel(), row.ravel())
    assert cell_hash(column.ravel()[5:6], row.ravel()[5:6]) == values[5]
    assert ((values >= 0) & (values < 1)).all()
    counts, _ = np.histogram(values, 10, (0, 1))
    assert counts.min() > 3700
    assert (cell_hash(column.ravel(), row.ravel(), salt=1) != values).mean() > 0.999
