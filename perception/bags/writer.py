# SPDX-License-Identifier: Apache-2.0
"""Frames → rosbag2, as a vehicle would record them: one message per sensor and instant, no ROS needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.bags.geometry import serialise_links
from perception.bags.raw import STORAGES, TYPES, RawBagWriter, RawMessage, header, make, raw
from perception.frame import CameraModel, Frame
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, numpy_fields

__all__ = [
    "LIDAR_FRAME",
    "MODALITY_OF_TOPIC",
    "STORAGES",
    "TYPES",
    "BagWriter",
    "RawMessage",
    "serialise",
    "serialise_extrinsics",
    "write_bag",
]

LIDAR_FRAME = "lidar"
"""The frame id of the sweeps."""

MODALITY_OF_TOPIC = {"/image": "rgb", "/depth": "depth", "/infrared": "infrared", "/points": "lidar"}
"""The modality of a frame in each topic of `serialise`."""


def serialise(frame: Frame) -> Iterator[RawMessage]:
    """The messages of one frame, one per sensor: /image, /camera_info, /points, /depth, /infrared."""
    camera_frame = frame.camera.frame_id if frame.camera else "camera"

    def message(topic: str, name: str, frame_id: str, **fields: Any) -> RawMessage:
        fields = {"header": header(frame.stamp_ns, frame_id), **numpy_fields(fields)}
        return raw(topic, f"sensor_msgs/msg/{name}", frame.stamp_ns, fields)

    if frame.rgb is not None:
        yield message("/image", "Image", camera_frame, **image_fields(frame.rgb, "rgb8"))
    if frame.camera is not None:
        roi = make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
        yield message("/camera_info", "CameraInfo", camera_frame, roi=roi, **camera_info_fields(frame.camera))
    if frame.points is not None:
        cloud = cloud_fields(frame.points, TYPES.types["sensor_msgs/msg/PointField"])
        yield message("/points", "PointCloud2", LIDAR_FRAME, **cloud)
    if frame.depth is not None:
        yield message("/depth", "Image", camera_frame, **image_fields(frame.depth, "32FC1"))
    if frame.infrared is not None:
        encoding = "mono16" if frame.infrared.dtype == np.uint16 else "mono8"
        yield message("/infrared", "Image", camera_frame, **image_fields(frame.infrared, encoding))


def serialise_extrinsics(stamp_ns: int, lidar_to_camera: NDArray[np.float64], camera: CameraModel) -> RawMessage:
    """The /tf_static message with the camera's pose in the LiDAR frame."""
    camera_in_lidar = np.asarray(np.linalg.inv(lidar_to_camera), np.float64)
    return serialise_links("/tf_static", stamp_ns, [(LIDAR_FRAME, camera.frame_id, camera_in_lidar)])


class BagWriter:
    """Writes frames to a rosbag2 as they arrive; the bag gets its name when it is complete.

    path: the bag's folder, which must not exist. storage: "mcap" or "sqlite3". The extrinsics are taken from the
    first frame that has them. Use it as a context manager: if it is left by an exception, no bag stays behind.
    Raises DataError for an existing path, an unknown storage, and a bag without frames.
    """

    def __init__(self, path: Path | str, storage: str = "mcap") -> None:
        self.frames = 0
        self._writer = RawBagWriter(path, storage, content="frames")
        self.path = self._writer.path

    def __enter__(self) -> BagWriter:
        self._writer.__enter__()
        return self

    def write(self, frame: Frame) -> None:
        """Append the frame's messages, recorded at the frame's stamp."""
        told = "/tf_static" in self._writer.counts
        if not told and frame.lidar_to_camera is not None and frame.camera is not None:
            self._writer.write(serialise_extrinsics(frame.stamp_ns, frame.lidar_to_camera, frame.camera))
        for message in serialise(frame):
            self._writer.write(message)
        self.frames += 1

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._writer.__exit__(kind, *rest)


def write_bag(frames: Iterable[Frame], path: Path | str, storage: str = "mcap") -> int:
    """Write the frames to the bag `path` one by one and return their number. Raises DataError as BagWriter does."""
    with BagWriter(path, storage) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.frames
