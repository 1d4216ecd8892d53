# SPDX-License-Identifier: Apache-2.0
"""Object labels: columns, corners, broken lines."""

from __future__ import annotations

import numpy as np
import pytest

from perception.datasets.kitti.objects import read_object_labels
from perception.errors import DataError

CAR = "Car 0.25 1 1.85 387.63 181.54 423.81 203.12 1.5 1.8 4.0 2.0 1.6 20.0 0"


def test_columns_and_corners(tmp_path):
    path = tmp_path / "000001.txt"
    path.write_text(f"{CAR}\n\n{CAR} 0.9\n")
    label, scored = read_object_labels(path)
    assert label.object_type == scored.object_type == "Car"
    assert (label.truncated, label.occluded, label.box[2], label.size) == (0.25, 1, 423.81, (1.5, 1.8, 4.0))
    corners = label.corners()  # yaw 0: the length lies along the camera's x
    np.testing.assert_allclose(corners.min(0), [0, 0.1, 19.1])
    np.testing.assert_allclose(corners.max(0), [4, 1.6, 20.9])


@pytest.mark.parametrize("line", ["Car 1 2 3", CAR.replace("20.0", "far")])
def test_broken_lines_name_file_and_line(tmp_path, line):
    path = tmp_path / "000001.txt"
    path.write_text(f"{CAR}\n{line}\n")
    with pytest.raises(DataError, match=r"000001\.txt: line 2: "):
        read_object_labels(path)
