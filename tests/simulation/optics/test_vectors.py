# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.simulation.optics.vectors import dot, moved, normalised, reflected, rotated, rows_of

ROWS = np.array([[1, 2, 3], [0, -1, 4]], np.float32)
QUARTER = np.array([[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1.0]])
"""A quarter turn about z, then a step."""


def test_products_row_by_row_and_with_one() -> None:
    assert dot(ROWS, ROWS).tolist() == [14, 17]
    assert dot(ROWS, np.array([1.0, 0, 2])).tolist() == [7, 8]


def test_turned_and_moved() -> None:
    assert rotated(ROWS, QUARTER).tolist() == [[-2, 1, 3], [1, 0, 4]]
    assert moved(ROWS, QUARTER).tolist() == [[8, 21, 33], [11, 20, 34]]
    assert moved(ROWS, QUARTER).dtype == np.float32


def test_unit_length_but_for_nothing() -> None:
    units = normalised(np.array([[3, 0, 4], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(units, [[0.6, 0, 0.8], [0, 0, 0]], atol=1e-7)


def test_a_mirror_on_the_floor() -> None:
    down = normalised(np.array([[1, 0, -1]], np.float32))
    mirrored, cosine = reflected(down, np.array([[0, 0, 1]], np.float32))
    np.testing.assert_allclose(mirrored, down * [1, 1, -1], atol=1e-6)
    np.testing.assert_allclose(cosine, [np.sqrt(0.5)], atol=1e-6)


def test_rows_are_rows() -> None:
    assert rows_of(ROWS, np.array([1, 1, 0])).tolist() == ROWS[[1, 1, 0]].tolist()
