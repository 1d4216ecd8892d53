# SPDX-License-Identifier: Apache-2.0
"""Frames → rosbag2, as a vehicle would have recorded them: one message per sensor and instant, no ROS needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.ros.convert import camera_info_fields, cloud_fields, image_fields, numpy_fields

LIDAR_FRAME = "lidar"
"""The frame id of the sweeps."""

STORAGES: dict[str, StoragePlugin] = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
"""The rosbag2 storages that can be written, by the name that `ros2 bag -s` has for them."""

TYPES = get_typestore(Stores.ROS2_JAZZY)


class RawMessage(NamedTuple):
    """A serialised message. stamp_ns: when it was recorded. data: CDR with its encapsulation header."""

    topic: str
    type: str
    stamp_ns: int
    data: bytes


def serialise(frame: Frame) -> Iterator[RawMessage]:
    """The messages of one frame, one per sensor: /image, /camera_info, /points, /depth, /infrared."""
    camera_frame = frame.camera.frame_id if frame.camera else "camera"

    def message(topic: str, name: str, frame_id: str, **fields: Any) -> RawMessage:
        fields = {"header": _header(frame.stamp_ns, frame_id), **numpy_fields(fields)}
        return _raw(topic, f"sensor_msgs/msg/{name}", frame.stamp_ns, fields)

    if frame.rgb is not None:
        yield message("/image", "Image", camera_frame, **image_fields(frame.rgb, "rgb8"))
    if frame.camera is not None:
        roi = _make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
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
    """The /tf_static message that says where the camera is mounted, seen from the LiDAR."""
    camera_in_lidar = np.linalg.inv(lidar_to_camera)
    rotation = cv2.Rodrigues(camera_in_lidar[:3, :3])[0].ravel()
    angle = float(np.linalg.norm(rotation))
    axis = rotation / angle if angle else rotation
    x, y, z = (axis * np.sin(angle / 2)).tolist()
    tx, ty, tz = camera_in_lidar[:3, 3].tolist()
    transform = _make(
        "geometry_msgs/msg/Transform",
        translation=_make("geometry_msgs/msg/Vector3", x=tx, y=ty, z=tz),
        rotation=_make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=float(np.cos(angle / 2))),
    )
    header = _header(stamp_ns, LIDAR_FRAME)
    stamped = _make(
        "geometry_msgs/msg/TransformStamped", header=header, child_frame_id=camera.frame_id, transform=transform
    )
    return _raw("/tf_static", "tf2_msgs/msg/TFMessage", stamp_ns, {"transforms": [stamped]})


class BagWriter:
    """Writes frames to a rosbag2 as they come; the bag appears under its name when it is whole.

    path: the bag's folder, which must not exist. storage: "mcap" or "sqlite3". The extrinsics are taken from the
    first frame that has them. Use it as a context manager: leaving it by an exception leaves no bag behind.
    Raises DataError for a path that is taken, an unknown storage, and a bag that got no frame.
    """

    def __init__(self, path: Path | str, storage: str = "mcap") -> None:
        self.path = Path(path)
        self.frames = 0
        if storage not in STORAGES:
            raise DataError(f"bag storage '{storage}' is unknown; take one of {', '.join(STORAGES)}")
        if self.path.exists():
            raise DataError(f"{self.path}: exists already; remove it or name another folder")
        # The file inside a bag carries the folder's name, so the unfinished bag has its final name in a folder aside.
        self._partial = self.path.with_name(f".{self.path.name}.partial")
        shutil.rmtree(self._partial, ignore_errors=True)  # what a killed run left
        self._writer = Writer(self._partial / self.path.name, version=9, storage_plugin=STORAGES[storage])
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def write(self, frame: Frame) -> None:
        """Append the frame's messages, recorded at the frame's stamp."""
        if "/tf_static" not in self._connections and frame.lidar_to_camera is not None and frame.camera is not None:
            self._write(serialise_extrinsics(frame.stamp_ns, frame.lidar_to_camera, frame.camera))
        for message in serialise(frame):
            self._write(message)
        self.frames += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.frames:
            self._writer.close()
            (self._partial / self.path.name).rename(self.path)
        else:
            self._writer.abort()
        shutil.rmtree(self._partial, ignore_errors=True)
        if kind is None and not self.frames:
            raise DataError(f"{self.path}: no frames to write; is the drive empty?")

    def _write(self, message: RawMessage) -> None:
        connection = self._connections.get(message.topic)
        if connection is None:
            latched = message.topic == "/tf_static"
            connection = self._writer.add_connection(
                message.topic, message.type, typestore=TYPES, offered_qos_profiles=[_qos(latched)]
            )
            self._connections[message.topic] = connection
        self._writer.write(connection, message.stamp_ns, message.data)


def write_bag(frames: Iterable[Frame], path: Path | str, storage: str = "mcap") -> int:
    """Write the frames to the bag `path` one by one and return their number. Raises DataError as BagWriter does."""
    with BagWriter(path, storage) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.frames


def _make(type_name: str, **fields: Any) -> Any:
    return TYPES.types[type_name](**fields)


def _header(stamp_ns: int, frame_id: str) -> Any:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    stamp = _make("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)
    return _make("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)


def _raw(topic: str, type_name: str, stamp_ns: int, fields: dict[str, Any]) -> RawMessage:
    message = _make(type_name, **fields)
    return RawMessage(topic, type_name, stamp_ns, bytes(TYPES.serialize_cdr(message, type_name)))


def _qos(latched: bool) -> Qos:
    durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
    # Reliable, because such a publisher serves subscribers of either kind, RViz among them.
    never = QosTime(2147483647, 4294967295)
    return Qos(
        QosHistory.KEEP_LAST, 1 if latched else 5, QosReliability.RELIABLE, durability,
        never, never, QosLiveliness.AUTOMATIC, never, False,
    )  # fmt: skip
