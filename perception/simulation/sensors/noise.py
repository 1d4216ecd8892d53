# SPDX-License-Identifier: Apache-2.0
"""Repeatable random patterns: tiles of noise that are looked up by position, and hashes of cells."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.vectors import Floats

TILE = 512
"""Samples along the side of a noise tile; it repeats without seams."""


@cache
def tile(roughness: float) -> Floats:
    """(TILE, TILE) float32 noise of mean 0 and deviation 1 whose spectrum falls with frequency^-roughness."""
    white = np.fft.rfft2(np.random.default_rng(7).standard_normal((TILE, TILE)))
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]) * TILE
    white *= np.maximum(frequency, 1.0) ** -roughness
    white[0, 0] = 0.0
    values = np.fft.irfft2(white, s=(TILE, TILE))
    return (values / values.std()).astype(np.float32)


def noise(u: Floats, v: Floats, period: float, roughness: float = 1.0) -> Floats:
    """(N,) noise of mean 0 and deviation 1 at surface coordinates `u`, `v` [m], repeating every `period` metres."""
    # OpenCV's maps are at most 32767 wide: the points are laid out in rows.
    count, width = len(u), 1024
    rows = max(1, -(-count // width))
    maps = np.zeros((2, rows * width), np.float32)
    for coordinate, place in zip((u, v), maps[:, :count], strict=True):
        np.multiply(coordinate, np.float32(1.0 / period), out=place)
        place -= np.floor(place)
    maps *= np.float32(TILE)
    map_x, map_y = maps.reshape(2, rows, width)
    values = cv2.remap(tile(roughness), map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(values, np.float32).reshape(-1)[:count]


def unrolled(position: Floats, normal: Floats) -> tuple[Floats, Floats]:
    """(N,) and (N,) coordinates along surfaces [m]: x and y on the ground, along and up on walls. Inputs: (N, 3)."""
    upright = np.abs(normal[:, 2]) < 0.75
    length = np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-6)
    along = (normal[:, 0] * position[:, 1] - normal[:, 1] * position[:, 0]) / length
    return np.where(upright, along, position[:, 0]), np.where(upright, position[:, 2], position[:, 1])


def cell_hash(column: NDArray[np.int64], row: NDArray[np.int64], salt: int = 0) -> Floats:
    """(N,) numbers in [0, 1) that depend on the cell alone."""
    bits = column.astype(np.uint32) * np.uint32(374761393) + row.astype(np.uint32) * np.uint32(668265263)
    bits += np.uint32(salt * 974711 & 0xFFFFFFFF)
    bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(1274126177)
    bits ^= bits >> np.uint32(16)
    return (bits & np.uint32(0xFFFFFF)).astype(np.float32) / np.float32(1 << 24)
