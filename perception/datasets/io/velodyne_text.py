# SPDX-License-Identifier: Apache-2.0
"""Velodyne sweeps of unsynced KITTI drives: a line of text per point."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_bytes
from perception.errors import DataError
from perception.sensors.sweeps import with_echo

_DOT, _MINUS, _ZERO = b".-0"
_LONGEST = 17  # the longest number whose digits are exact in 64 bits


def read_velodyne_text(path: Path) -> NDArray[np.float32]:
    """(N, 4) float32 x, y, z [m], intensity [0–1], without the points that have no echo, as `read_velodyne`.

    Raises DataError unless every point has four numbers.
    """
    data = read_bytes(path)
    values = _parse_plain(np.frombuffer(data, np.uint8))
    if values is None:
        values = _parse_any(data, path)
    if values.size % 4:
        raise DataError(f"{path}: {values.size} numbers, truncated: a point has four")
    return with_echo(values.reshape(-1, 4))


def _parse_plain(text: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The numbers of a text in which each has the form -12.345, as KITTI's have, else None: many times faster than
    NumPy.

    It processes all numbers at once, one character position after the other.
    """
    inside = np.concatenate([[False], text > ord(" "), [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    first, end = edges[::2], edges[1::2]
    dot = np.flatnonzero(text == _DOT)
    if len(dot) != len(first) or not len(dot) or np.any(dot < first) or np.any(dot >= end):
        return None
    negative = text[first] == _MINUS
    first = first + negative
    longest = int((end - first).max())
    if longest > _LONGEST or np.any(first + 1 >= end):
        return None
    mantissa = np.zeros(len(first), np.int64)
    for place in range(longest):
        at = first + place
        character = text[np.minimum(at, len(text) - 1)]
        digit = character - np.uint8(_ZERO)  # characters below "0" wrap around to more than 9
        use = (at < end) & (at != dot)
        if np.any(use & (digit > 9)):
            return None
        np.copyto(mantissa, mantissa * 10 + digit, where=use)
    values = mantissa / 10.0 ** (end - dot - 1)
    return np.where(negative, -values, values).astype(np.float32)


def _parse_any(data: bytes, path: Path) -> NDArray[np.float32]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about an empty file
            return np.loadtxt(io.BytesIO(data), np.float32, comments=None).reshape(-1)
    except ValueError as error:
        raise DataError(f"{path}: {error}; a line is `x y z intensity`") from error
