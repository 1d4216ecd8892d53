# SPDX-License-Identifier: Apache-2.0
"""Rigid motions: whether a matrix is one, asked of every extrinsic calibration and only here; quaternions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 1e-3
"""Of the lengths and products of the rotation's rows: matrices come printed with few digits."""


def rigid_fault(matrix: ArrayLike) -> str | None:
    """Why the (4, 4) numbers are no rigid transform, with the number that is off; None where they are one."""
    m = np.asarray(matrix, np.float64)
    if m.shape != (4, 4):
        return f"shape {m.shape}, expected (4, 4)"
    if not np.isfinite(m).all():
        row, column = np.argwhere(~np.isfinite(m))[0]
        return f"row {row + 1}, column {column + 1} is {m[row, column]}"
    if not m.any():
        return "every number is 0"
    if not np.allclose(m[3], [0, 0, 0, 1], atol=1e-6):
        hint = "; it looks transposed" if np.allclose(m[:, 3], [0, 0, 0, 1], atol=1e-6) else ""
        return f"its last row is {' '.join(f'{number:g}' for number in m[3])}, expected 0 0 0 1{hint}"
    rotation = m[:3, :3]
    for number, row in enumerate(rotation, start=1):
        if abs(row @ row - 1) > TOLERANCE:
            return f"row {number} of its rotation has length {np.sqrt(row @ row):.5g}, expected 1"
    for one, other in combinations(range(3), 2):
        product = rotation[one] @ rotation[other]
        if abs(product) > TOLERANCE:
            return f"rows {one + 1} and {other + 1} of its rotation are not perpendicular: product {product:.3g}"
    if np.linalg.det(rotation) < 0:
        return "the determinant of its rotation is -1, expected 1: it mirrors"
    return None


def quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """x, y, z, w of unit length, w ≥ 0, for the (3, 3) rotation, however small or large its angle.

    It is an eigenvector: Bar-Itzhack, New Method for Extracting the Quaternion from a Rotation Matrix, 2000.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    profile = [
        [a - e - i, b + d, c + g, h - f],
        [b + d, e - a - i, f + h, c - g],
        [c + g, f + h, i - a - e, d - b],
        [h - f, c - g, d - b, a + e + i],
    ]
    found = np.linalg.eigh(profile).eigenvectors[:, -1]
    x, y, z, w = (found * np.copysign(1.0, found[3])).tolist()
    return x, y, z, w
