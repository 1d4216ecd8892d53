# SPDX-License-Identifier: Apache-2.0
"""KITTI's images, sweeps and labelled boxes → messages."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.bags.geometry import pose, vector
from perception.bags.raw import TYPES, RawMessage, header, make, raw
from perception.datasets.io.encoded_image import EncodedImage, read_encoded
from perception.datasets.kitti.recording import VELODYNE, Box, Camera
from perception.errors import DataError
from perception.messages.convert import cloud_fields, numpy_fields

CLOUD_TOPIC, MARKER_TOPIC = "/kitti/velo/pointcloud", "/kitti/tracklets"

_CUBE, _ADD, _DELETE_ALL = 1, 0, 3
_HALF_TRANSPARENT = 0.5


def image_topic(camera: Camera, compressed: bool) -> str:
    """The topic of the camera's images."""
    return f"/kitti/{camera.name}/image_raw" + ("/compressed" if compressed else "")


def info_topic(camera: Camera) -> str:
    """The topic of the camera's calibration."""
    return f"/kitti/{camera.name}/camera_info"


def image_messages(camera: Camera, path: Path, stamp_ns: int, compressed: bool) -> list[RawMessage]:
    """Image (rgb8 or mono8) or CompressedImage (the unchanged file), and the CameraInfo of the same stamp."""
    image = read_encoded(path)
    if image.size != camera.calibration.size:
        got, expected = ("×".join(map(str, size)) for size in (image.size, camera.calibration.size))
        raise DataError(f"{path}: {got} pixels, expected {expected} as in this camera's first image")
    if compressed:
        kind, fields = "CompressedImage", _compressed(image)
    else:
        kind, fields = "Image", _decoded(image, path, camera.colour)
    fields = {"header": header(stamp_ns, camera.frame_id), **fields}
    message = raw(image_topic(camera, compressed), f"sensor_msgs/msg/{kind}", stamp_ns, fields)
    return [message, _camera_info(camera, stamp_ns)]


def cloud_message(points: NDArray[np.float32], stamp_ns: int) -> RawMessage:
    """PointCloud2 of (N, 4) x, y, z, intensity."""
    layout = numpy_fields(cloud_fields(points[:0], TYPES.types["sensor_msgs/msg/PointField"]))
    fields = {
        **layout,
        "header": header(stamp_ns, VELODYNE),
        "width": len(points),
        "row_step": layout["point_step"] * len(points),
        "data": points.astype("<f4", copy=False).reshape(-1).view(np.uint8),
    }
    return raw(CLOUD_TOPIC, "sensor_msgs/msg/PointCloud2", stamp_ns, fields)


def marker_message(boxes: list[Box], stamp_ns: int) -> RawMessage:
    """MarkerArray: removes the markers of the previous sweep, then a cube per object, its class as namespace."""
    markers = [_marker(stamp_ns, _DELETE_ALL), *(_cube(box, stamp_ns) for box in boxes)]
    return raw(MARKER_TOPIC, "visualization_msgs/msg/MarkerArray", stamp_ns, {"markers": markers})


def _compressed(image: EncodedImage) -> dict[str, Any]:
    # As image_transport writes it: the original encoding, and the encoding after decoding.
    was, gives = ("mono8", "mono8") if image.channels == 1 else ("rgb8", "bgr8")
    return {"format": f"{was}; {image.kind} compressed {gives}", "data": np.frombuffer(image.data, np.uint8)}


def _decoded(image: EncodedImage, path: Path, colour: bool) -> dict[str, Any]:
    pixels = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise DataError(f"{path}: {len(image.data)} bytes that OpenCV cannot decode as an image")
    if colour:
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
    # Not with image_fields, whose copy for rclpy would cost a fifth of the conversion's time.
    return {
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "encoding": "rgb8" if colour else "mono8",
        "is_bigendian": 0,
        "step": pixels.strides[0],
        "data": pixels.reshape(-1),
    }


def _camera_info(camera: Camera, stamp_ns: int) -> RawMessage:
    calibration = camera.calibration
    width, height = calibration.size
    fields = {
        "header": header(stamp_ns, camera.frame_id),
        "height": height,
        "width": width,
        "distortion_model": "plumb_bob",
        "d": calibration.d,
        "k": calibration.k.reshape(9),
        "r": calibration.r.reshape(9),
        "p": calibration.p.reshape(12),
        "binning_x": 0,
        "binning_y": 0,
        "roi": make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    }
    return raw(info_topic(camera), "sensor_msgs/msg/CameraInfo", stamp_ns, fields)


def _cube(box: Box, stamp_ns: int) -> Any:
    hue = zlib.crc32(box.object_type.encode()) % 180  # OpenCV's hue: each class always has the same colour of its own
    blue, green, red = (cv2.cvtColor(np.array([[[hue, 200, 255]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0] / 255).tolist()
    return _marker(
        stamp_ns,
        _ADD,
        ns=box.object_type,
        id=box.number,
        pose=pose(box.pose),
        scale=vector(box.size),
        color=make("std_msgs/msg/ColorRGBA", r=red, g=green, b=blue, a=_HALF_TRANSPARENT),
    )


def _marker(stamp_ns: int, action: int, **fields: Any) -> Any:
    nowhere, empty = vector((0, 0, 0)), np.zeros(0, np.uint8)
    texture = make("sensor_msgs/msg/CompressedImage", header=header(0, ""), format="", data=empty)
    default: dict[str, Any] = {
        "header": header(stamp_ns, VELODYNE),
        "ns": "",
        "id": 0,
        "type": _CUBE,
        "action": action,
        "pose": pose(np.eye(4)),
        "scale": nowhere,
        "color": make("std_msgs/msg/ColorRGBA", r=0.0, g=0.0, b=0.0, a=0.0),
        "lifetime": make("builtin_interfaces/msg/Duration", sec=0, nanosec=0),
        "frame_locked": False,
        "points": [],
        "colors": [],
        "texture_resource": "",
        "texture": texture,
        "uv_coordinates": [],
        "text": "",
        "mesh_resource": "",
        "mesh_file": make("visualization_msgs/msg/MeshFile", filename="", data=empty),
        "mesh_use_embedded_materials": False,
    }
    return make("visualization_msgs/msg/Marker", **{**default, **fields})
