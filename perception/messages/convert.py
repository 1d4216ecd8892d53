# SPDX-License-Identifier: Apache-2.0
"""ROS messages ↔ the project's arrays: the only code for this, used by the node and the bags.

Readers take rclpy's and rosbags' messages and raise MessageError, naming the field and the reason. Writers return
the fields of a message except its header: `Image(header=header, **image_fields(rgb, "rgb8"))` with rclpy,
`Image(header=header, **numpy_fields(image_fields(rgb, "rgb8")))` with rosbags.
"""

from __future__ import annotations

import array
from typing import Any

import numpy as np

from perception.frame import CameraModel
from perception.messages.cameras import read_view
from perception.messages.clouds import Sweep, cloud_fields, read_points, read_sweep
from perception.messages.images import (
    compressed_fields,
    image_fields,
    png_fields,
    read_array,
    read_depth,
    read_infrared,
    read_rgb,
)

__all__ = [
    "Sweep",
    "camera_info_fields",
    "cloud_fields",
    "compressed_fields",
    "image_fields",
    "numpy_fields",
    "png_fields",
    "read_array",
    "read_camera",
    "read_depth",
    "read_infrared",
    "read_points",
    "read_rgb",
    "read_sweep",
    "stamp_ns",
]


def read_camera(message: Any) -> CameraModel:
    """CameraInfo → the camera of its rectified image; `read_view` also returns the rest."""
    return read_view(message).model


def camera_info_fields(camera: CameraModel) -> dict[str, Any]:
    """The fields of a CameraInfo, except its header (and, with rosbags, its roi): rectified, without distortion."""
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
