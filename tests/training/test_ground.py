# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.training.ground import fit_ground, height_above


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(-2.5, -1.2), st.integers(0, 99))
def test_finds_a_sloping_ground_among_walls(ahead: float, aside: float, low: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(3, 30, 3000), rng.uniform(-8, 8, 3000)
    ground = np.stack([x, y, np.minimum(low + ahead * x * 0.5 + aside * y * 0.3, -0.6) + rng.normal(0, 0.02, 3000)], 1)
    ground = ground[ground[:, 2] < -0.65]
    wall = np.stack([rng.uniform(3, 30, 800), np.full(800, 6.0), rng.uniform(-2, 2, 800)], 1)
    if len(ground) < 1500:
        return
    plane = fit_ground(np.r_[ground, wall].astype(np.float32))
    assert plane is not None
    assert np.linalg.norm(plane[:3]) == pytest.approx(1)
    assert plane[2] > 0
    assert np.median(np.abs(height_above(plane, ground.astype(np.float32)))) < 0.05
    raised = (ground + plane[:3]).astype(np.float32)
    assert np.median(height_above(plane, raised)) == pytest.approx(1, abs=0.05)


def test_no_ground_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    assert fit_ground(np.zeros((0, 4), np.float32)) is None
    wall = np.stack([np.full(2000, 5.0), rng.uniform(-5, 5, 2000), rng.uniform(-3, 3, 2000)], 1)
    assert fit_ground(wall.astype(np.float32)) is None
