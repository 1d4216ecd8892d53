# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perception.assembly.transforms import transform_matrix
from perception.bags.geometry import pose, quaternion, serialise_links
from perception.bags.raw import TYPES

turns = st.lists(st.floats(-4, 4), min_size=3, max_size=3).map(np.array)


@example(np.array([0.0, 0.0, 1e-6]), [0.0, 0.0, 0.0])
@given(turns, st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_a_matrix_survives_the_message(turn: np.ndarray, position: list[float]) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(turn)[0]
    matrix[:3, 3] = position
    raw = serialise_links("/tf", 1_000_000_007, [("a", "b", matrix)])
    (stamped,) = TYPES.deserialize_cdr(raw.data, raw.type).transforms  # type: ignore[attr-defined]
    assert (stamped.header.frame_id, stamped.child_frame_id) == ("a", "b")
    assert (stamped.header.stamp.sec, stamped.header.stamp.nanosec) == (1, 7)
    np.testing.assert_allclose(transform_matrix(stamped.transform), matrix, atol=1e-9)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, -1), (1, 1, 0)])
def test_half_a_turn_is_a_unit_quaternion(axis: tuple[float, ...]) -> None:
    rotation = cv2.Rodrigues(np.array(axis, float) / np.linalg.norm(axis) * np.pi)[0]
    q = quaternion(rotation)
    assert np.linalg.norm([q.x, q.y, q.z, q.w]) == pytest.approx(1)
    assert pose(np.eye(4)).orientation.w == 1
