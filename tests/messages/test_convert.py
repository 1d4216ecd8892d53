# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from perception.errors import MessageError
from perception.frame import CameraModel
from perception.messages import convert

WHOLE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
"""The region of interest of a camera without one."""
CAMERA = CameraModel(np.array([[700.0, 0, 600], [0, 710, 180], [0, 0, 1]]), 1242, 375, "camera_color_left")


def info(**changes: Any) -> SimpleNamespace:
    header = SimpleNamespace(frame_id=CAMERA.frame_id)
    return SimpleNamespace(**{"header": header, "roi": WHOLE, **convert.camera_info_fields(CAMERA), **changes})


def test_camera_info_round_trip() -> None:
    got = convert.read_camera(info())
    np.testing.assert_array_equal(got.intrinsics, CAMERA.intrinsics)
    assert (got.width, got.height, got.frame_id) == (1242, 375, "camera_color_left")


def test_rectified_p_wins_over_k_and_k_stands_in_without_distortion() -> None:
    raw = np.diag([900.0, 900.0, 1.0]).reshape(9)
    np.testing.assert_array_equal(convert.read_camera(info(k=raw)).intrinsics, CAMERA.intrinsics)
    np.testing.assert_array_equal(convert.read_camera(info(k=raw, p=np.zeros(12))).intrinsics, raw.reshape(3, 3))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": 0}, "^size: "),
        ({"p": np.zeros(12), "k": np.zeros(9)}, "no focal length"),
        ({"p": np.zeros(12), "d": [0.1] * 5}, "rectify"),
        ({"p": np.full(12, np.nan)}, "^p: "),
        ({"p": np.array([700.0, 0, 600, 0, 0, 700, 180, 0, 0, 0, 0, 0])}, "^p: its third row"),
        ({"width": 100_000, "height": 100_000}, "^size: .* more than any camera"),
        ({"roi": SimpleNamespace(x_offset=1000, y_offset=0, width=400, height=300)}, "^roi: .* outside"),
    ],
)
def test_uncalibrated_cameras_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        convert.read_camera(info(**changes))


def test_a_region_of_interest_moves_the_principal_point() -> None:
    got = convert.read_camera(info(roi=SimpleNamespace(x_offset=100, y_offset=20, width=800, height=300)))
    assert (got.width, got.height) == (800, 300)
    np.testing.assert_array_equal(got.intrinsics, [[700, 0, 500], [0, 710, 160], [0, 0, 1]])


def test_rosbags_messages_round_trip() -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=3, nanosec=7)
    header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")

    def through_cdr(message: Any) -> Any:
        return store.deserialize_cdr(store.serialize_cdr(message, message.__msgtype__), message.__msgtype__)

    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    fields = convert.numpy_fields(convert.image_fields(rgb, "rgb8"))
    message = through_cdr(types["sensor_msgs/msg/Image"](header=header, **fields))
    np.testing.assert_array_equal(convert.read_rgb(message), rgb)
    assert convert.stamp_ns(message) == 3_000_000_007

    points = np.random.default_rng(0).random((9, 4), np.float32)
    fields = convert.numpy_fields(convert.cloud_fields(points, types["sensor_msgs/msg/PointField"]))
    message = through_cdr(types["sensor_msgs/msg/PointCloud2"](header=header, **fields))
    np.testing.assert_array_equal(convert.read_points(message), points)

    roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    fields = convert.numpy_fields(convert.camera_info_fields(CAMERA))
    message = through_cdr(types["sensor_msgs/msg/CameraInfo"](header=header, roi=roi, **fields))
    np.testing.assert_array_equal(convert.read_camera(message).intrinsics, CAMERA.intrinsics)
