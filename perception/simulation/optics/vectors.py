# SPDX-License-Identifier: Apache-2.0
"""Products of many small vectors, without BLAS: its threads cost more than they save here, and its rounding varies."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[Any]
"""float32 throughout; loosely typed, since NumPy's own types lose the precision in most expressions."""


def rows_of(array: Floats, rows: NDArray[np.int64]) -> Floats:
    """`array[rows]`, three times as fast where the rows are short vectors."""
    return array.take(rows, axis=0)


def dot(vectors: Floats, others: NDArray[Any]) -> Floats:
    """(N,) dot products of (N, 3) with (N, 3), or with one (3,)."""
    form = "ij,ij->i" if others.ndim == 2 else "ij,j->i"
    return np.asarray(np.einsum(form, vectors, others.astype(np.float32, copy=False)), np.float32)


def rotated(vectors: Floats, matrix: NDArray[Any]) -> Floats:
    """(N, 3) vectors turned by the upper left (3, 3) of `matrix`."""
    return np.asarray(np.einsum("ij,kj->ik", vectors, matrix[:3, :3].astype(np.float32)), np.float32)


def moved(points: Floats, pose: NDArray[Any]) -> Floats:
    """(N, 3) points moved by the (4, 4) `pose`."""
    return rotated(points, pose) + pose[:3, 3].astype(np.float32)


def normalised(vectors: Floats) -> Floats:
    """(N, 3) vectors of unit length; null vectors stay null."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), np.float32(1e-12))[:, None]


def reflected(direction: Floats, normal: Floats) -> tuple[Floats, Floats]:
    """(N, 3) mirror images of unit `direction`s at surfaces of unit `normal`s, and the (N,) cosines of incidence."""
    cosine = -dot(direction, normal)
    return direction + 2 * cosine[:, None] * normal, cosine
