# SPDX-License-Identifier: Apache-2.0
"""Bags as people's rigs record them: their drivers' topics, frames, encodings and mounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.bags.geometry import serialise_links, vector
from perception.bags.raw import RawBagWriter, RawMessage, header, make, raw
from perception.bags.writer import TYPES
from perception.frame import CameraModel, Frame
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, numpy_fields
from perception.messages.images import compressed_fields

CAMERA = CameraModel(np.array([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]), 96, 64)
LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])
BESIDE = np.array([[1, 0, 0, 0.12], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
"""A camera 12 cm to the right of another."""


def frames(count: int = 3) -> list[Frame]:
    """Frames of every sensor, of random content: a depth around 8 m."""
    rng = np.random.default_rng(0)
    return [
        Frame(
            1_700_000_000_000_000_000 + number * 100_000_000,
            rgb=rng.integers(0, 256, (64, 96, 3), np.uint8),
            depth=rng.uniform(7.5, 8.5, (64, 96)).astype(np.float32),
            infrared=rng.integers(0, 60000, (64, 96), np.uint16),
            points=rng.uniform((4, -2, -1, 0), (20, 2, 1, 1), (300, 4)).astype(np.float32),
            camera=CAMERA,
            lidar_to_camera=LIDAR_TO_CAMERA,
        )
        for number in range(count)
    ]


def message(topic: str, kind: str, frame: Frame, frame_id: str, **fields: Any) -> RawMessage:
    """A message of sensor_msgs."""
    fields = {"header": header(frame.stamp_ns, frame_id), **numpy_fields(fields)}
    return raw(topic, f"sensor_msgs/msg/{kind}", frame.stamp_ns, fields)


def info(topic: str, frame: Frame, frame_id: str) -> RawMessage:
    """The frame's camera under another name."""
    assert frame.camera is not None
    roi = make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return message(topic, "CameraInfo", frame, frame_id, roi=roi, **camera_info_fields(frame.camera))


def image(topic: str, frame: Frame, frame_id: str, pixels: NDArray[Any], encoding: str) -> RawMessage:
    """An Image."""
    return message(topic, "Image", frame, frame_id, **image_fields(pixels, encoding))


def cloud(topic: str, frame: Frame, frame_id: str) -> RawMessage:
    """The frame's sweep."""
    assert frame.points is not None
    fields = cloud_fields(frame.points, TYPES.types["sensor_msgs/msg/PointField"])
    return message(topic, "PointCloud2", frame, frame_id, **fields)


def odometry(topic: str, frame: Frame) -> RawMessage:
    """A vehicle that stands."""
    no = make("geometry_msgs/msg/Twist", linear=vector((0, 0, 0)), angular=vector((0, 0, 0)))
    still = make(
        "geometry_msgs/msg/Pose",
        position=vector((0, 0, 0), "Point"),
        orientation=make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
    )
    unknown = np.zeros(36)
    fields = {
        "header": header(frame.stamp_ns, "odom"),
        "child_frame_id": "base_link",
        "pose": make("geometry_msgs/msg/PoseWithCovariance", pose=still, covariance=unknown),
        "twist": make("geometry_msgs/msg/TwistWithCovariance", twist=no, covariance=unknown),
    }
    return raw(topic, "nav_msgs/msg/Odometry", frame.stamp_ns, fields)


def mount_of(frame: Frame) -> NDArray[np.float64]:
    """(4, 4) where the camera sits, seen from the LiDAR."""
    assert frame.lidar_to_camera is not None
    return np.asarray(np.linalg.inv(frame.lidar_to_camera), np.float64)


def stereo(frame: Frame) -> Iterable[RawMessage]:
    """A stereo camera whose driver matches the depth."""
    eye, node = "zed_left_camera_optical_frame", "/zed/zed_node"
    assert frame.rgb is not None
    assert frame.depth is not None
    yield image(f"{node}/left/image_rect_color", frame, eye, frame.rgb, "rgb8")
    yield info(f"{node}/left/camera_info", frame, eye)
    yield image(f"{node}/right/image_rect_color", frame, eye.replace("left", "right"), frame.rgb, "rgb8")
    yield info(f"{node}/right/camera_info", frame, eye.replace("left", "right"))
    yield image(f"{node}/depth/depth_registered", frame, eye, frame.depth, "32FC1")
    yield info(f"{node}/depth/camera_info", frame, eye)
    yield image(f"{node}/confidence/confidence_map", frame, eye, frame.depth, "32FC1")
    yield odometry(f"{node}/odom", frame)


def thermal(frame: Frame) -> Iterable[RawMessage]:
    """A camera and a thermal camera beside it, placed by TF."""
    assert frame.rgb is not None
    assert frame.infrared is not None
    yield serialise_links("/tf_static", frame.stamp_ns, [("camera_optical", "boson_optical", BESIDE)])
    yield image("/camera/image_color", frame, "camera_optical", frame.rgb[..., ::-1], "bgr8")
    yield info("/camera/camera_info", frame, "camera_optical")
    yield image("/flir_boson/image_raw", frame, "boson_optical", frame.infrared, "mono16")
    yield info("/flir_boson/camera_info", frame, "boson_optical")


def lidar(frame: Frame) -> Iterable[RawMessage]:
    """A camera and a LiDAR on a roof, mounted from base_link."""
    assert frame.rgb is not None
    links = [("base_link", "os_lidar", np.eye(4)), ("base_link", "front_optical", mount_of(frame))]
    yield serialise_links("/tf_static", frame.stamp_ns, links)
    yield image("/front/image_rect", frame, "front_optical", frame.rgb, "rgb8")
    yield info("/front/camera_info", frame, "front_optical")
    yield cloud("/ouster/points", frame, "os_lidar")


def radar(frame: Frame) -> Iterable[RawMessage]:
    """The same with a radar, whose driver sends no cross-section."""
    links = [("base_link", "radar_front", np.eye(4))]
    yield serialise_links("/tf_static", frame.stamp_ns, links)
    yield from lidar(frame)
    yield cloud("/ars408/radar_points", frame, "radar_front")


def robot(frame: Frame) -> Iterable[RawMessage]:
    """An RGB-D camera with aligned depth in millimetres, a cloud of its own, and two infrared eyes."""
    eye, node = "camera_color_optical_frame", "/camera/camera"
    assert frame.rgb is not None
    assert frame.depth is not None
    millimetres = np.nan_to_num(frame.depth * 1000, posinf=0).clip(0, 65535).astype(np.uint16)
    yield image(f"{node}/color/image_raw", frame, eye, frame.rgb, "rgb8")
    yield info(f"{node}/color/camera_info", frame, eye)
    yield image(f"{node}/depth/image_rect_raw", frame, "camera_depth_optical_frame", millimetres, "16UC1")
    yield image(f"{node}/aligned_depth_to_color/image_raw", frame, eye, millimetres, "16UC1")
    yield info(f"{node}/aligned_depth_to_color/camera_info", frame, eye)
    yield odometry("/wheel/odom", frame)


def compressed(frame: Frame) -> Iterable[RawMessage]:
    """Nothing but compressed images, as recorders keep them, and a LiDAR."""
    assert frame.rgb is not None
    assert frame.depth is not None
    millimetres = np.nan_to_num(frame.depth * 1000, posinf=0).clip(0, 65535).astype(np.uint16)
    packed = b"\0" * 12 + cv2.imencode(".png", millimetres)[1].tobytes()
    depth = {"format": "16UC1; compressedDepth png", "data": np.frombuffer(packed, np.uint8)}
    yield serialise_links("/tf_static", frame.stamp_ns, [("velodyne", "cam_front", mount_of(frame))])
    yield message(
        "/cam_front/image_raw/compressed", "CompressedImage", frame, "cam_front", **compressed_fields(frame.rgb)
    )
    yield info("/cam_front/camera_info", frame, "cam_front")
    yield message("/cam_front/depth/compressedDepth", "CompressedImage", frame, "cam_front", **depth)
    yield cloud("/velodyne_points", frame, "velodyne")


def write(path: Path, rig: Callable[[Frame], Iterable[RawMessage]], of: Sequence[Frame] | None = None) -> Path:
    """The bag of that rig, of these frames or of `frames()`."""
    with RawBagWriter(path) as writer:
        for number, frame in enumerate(of or frames()):
            for each in rig(frame):
                if not number or each.topic != "/tf_static":
                    writer.write(each)
    return path
