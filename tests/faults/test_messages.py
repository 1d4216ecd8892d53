# SPDX-License-Identifier: Apache-2.0
"""Messages that are broken, strange or huge: they are dropped and named, and the other sensors go on."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from helpers.drive import Drive, Note, is_level
from helpers.vehicle import CAMERA, picture, wait_for
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField

from perception.frame import CameraModel
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields

WARN = b"\x01"


def changed(**fields: Any) -> Callable[[Any], Iterable[tuple[float, Any]]]:
    """A fault that sets fields of every message."""

    def fault(message: Any) -> Iterable[tuple[float, Any]]:
        for name, value in fields.items():
            setattr(message, name, value)
        return ((0.0, message),)

    return fault


BROKEN_IMAGES = {
    "half the data": ({"data": array("B", bytes(100))}, "data: "),
    "no data": ({"data": array("B")}, "data: "),
    "a wrong step": ({"step": 7}, "step: "),
    "0x0": ({"width": 0, "height": 0}, "size: "),
    "more than any camera has": ({"width": 1 << 20, "height": 1 << 20}, "size: "),
    "a step that overflows": ({"step": 0xFFFFFFFF}, "data: "),
    "an unknown encoding": ({"encoding": "fancy8"}, "encoding: "),
    "an encoding of other bytes": ({"encoding": "16UC1"}, "encoding: "),
}


@pytest.mark.parametrize("name", BROKEN_IMAGES)
def test_broken_images_leave_the_lidar(well: Drive, record_property: Note, name: str) -> None:
    fields, reason = BROKEN_IMAGES[name]
    well.faults["rgb"] = changed(**fields)
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: well.statuses()["rgb"][0] == WARN and well.statuses()["rgb"][1].startswith(reason), 5)
    well.expect_recovery(record_property)


def points(values: Any) -> dict[str, Any]:
    """Fields of a cloud."""
    return cloud_fields(np.asarray(values, np.float32), PointField)


def without(name: str) -> list[Any]:
    """Fields without one of their own."""
    return [field for field in points([[1, 2, 3, 0]])["fields"] if field.name != name]


BROKEN_CLOUDS = {
    "NaN alone": (points(np.full((50, 4), np.nan)), "data: "),
    "infinity alone": (points(np.full((50, 4), np.inf)), "data: "),
    "no points": ({"width": 0, "data": array("B")}, "size: "),
    "half the data": ({"data": array("B", bytes(20))}, "data: "),
    "no z": ({"fields": without("z")}, "fields: "),
    "a point step of 0": ({"point_step": 0}, "point_step: "),
    "a row step too short": ({"row_step": 3}, "row_step: "),
    "more points than any LiDAR sends": ({"width": 1 << 30, "height": 2}, "size: "),
}


@pytest.mark.parametrize("name", BROKEN_CLOUDS)
def test_broken_sweeps_leave_the_camera(well: Drive, record_property: Note, name: str) -> None:
    fields, reason = BROKEN_CLOUDS[name]
    well.faults["lidar"] = changed(**fields)
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: well.statuses()["lidar"][0] == WARN and well.statuses()["lidar"][1].startswith(reason), 5)
    well.expect_recovery(record_property)


def test_points_that_are_huge_or_no_numbers_are_left_out(well: Drive, record_property: Note) -> None:
    values = np.tile(np.array([10.0, 2, 0, 0.5], np.float32), (60, 1))
    values[::3], values[1::3] = np.nan, 3e38
    well.faults["lidar"] = changed(**points(values))
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: set(stamps) & well.with_lidar(), 5)
    well.expect_recovery(record_property)


UNINFORMATIVE_IMAGES = {
    "frozen": (picture(160), "rgb is frozen: ", "dropped_frozen"),
    "black": (np.zeros((96, 320, 3), np.uint8), "rgb is black: ", "dropped_no_information"),
}


@pytest.mark.parametrize("name", UNINFORMATIVE_IMAGES)
def test_images_that_tell_nothing_leave_the_lidar(well: Drive, record_property: Note, name: str) -> None:
    image, reason, counted = UNINFORMATIVE_IMAGES[name]
    well.faults["rgb"] = changed(**image_fields(image, "rgb8"))
    stamps = well.for_seconds(1.5)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: well.statuses()["rgb"][0] == WARN and well.statuses()["rgb"][1].startswith(reason), 5)
    wait_for(lambda: int(well.statuses()["rgb"][2].get(counted, 0)) > 3, 5)
    wait_for(lambda: "without rgb" in well.fusion()[1], 5)
    well.expect_recovery(record_property)


def test_two_million_points(well: Drive, record_property: Note) -> None:
    sent: list[int] = []
    cloud = points(np.random.default_rng(0).uniform(-60, 60, (2_000_000, 4)))

    def huge(message: Any) -> Iterable[tuple[float, Any]]:
        sent.append(1)
        return ((0.0, PointCloud2(header=message.header, **cloud)),) if len(sent) == 1 else ()

    well.faults["lidar"] = huge
    well.for_seconds(1.0)
    well.expect_recovery(record_property)


def test_an_image_of_8k(well: Drive, record_property: Note) -> None:
    sent: list[int] = []
    fields = image_fields(np.full((4320, 7680, 3), 32, np.uint8), "rgb8")

    def huge(message: Any) -> Iterable[tuple[float, Any]]:
        if not sent:
            sent.append(1)
            return changed(**fields)(message)
        return ((0.0, message),)

    well.faults["rgb"] = huge
    well.for_seconds(1.0)
    well.expect_recovery(record_property)


def test_the_byte_order_flag_lies(well: Drive, record_property: Note) -> None:
    """Bytes have no order: an rgb8 image is the same, and the cloud's floats are nonsense that hurts nobody."""
    well.faults["rgb"], well.faults["lidar"] = changed(is_bigendian=1), changed(is_bigendian=True)
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    assert all(is_level(well.labels()[stamp], well.level) for stamp in well.answered(stamps))
    well.expect_recovery(record_property)


@pytest.mark.parametrize("size", [(160, 48), (640, 192), (101, 37)])
def test_the_resolution_changes_in_flight(well: Drive, record_property: Note, size: tuple[int, int]) -> None:
    width, height = size
    picture = np.full((height, width, 3), 32, np.uint8)
    picture[:, : width // 2, 0] = well.level
    well.faults["rgb"] = changed(**image_fields(picture, "rgb8"))
    stamps = well.for_seconds(1.5)
    wait_for(lambda: well.newest(stamps), 10)
    message = well.newest(stamps)
    assert (message.width, message.height) == size
    well.expect_recovery(record_property)


def test_the_encoding_changes_in_flight(well: Drive, record_property: Note) -> None:
    picture, rng = np.full((96, 320, 4), 32, np.uint8), np.random.default_rng(0)
    picture[:, :160, 2] = 96

    def encoded(message: Any) -> Iterable[tuple[float, Any]]:
        picture[..., 0] = rng.integers(0, 64, picture.shape[:2])  # noise: the same picture again would be frozen
        return changed(**image_fields(picture, "bgra8"))(message)

    well.faults["rgb"] = encoded
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    assert is_level(well.newest(stamps), 96)
    well.expect_recovery(record_property)


def test_the_calibration_changes_in_flight(well: Drive, record_property: Note) -> None:
    """A camera of a narrow view sees none of the points; one that is not calibrated, or cannot be, changes nothing."""
    k = CAMERA.intrinsics.copy()
    k[0, 0] = 2000.0
    narrow = CameraModel(k, CAMERA.width, CAMERA.height, "left")
    well.faults["info"] = changed(**camera_info_fields(narrow))
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)

    def unseen() -> bool:
        cloud = well.all("/perception/points")[-1]
        offset = next(field.offset for field in cloud.fields if field.name == "label")
        raw = np.frombuffer(cloud.data, np.uint8).reshape(-1, cloud.point_step)
        return bool((raw[:, offset] == 255).all())

    wait_for(unseen, 5)
    well.faults["info"] = changed(k=np.zeros(9), p=np.zeros(12))
    stamps = well.for_seconds(1.0)
    wait_for(lambda: "/camera_info: p and k: no focal length" in well.statuses()["rgb"][1], 5)
    assert well.statuses()["rgb"][0] == b"\x01"
    well.expect_answers(stamps, record_property)
    k[0, 2] = -5000.0
    well.faults["info"] = changed(k=k.ravel(), p=np.hstack([k, np.zeros((3, 1))]).ravel())
    well.for_seconds(1.0)
    wait_for(lambda: "/camera_info: p: principal point -5000, 48 lies outside" in well.statuses()["rgb"][1], 5)
    well.expect_recovery(record_property)


def test_the_frame_changes_in_flight(well: Drive, record_property: Note) -> None:
    def renamed(message: Any) -> Iterable[tuple[float, Any]]:
        copy = deserialize_message(serialize_message(message), type(message))
        copy.header.frame_id = "somewhere"
        return ((0.0, copy),)

    well.faults |= {"rgb": renamed, "info": renamed, "lidar": renamed}
    stamps = well.for_seconds(1.5)
    well.expect_answers(stamps, record_property)
    assert well.newest(stamps).header.frame_id == "somewhere"
    well.expect_recovery(record_property)
