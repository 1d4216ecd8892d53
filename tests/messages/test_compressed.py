# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import zlib
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from perception.errors import MessageError
from perception.messages.images import read_depth, read_infrared, read_rgb


def packed(picture: Any, kind: str, a: float = 0.0, b: float = 0.0) -> SimpleNamespace:
    """As compressed_depth_image_transport sends it."""
    data = struct.pack("<iff", 0, a, b) + cv2.imencode(".png", picture)[1].tobytes()
    return SimpleNamespace(format=f"{kind}; compressedDepth png", data=data)


def test_millimetres() -> None:
    raw = np.array([[0, 1500, 65535]], np.uint16)
    np.testing.assert_allclose(read_depth(packed(raw, "16UC1")), [[np.nan, 1.5, 65.535]], rtol=1e-6)


def test_rvl_in_place_of_png() -> None:
    # 1×2 pixels, 1,500 and 1,499: no zeros, two others, by 1,500 and by -1, as nibbles 0 2 (8 f e 5) 1 and padding.
    data = struct.pack("<iffIII", 0, 0.0, 0.0, 2, 1, 0x028FE510)
    got = read_depth(SimpleNamespace(format="16UC1; compressedDepth rvl", data=data))
    np.testing.assert_allclose(got, [[1.5, 1.499]], rtol=1e-6)
    with pytest.raises(MessageError, match=r"^data: 4 bytes are not RVL"):
        read_depth(SimpleNamespace(format="16UC1; compressedDepth rvl", data=data[:16]))


def test_inverse_depth() -> None:
    """Quantised as the transport does it, with its default of 100 steps at 10 m."""
    depth = np.array([[0.5, 2.0, 9.5]], np.float32)
    a = 100.0 * (100.0 + 1.0)
    b = 1.0 - a / 10.0
    steps = np.hstack([a / depth + b, [[0.0]]]).astype(np.uint16)
    np.testing.assert_allclose(read_depth(packed(steps, "32FC1", a, b)), [[*depth[0], np.nan]], rtol=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_infrared_pictures_keep_their_depth(dtype: type) -> None:
    raw: np.ndarray = (np.arange(48).reshape(6, 8) * 5).astype(dtype)
    got = read_infrared(SimpleNamespace(format="png", data=cv2.imencode(".png", raw)[1].tobytes()))
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, raw)


def test_what_is_no_depth_is_refused_with_the_field() -> None:
    whole = packed(np.ones((4, 4), np.uint16), "16UC1")
    colour = packed(np.ones((4, 4, 3), np.uint8), "16UC1")
    cases = {
        "format": SimpleNamespace(format="jpeg", data=whole.data),
        "data: 12 bytes": SimpleNamespace(format=whole.format, data=whole.data[:12]),
        "data: 8 bytes": SimpleNamespace(format=whole.format, data=whole.data[:20]),
        "data: an image of uint8": colour,
    }
    for reason, message in cases.items():
        with pytest.raises(MessageError, match=f"^{reason}"):
            read_depth(message)


def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded() -> None:
    png = bytearray(cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    for width, height in ((60_000, 60_000), (1 << 15, 1 << 13)):
        png[16:24] = struct.pack(">II", width, height)
        png[29:33] = struct.pack(">I", zlib.crc32(bytes(png[12:29])))
        with pytest.raises(MessageError, match=r"^size: "):
            read_rgb(SimpleNamespace(format="rgb8; png", data=bytes(png)))
