# SPDX-License-Identifier: Apache-2.0
"""RVL, the fast codec of compressed_depth_image_transport (Wilson, Fast Lossless Depth Image Compression, ISS 2017).

An image is its width and height (uint32 each), followed by alternating runs: the number of zero pixels, the number of
non-zero ones, and the zigzag-coded difference of each of those to the previous one. A number consists of nibbles of
three bits, lowest first, with a fourth bit that says whether more follow; eight nibbles fill a 32-bit word from its
top.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.buffers import MAX_PIXELS

_SIZE = struct.Struct("<II")

_LONGEST = 11
"""Nibbles in a number of 32 bits."""


def decode_rvl(data: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """(N,) bytes → (H, W). Raises MessageError for truncated data or data that is not RVL."""
    if len(data) < _SIZE.size:
        raise MessageError(f"data: {len(data)} bytes are not RVL; its header alone has {_SIZE.size}")
    width, height = _SIZE.unpack_from(data.data)
    if not 0 < width * height <= MAX_PIXELS:
        raise MessageError(f"size: {width}×{height}, which no RVL image has")
    numbers = _numbers(data[_SIZE.size :])
    runs, coded = [], np.zeros(len(numbers), bool)
    pixels, pixel, number = width * height, 0, 0
    while pixel < pixels:
        if number + 2 > len(numbers):
            raise MessageError(f"data: {len(data)} bytes end after {pixel} of {pixels} pixels; truncated")
        zeros, others = int(numbers[number]), int(numbers[number + 1])
        begin, end, number = pixel + zeros, pixel + zeros + others, number + 2
        if end > pixels or number + others > len(numbers):
            raise MessageError(f"data: {len(data)} bytes do not fit {width}×{height} pixels; truncated or not RVL")
        coded[number : number + others] = True
        runs.append((begin, end))
        pixel, number = end, number + others
    zigzag = numbers[coded]
    values = np.cumsum((zigzag >> 1) ^ -(zigzag & 1)).astype(np.uint16)
    image, taken = np.zeros(pixels, np.uint16), 0
    for begin, end in runs:
        image[begin:end] = values[taken : taken + end - begin]
        taken += end - begin
    return image.reshape(height, width)


def _numbers(data: NDArray[np.uint8]) -> NDArray[Any]:
    """All numbers in the words of `data`, including those of the padding at its end."""
    octets = data[: len(data) // 4 * 4].reshape(-1, 4)[:, ::-1].reshape(-1)
    nibbles = np.stack([octets >> 4, octets & 15], 1).reshape(-1)
    ends = np.flatnonzero(nibbles < 8)
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = np.append(0, ends[:-1] + 1)
    lengths = ends - starts + 1
    if lengths.max() > _LONGEST:
        raise MessageError("data: a number of more than 32 bits; not RVL")
    place = np.arange(ends[-1] + 1) - np.repeat(starts, lengths)
    bits = (nibbles[: ends[-1] + 1] & 7).astype(np.int64) << (3 * place)
    return np.asarray(np.add.reduceat(bits, starts))
