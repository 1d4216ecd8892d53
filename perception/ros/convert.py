# SPDX-License-Identifier: Apache-2.0
"""ROS messages ↔ the project's arrays: the one place that both the node and the bags use.

Readers take rclpy's and rosbags' messages alike and raise MessageError, naming the field and the reason. Writers return
the fields of a message but for its header: `Image(header=header, **image_fields(rgb, "rgb8"))` with rclpy,
`Image(header=header, **numpy_fields(image_fields(rgb, "rgb8")))` with rosbags.
"""

from __future__ import annotations

import array
from typing import Any

import numpy as np

from perception.errors import FrameError, MessageError
from perception.frame import CameraModel
from perception.ros.buffers import MAX_PIXELS
from perception.ros.clouds import cloud_fields, read_points
from perception.ros.images import compressed_fields, image_fields, read_array, read_depth, read_infrared, read_rgb

__all__ = [
    "camera_info_fields",
    "cloud_fields",
    "compressed_fields",
    "image_fields",
    "numpy_fields",
    "read_array",
    "read_camera",
    "read_depth",
    "read_infrared",
    "read_points",
    "read_rgb",
    "stamp_ns",
]


def read_camera(message: Any) -> CameraModel:
    """CameraInfo → the rectified camera, P[:3, :3]; K where P is empty and the image has no distortion.

    With a region of interest it is the camera of that region. Its pixels are not binned: `resized` does that.
    """
    if message.width <= 0 or message.height <= 0:
        raise MessageError(f"size: {message.width}×{message.height}, the camera is not calibrated")
    if message.width * message.height > MAX_PIXELS:
        raise MessageError(f"size: {message.width}×{message.height} is more than any camera has")
    p = np.asarray(message.p, np.float64).reshape(3, 4)
    k = np.asarray(message.k, np.float64).reshape(3, 3)
    intrinsics = p[:, :3] if p[0, 0] else k
    if not intrinsics[0, 0]:
        raise MessageError("p and k: no focal length, the camera is not calibrated")
    if intrinsics is k and np.any(np.asarray(message.d)):
        raise MessageError("p: empty although d has distortion; rectify the image and set p")
    if not np.array_equal(intrinsics[2], [0, 0, 1]):
        raise MessageError(f"p: its third row begins with {intrinsics[2].tolist()}, expected 0, 0, 1")
    intrinsics, roi = intrinsics.copy(), message.roi
    intrinsics[:2, 2] -= roi.x_offset, roi.y_offset
    width, height = roi.width or message.width, roi.height or message.height  # zeros mean the whole image
    if roi.x_offset + width > message.width or roi.y_offset + height > message.height:
        raise MessageError(f"roi: {width}×{height} at {roi.x_offset}, {roi.y_offset} lies outside the image")
    try:
        return CameraModel(intrinsics, width, height, message.header.frame_id)
    except FrameError as error:
        raise MessageError(f"p: {error}") from error


def camera_info_fields(camera: CameraModel) -> dict[str, Any]:
    """The fields of a CameraInfo, but for its header (and, with rosbags, its roi): rectified, without distortion."""
    k = camera.intrinsics.reshape(9).copy()
    p = np.hstack([camera.intrinsics, np.zeros((3, 1))]).reshape(12)
    return {
        "height": camera.height,
        "width": camera.width,
        "distortion_model": "plumb_bob",
        "d": array.array("d", [0.0] * 5),
        "k": k,
        "r": np.eye(3).reshape(9),
        "p": p,
        "binning_x": 0,
        "binning_y": 0,
    }


def numpy_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The same fields with NumPy views in place of array.array, which rosbags cannot write."""
    return {
        name: np.frombuffer(value, value.typecode) if isinstance(value, array.array) else value
        for name, value in fields.items()
    }


def stamp_ns(message: Any) -> int:
    """The header's stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
