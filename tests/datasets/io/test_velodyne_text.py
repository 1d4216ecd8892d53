# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perception.datasets.io.velodyne_text import read_velodyne_text
from perception.errors import DataError

NUMBERS = st.one_of(
    st.decimals(-1000, 1000, places=3).map(str),
    st.floats(-1e6, 1e6).map(str),
    st.integers(-100, 100).map(str),
    st.sampled_from(["-0.0", "1.", ".5", "-.25", "1e-3", "12345678901234.5678"]),
)


def test_a_point_to_a_line(tmp_path: Path) -> None:
    path = tmp_path / "0000000000.txt"
    path.write_text("18.324 0.049 0.829 0.00\n18.344 0.106 -0.829 0.53\n")
    points = read_velodyne_text(path)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, np.float32([[18.324, 0.049, 0.829, 0], [18.344, 0.106, -0.829, 0.53]]))
    path.write_text("")
    assert read_velodyne_text(path).shape == (0, 4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_numbers_are_what_python_makes_of_them(tmp_path: Path, points: list[tuple[str, ...]], end: str) -> None:
    path = tmp_path / "0000000000.txt"
    path.write_bytes(end.join(map(" ".join, points)).encode())
    expected = np.array([[float(word) for word in point] for point in points])
    echoes = expected[expected[:, :3].astype(np.float32).any(axis=1)]
    np.testing.assert_allclose(read_velodyne_text(path), echoes, rtol=1e-7, atol=1e-37)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.0 2.0 3.0", "3 numbers, truncated"),
        ("1 2 3 x", "could not convert"),
        ("1.0 2.0 3.0 4.0\n5.0", "5 numbers, truncated"),
        ("1 2 3 4\n5", "the number of columns changed"),
        ("1.0 2.0 - 4.0", "could not convert"),
        ("1.0 2.0 . 4.0", "could not convert"),
        ("1.0 2.0 1.2.3 4", "could not convert"),
        ("1.0 2.0 --1.2 4.0", "could not convert"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "0000000000.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"0000000000\.txt: {reason}"):
        read_velodyne_text(path)
