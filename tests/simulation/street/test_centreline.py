# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.simulation.street.centreline import Centreline

LINE = Centreline(-60.0, 300.0, 0.004, 0.02, np.random.default_rng(4))
inside = st.floats(-55.0, 295.0)


def test_starts_at_the_origin_heading_along_x() -> None:
    np.testing.assert_allclose(LINE.points(0.0, 0.0), [0, 0, 0], atol=1e-9)
    assert LINE.heading_at(0.0) == pytest.approx(0.0, abs=1e-9)


@given(inside, st.floats(-20, 20))
def test_d_is_the_distance_to_the_left(s: float, d: float) -> None:
    on, beside = LINE.points(s, 0.0), LINE.points(s, d)
    assert np.linalg.norm((beside - on)[:2]) == pytest.approx(abs(d), abs=1e-6)
    left = np.array([-np.sin(LINE.heading_at(s)), np.cos(LINE.heading_at(s))])
    assert (beside - on)[:2] @ left == pytest.approx(d, abs=1e-6)


@given(inside)
def test_s_is_the_length_travelled(s: float) -> None:
    assert np.linalg.norm((LINE.points(s + 1.0, 0.0) - LINE.points(s, 0.0))[:2]) == pytest.approx(1.0, abs=1e-3)


@given(st.floats(-100.0, 400.0), st.floats(-10, 10), st.floats(-3, 3))
def test_poses_are_rigid_and_where_the_points_are(s: float, d: float, yaw: float) -> None:
    pose = LINE.pose(s, d, 0.3, yaw)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(pose[:3, 3], LINE.points(s, d, 0.3))
    upright = LINE.upright(s, d, 0.3, yaw, 2.0)
    np.testing.assert_allclose(upright[:3, 2], [0, 0, 2.0], atol=1e-12)


def test_goes_straight_on_beyond_its_ends() -> None:
    a, b, c = (LINE.points(s, 0.0) for s in (301.0, 311.0, 321.0))
    np.testing.assert_allclose(b - a, c - b, atol=1e-9)
    assert np.linalg.norm(b - a) == pytest.approx(10.0)
