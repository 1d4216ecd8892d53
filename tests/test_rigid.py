# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.errors import FrameError
from perception.frame import CameraModel, Frame
from perception.rigid import rigid_fault

MOUNT = np.array([[0, -1, 0, 0.1], [0, 0, -1, 0.2], [1, 0, 0, 0.3], [0, 0, 0, 1.0]])

FAULTS = [
    (MOUNT[:3], "shape"),
    (MOUNT * [[1], [np.nan], [1], [1]], "row 2, column 1 is nan"),
    (np.zeros((4, 4)), "every number is 0"),
    (MOUNT.T, "last row is 0.1 0.2 0.3 1, expected 0 0 0 1; it looks transposed"),
    (MOUNT * [[1000], [1000], [1000], [1]], "row 1 of its rotation has length 1000, expected 1"),
    (MOUNT @ np.diag([1.002, 1, 1, 1]), "row 3 of its rotation has length 1.002"),
    (np.array([[1, 0.05, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "length 1.0012"),
    (np.array([[0.6, 0.8, 0, 0], [0.8, 0.6, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "rows 1 and 2 .* product 0.96"),
    (np.diag([1.0, -1, 1, 1]), "determinant of its rotation is -1"),
]


@pytest.mark.parametrize(("matrix", "reason"), FAULTS)
def test_the_number_that_is_off_is_named(matrix: np.ndarray, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        assert rigid_fault(matrix) is None


def test_a_matrix_printed_with_four_digits_is_rigid() -> None:
    turn = np.eye(4)
    turn[:3, :3] = np.array([[0.9998, 0.0175, 0], [-0.0175, 0.9998, 0], [0, 0, 1]])
    assert rigid_fault(turn) is None
    assert rigid_fault(MOUNT) is None


@pytest.mark.parametrize("matrix", [MOUNT.T, MOUNT * 0.001, np.zeros((4, 4)), np.diag([-1.0, 1, 1, 1])])
def test_a_frame_takes_no_other(matrix: np.ndarray) -> None:
    camera = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), 64, 24)
    with pytest.raises(FrameError, match="lidar_to_camera: no rigid transform: "):
        Frame(0, points=np.ones((5, 4), np.float32), camera=camera, lidar_to_camera=matrix)
