# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/Image and CompressedImage ↔ NumPy, without cv_bridge.

Messages are duck-typed: rclpy's and rosbags' both work. Every reader raises MessageError, which names the wrong
field and the reason; it never reads beyond what the message declares.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.bit_depth import BitDepth
from perception.messages.buffers import MAX_PIXELS, as_bytes, byte_array
from perception.messages.compressed import decode, read_compressed_depth

_PLAIN: dict[str, tuple[str, int]] = {
    "mono8": ("u1", 1), "8UC1": ("u1", 1), "mono16": ("u2", 1), "16UC1": ("u2", 1), "32FC1": ("f4", 1),
    "rgb8": ("u1", 3), "bgr8": ("u1", 3), "8UC3": ("u1", 3), "rgba8": ("u1", 4), "bgra8": ("u1", 4), "8UC4": ("u1", 4),
    "rgb16": ("u2", 3), "bgr16": ("u2", 3), "rgba16": ("u2", 4), "bgra16": ("u2", 4),
    "yuv422": ("u1", 2), "uyvy": ("u1", 2), "yuv422_yuy2": ("u1", 2), "yuyv": ("u1", 2),
    **{f"bayer_{order}{bits}": (f"u{bits // 8}", 1) for order in ("rggb", "bggr", "gbrg", "grbg") for bits in (8, 16)},
}  # fmt: skip
"""Component type and channels per pixel of every encoding that is read here."""

_TO_RGB: dict[str, int] = {
    "mono": cv2.COLOR_GRAY2RGB, "8UC1": cv2.COLOR_GRAY2RGB,
    "bgr": cv2.COLOR_BGR2RGB, "8UC3": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB, "bgra": cv2.COLOR_BGRA2RGB, "8UC4": cv2.COLOR_BGRA2RGB,
    "yuv422": cv2.COLOR_YUV2RGB_UYVY, "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUY2, "yuyv": cv2.COLOR_YUV2RGB_YUY2,
    # ROS names the pattern by its first row, OpenCV by the second row's second and third pixel.
    "bayer_rggb": cv2.COLOR_BayerBG2RGB, "bayer_bggr": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg": cv2.COLOR_BayerGR2RGB, "bayer_grbg": cv2.COLOR_BayerGB2RGB,
}  # fmt: skip
"""How an encoding (without its trailing bit depth) is converted to RGB; rgb itself needs no conversion."""

_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
"""Masks consist of long runs, which need no search for more."""

_PLANAR: dict[str, int] = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21}
"""Encodings whose colours are in half as many rows below the luminance."""


def read_rgb(message: Any, depth: BitDepth | None = None) -> NDArray[np.uint8]:
    """Image or CompressedImage → (H, W, 3) uint8 RGB. An rgb8 image is a view of the message's data.

    depth: bit depth learnt from the camera's 16-bit images, updated by this one; None for a single image.
    """
    depth = depth or BitDepth()
    if not hasattr(message, "encoding"):
        return _read_compressed(message, depth)
    encoding = message.encoding
    if encoding in ("32FC1", "16UC1"):
        raise MessageError(f"encoding: '{encoding}' has no colour: use it as depth or infrared")
    if encoding in _PLANAR:
        return _read_planar(message)
    if encoding not in _PLAIN:
        return _read_with_cv_bridge(message)
    image = read_array(message)
    if image.dtype == np.uint16:
        image = depth.eight(image)
        encoding = encoding[: -len("16")]
    kind = encoding if encoding in _TO_RGB else encoding.rstrip("0123456789")
    if kind == "rgb":
        return image
    if kind in ("yuv422", "uyvy", "yuv422_yuy2", "yuyv") and image.shape[1] % 2:
        raise MessageError(f"width: {message.width} is odd, which '{message.encoding}' cannot hold")
    if kind.startswith("bayer") and min(image.shape) < 2:
        raise MessageError(f"size: {message.width}×{message.height} is too small for '{message.encoding}'")
    return np.asarray(cv2.cvtColor(image, _TO_RGB[kind]), np.uint8)


def read_depth(message: Any) -> NDArray[np.float32]:
    """Image 16UC1 in millimetres (0 invalid) or 32FC1 in metres → (H, W) float32 metres, NaN invalid (REP-118).

    A CompressedImage of compressed_depth_image_transport is read too.
    """
    if not hasattr(message, "encoding"):
        return _valid(read_compressed_depth(message))
    if message.encoding not in ("16UC1", "mono16", "32FC1"):
        raise MessageError(f"encoding: '{message.encoding}' is no depth; expected 16UC1 (mm) or 32FC1 (m)")
    image = read_array(message)
    depth = image.astype(np.float32)
    if image.dtype == np.uint16:
        depth *= np.float32(1e-3)
    return _valid(depth)


_LEAST, _MOST = float(np.nextafter(np.float32(0), np.float32(1))), float(np.finfo(np.float32).max)


def _valid(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """NaN where there is no depth: where it is not above 0, infinite, or NaN.

    By OpenCV, which takes a sixth of the time of an assignment by mask where a third of the pixels has none.
    """
    nothing = cv2.bitwise_not(cv2.inRange(depth, _LEAST, _MOST))
    return np.asarray(cv2.copyTo(np.full_like(depth, np.nan), nothing, depth), np.float32)


def read_infrared(message: Any) -> NDArray[Any]:
    """Image mono8, 8UC1, mono16 or 16UC1 → (H, W) uint8 or uint16, unchanged; colour images are converted to grey.

    A CompressedImage of 8 or 16 bits is read too.
    """
    if not hasattr(message, "encoding"):
        image = decode(message, cv2.IMREAD_ANYDEPTH)
        return image if image.dtype == np.uint16 else image.astype(np.uint8, copy=False)
    if message.encoding in ("mono8", "8UC1", "mono16", "16UC1"):
        return read_array(message)
    if message.encoding == "32FC1":
        raise MessageError("encoding: '32FC1' is no infrared; expected mono8, mono16 or 16UC1")
    return np.asarray(cv2.cvtColor(read_rgb(message), cv2.COLOR_RGB2GRAY), np.uint8)


def read_array(message: Any) -> NDArray[Any]:
    """Image → (H, W) or (H, W, channels) array in its own encoding and the machine's byte order.

    Honours `step` and `is_bigendian`; a view of the message's data if no copy is needed.
    """
    width, height, step, encoding = message.width, message.height, message.step, message.encoding
    if encoding not in _PLAIN:
        raise MessageError(f"encoding: '{encoding}' is unknown; known are {', '.join(sorted(_PLAIN))}")
    if width <= 0 or height <= 0:
        raise MessageError(f"size: {width}×{height}, the image is empty")
    if width * height > MAX_PIXELS:
        raise MessageError(f"size: {width}×{height} is more than any camera has")
    code, channels = _PLAIN[encoding]
    dtype = np.dtype(("<", ">")[bool(message.is_bigendian)] + code)
    row_bytes = width * channels * dtype.itemsize
    if step < row_bytes:
        raise MessageError(f"step: {step} bytes, but a row of {width} pixels '{encoding}' needs {row_bytes}")
    data = as_bytes(message.data)
    if len(data) != step * height:
        raise MessageError(f"data: {len(data)} bytes, but step × height = {step} × {height} = {step * height}")
    rows = data.reshape(height, step)[:, :row_bytes]
    pixels = rows.view(dtype) if step == row_bytes else np.ascontiguousarray(rows).view(dtype)
    if channels > 1:
        pixels = pixels.reshape(height, width, channels)
    return pixels.astype(dtype.newbyteorder("="), copy=False)


def image_fields(image: NDArray[Any], encoding: str) -> dict[str, Any]:
    """(H, W) or (H, W, channels) array → the fields of an Image, except its header.

    The array's dtype and channels must be those of `encoding`. `data` is an array.array('B'), the only type that rclpy
    takes without a slow copy; `numpy_fields` converts it for rosbags.
    """
    code, channels = _PLAIN[encoding]
    shape = image.shape[:2] if channels == 1 else (*image.shape[:2], channels)
    if image.shape != shape or image.dtype != np.dtype(code):
        raise MessageError(f"encoding: '{encoding}' does not fit an array {image.dtype} {image.shape}")
    return {
        "height": image.shape[0],
        "width": image.shape[1],
        "encoding": encoding,
        "is_bigendian": int(not np.little_endian),
        "step": image.shape[1] * channels * image.dtype.itemsize,
        "data": byte_array(image),
    }


def compressed_fields(rgb: NDArray[np.uint8], kind: str = "jpeg", quality: int = 90) -> dict[str, Any]:
    """(H, W, 3) uint8 RGB → the fields of a CompressedImage, `kind` jpeg or png, except its header."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    _, data = cv2.imencode(f".{kind}", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    return {"format": f"rgb8; {kind} compressed bgr8", "data": byte_array(data)}


def png_fields(image: NDArray[np.uint8]) -> dict[str, Any]:
    """(H, W) uint8 → the fields of a CompressedImage as image_transport sends mono8 as PNG, except its header.

    Lossless: a JPEG would make other class ids of the labels at the borders.
    """
    _, data = cv2.imencode(".png", image, _FAST_PNG)
    return {"format": "mono8; png compressed ", "data": byte_array(data)}


def _read_planar(message: Any) -> NDArray[np.uint8]:
    width, height, step = message.width, message.height, message.step
    if width <= 0 or height <= 0 or width % 2 or height % 2:
        raise MessageError(f"size: {width}×{height}, which '{message.encoding}' cannot hold")
    if width * height > MAX_PIXELS:
        raise MessageError(f"size: {width}×{height} is more than any camera has")
    if step < width:
        raise MessageError(f"step: {step} bytes, but a row of {width} pixels '{message.encoding}' needs {width}")
    data, rows = as_bytes(message.data), height * 3 // 2
    if len(data) != step * rows:
        raise MessageError(f"data: {len(data)} bytes, but step × height × 1.5 = {step * rows}")
    planes = np.ascontiguousarray(data.reshape(rows, step)[:, :width])
    return np.asarray(cv2.cvtColor(planes, _PLANAR[message.encoding]), np.uint8)


def _read_compressed(message: Any, depth: BitDepth) -> NDArray[np.uint8]:
    """As image_transport sends it: `format` begins with the encoding of the original image.

    A Bayer mosaic is compressed unchanged, as a grey image ("bayer_rggb8; jpeg compressed ").
    """
    image = depth.eight(decode(message, cv2.IMREAD_UNCHANGED))
    channels = image.shape[2] if image.ndim == 3 else 1
    if channels > 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGB if channels == 4 else cv2.COLOR_BGR2RGB), np.uint8)
    encoding, _, packing = message.format.partition(";")
    kind = encoding.strip().lower().rstrip("0123456789")
    if not kind.startswith("bayer_") or packing.strip().endswith("mono8"):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    if kind not in _TO_RGB:
        raise MessageError(f"format: '{message.format}' has an unknown mosaic; known are rggb, bggr, gbrg, grbg")
    if min(image.shape) < 2:
        raise MessageError(f"size: {image.shape[1]}×{image.shape[0]} is too small for '{message.format}'")
    return np.asarray(cv2.cvtColor(image, _TO_RGB[kind]), np.uint8)


def _read_with_cv_bridge(message: Any) -> NDArray[np.uint8]:
    bridge = _cv_bridge()
    if bridge is None:
        raise MessageError(f"encoding: '{message.encoding}' is unknown; known are {', '.join(sorted(_PLAIN))}")
    try:
        return np.asarray(bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    except Exception as error:  # cv_bridge raises errors of many classes
        raise MessageError(f"encoding: '{message.encoding}': cv_bridge says {error}") from error


@lru_cache(maxsize=1)
def _cv_bridge() -> Any:
    try:
        from cv_bridge import CvBridge
    except Exception:  # missing, or built for another NumPy, which raises various errors
        return None
    return CvBridge()
