# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CompressedImage → NumPy: JPEG, PNG, and depth in the format of compressed_depth_image_transport."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.buffers import MAX_PIXELS, as_bytes
from perception.messages.rvl import decode_rvl

_HEADER = struct.Struct("<iff")
"""The bytes before the image: a format number, and the two parameters of the quantisation of depth in metres."""


def decode(message: Any, flags: int) -> NDArray[Any]:
    """The image, as OpenCV reads it with `flags`. Raises MessageError."""
    if _is_depth(message):
        raise MessageError(f"format: '{message.format}' is depth, not an image to look at")
    return _decode(message, as_bytes(message.data), flags)


def read_compressed_depth(message: Any) -> NDArray[np.float32]:
    """(H, W) float32 metres, 0 or infinite if invalid. Raises MessageError.

    In an image, PNG or RVL: 16UC1 holds millimetres, 32FC1 quantised inverse depth q, where the depth is a / (q - b)
    with a and b from the header (image_transport_plugins, compressed_depth_image_transport, codec.cpp).
    """
    if not _is_depth(message):
        raise MessageError(f"format: '{message.format}' is no depth; expected '16UC1; compressedDepth' or 32FC1")
    data = as_bytes(message.data)
    if len(data) <= _HEADER.size:
        raise MessageError(f"data: {len(data)} bytes are not compressed depth")
    _, a, b = _HEADER.unpack(data[: _HEADER.size].tobytes())
    picture = data[_HEADER.size :]
    is_rvl = message.format.lower().rstrip().endswith("rvl")
    image = decode_rvl(picture) if is_rvl else _decode(message, picture, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise MessageError(f"data: an image of {image.dtype} {image.shape} is no depth; expected 16 bits, one channel")
    if message.format.strip().startswith("32FC1"):
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.float32(a) / (image.astype(np.float32) - np.float32(b))
        depth[image == 0] = 0.0
        return depth
    return image.astype(np.float32) * np.float32(1e-3)


def _is_depth(message: Any) -> bool:
    return "compresseddepth" in message.format.lower().replace(" ", "")


def _decode(message: Any, data: NDArray[np.uint8], flags: int) -> NDArray[Any]:
    if not data.size:
        raise MessageError("data: the compressed image is empty")
    width, height = _size(message, data)
    if width * height > MAX_PIXELS:
        raise MessageError(f"size: {width}×{height} is more than any camera has")
    # Ignore EXIF rotation: the calibration is for the image as sensed.
    image = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION if flags >= 0 else flags)
    if image is None:
        raise _undecodable(message, data)
    return np.asarray(image)


def _size(message: Any, data: NDArray[np.uint8]) -> tuple[int, int]:
    """(width, height) from the image's header, checked because OpenCV would allocate any size."""
    from PIL import Image  # here, since only compressed images need it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data.tobytes()), formats=("JPEG", "PNG")) as picture:
                return picture.size
    except Image.DecompressionBombError as error:
        raise MessageError(f"size: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _undecodable(message, data) from error


def _undecodable(message: Any, data: NDArray[np.uint8]) -> MessageError:
    return MessageError(
        f"data: {data.size} bytes of format '{message.format}' do not decode; truncated, or neither JPEG nor PNG"
    )
