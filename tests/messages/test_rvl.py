# SPDX-License-Identifier: Apache-2.0
"""RVL against an encoder that follows its description number by number."""

from __future__ import annotations

import struct
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from perception.errors import MessageError
from perception.messages.buffers import MAX_PIXELS
from perception.messages.rvl import decode_rvl


def encode_rvl(image: np.ndarray) -> np.ndarray:
    numbers, before = [], 0
    runs = [(zero, [int(pixel) for pixel in run]) for zero, run in groupby(image.ravel(), lambda pixel: pixel == 0)]
    if not runs[0][0]:
        runs.insert(0, (True, []))
    for zero, run in runs:
        numbers.append(len(run))
        if not zero:
            for pixel in run:
                change = pixel - before
                numbers.append(2 * change if change >= 0 else -2 * change - 1)
                before = pixel
    if runs[-1][0]:
        numbers.append(0)
    nibbles = []
    for number in numbers:
        while number > 7:
            nibbles.append(8 | number & 7)
            number >>= 3
        nibbles.append(number)
    nibbles += [0] * (-len(nibbles) % 8)
    words = [int("".join(f"{nibble:x}" for nibble in nibbles[i : i + 8]), 16) for i in range(0, len(nibbles), 8)]
    data = struct.pack(f"<II{len(words)}I", image.shape[1], image.shape[0], *words)
    return np.frombuffer(data, np.uint8)


PIXELS = st.one_of(st.just(0), st.integers(0, 65535), st.integers(1000, 1010))


@given(arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=PIXELS))
def test_what_was_encoded_comes_back(image: np.ndarray) -> None:
    np.testing.assert_array_equal(decode_rvl(encode_rvl(image)), image)


def test_a_word_is_filled_from_its_top_and_stored_little_endian() -> None:
    # 1×2 pixels: no zeros, two others; 3 more than 0 is coded as 6, 1 less than 3 as 1: nibbles 0 2 6 1 and padding.
    data = struct.pack("<II", 2, 1) + bytes([0x00, 0x00, 0x61, 0x02])
    np.testing.assert_array_equal(decode_rvl(np.frombuffer(data, np.uint8)), [[3, 2]])


@given(st.binary(max_size=200))
def test_any_bytes_are_an_image_or_are_refused(data: bytes) -> None:
    for size in (b"", struct.pack("<II", 5, 4)):
        try:
            image = decode_rvl(np.frombuffer(size + data, np.uint8))
        except MessageError:
            continue
        assert image.dtype == np.uint16


def test_what_is_cut_off_is_refused() -> None:
    image = np.random.default_rng(0).integers(0, 3, (20, 30)).astype(np.uint16)
    data = encode_rvl(image)
    for end in range(0, len(data) - 3, 4):
        with pytest.raises(MessageError, match=r"^data: "):
            decode_rvl(data[:end])


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (MAX_PIXELS, 2), (2**32 - 1, 2**32 - 1)])
def test_sizes_that_no_image_has_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(MessageError, match=r"^size: "):
        decode_rvl(np.frombuffer(struct.pack("<III", *size, 0), np.uint8))
