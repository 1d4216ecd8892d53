# SPDX-License-Identifier: Apache-2.0
"""Faults are added to a correct drive's bag, one at a time: the check must report that finding and no other."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.kitti import raw_drive
from helpers.rewritten_bag import rewritten, write

from perception.assembly.transforms import transform_matrix
from perception.bags.geometry import serialise_links
from perception.bags.kitti.bag import serialise_recording
from perception.bags.raw import RawBagWriter, RawMessage, header, make, raw
from perception.bags.writer import TYPES
from perception.checking.check import Report, check
from perception.checking.findings import INFO, KINDS
from perception.datasets.kitti.layouts import open_drive
from perception.messages.convert import image_fields, numpy_fields, read_array, read_depth, read_infrared

Messages = list[RawMessage]
Fault = Callable[[Messages], Messages]


def looked_at(path: Path, **options: Any) -> Report:
    return check(path, looked_at=9, **options)


def codes(report: Report) -> set[str]:
    """The findings more severe than INFO."""
    return {each.code for each in report.findings if each.severity != INFO}


def test_a_good_drive_is_clean(good_bag: Path) -> None:
    report = looked_at(good_bag)
    assert report.findings == []
    assert (report.frames, report.looked_at) == (18, 9)
    assert {row.topic: row.rate_hz for row in report.topics}["/points"] == 10.0
    assert {name: each.share for name, each in report.pairs.items()} == {"depth": 1, "infrared": 1, "lidar": 1}
    for name in ("lidar", "depth", "TF of 'base_footprint'"):
        assert report.planes[name].height == pytest.approx(1.65, abs=0.1)
    assert "no turn of the sweep" in report.alignment


def test_a_real_drive_is_clean(real_data: Path) -> None:
    report = check(real_data / "kitti_raw/2011_09_26/2011_09_26_drive_0005_sync", looked_at=8)
    assert report.findings == []
    assert report.planes["lidar"].height == pytest.approx(1.65, abs=0.12)


def test_a_converted_drive_is_clean(tmp_path: Path, real_data: Path) -> None:
    """kitti2bag's names and every sensor's own stamps; arrival times of a converted drive are unknown."""
    drive = real_data / "kitti_raw/2011_09_26/2011_09_26_drive_0005_sync"
    with RawBagWriter(tmp_path / "bag") as writer:
        for message in serialise_recording(open_drive(drive), threads=1):
            writer.write(message)
    report = check(tmp_path / "bag", looked_at=8)
    assert [(each.code, each.what) for each in report.findings] == [("topics-named", "topics from kitti2bag")]
    assert report.pairs["lidar"].offset_ms_p50 == pytest.approx(-10.3, abs=3)


def test_a_drive_on_disk_is_looked_at_without_any_bag(tmp_path: Path) -> None:
    report = looked_at(raw_drive(tmp_path / "kitti", cameras=(2,)))
    assert report.frames == 3
    assert "too-short" in {each.code for each in report.findings}


def test_what_publishers_offered_is_compared_with_what_is_asked(messages: Messages, tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", messages, "sqlite3")
    metadata, latched = bag / "metadata.yaml", "durability: transient_local"
    assert latched in metadata.read_text()
    metadata.write_text(metadata.read_text().replace(latched, "durability: volatile"))
    with closing(sqlite3.connect(next(bag.glob("*.db3")))) as file, file:
        change = "UPDATE topics SET offered_qos_profiles = replace(offered_qos_profiles, ?, 'durability: volatile')"
        file.execute(change, (latched,))
    report = looked_at(bag)
    assert [(each.code, each.where) for each in report.findings] == [("qos-mismatch", "/tf_static")]
    assert "a node that starts later never hears it" in report.findings[0].what


def test_a_bag_that_breaks_off_is_told_and_its_beginning_looked_at(good_bag: Path, tmp_path: Path) -> None:
    bag = Path(shutil.copytree(good_bag, tmp_path / "good"))
    (file,) = bag.glob("*.mcap")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    report = looked_at(bag)
    assert codes(report) == {"bag-broken"}
    assert report.looked_at > 0


def test_a_bag_without_sensors(messages: Messages, tmp_path: Path) -> None:
    report = looked_at(write(tmp_path / "bag", messages[:1]), expected=["rgb"])
    assert codes(report) == {"no-sensor", "sensor-missing"}
    named = looked_at(write(tmp_path / "named", messages), topics={"points": "/top/points"}, expected=["lidar"])
    found = [(each.code, each.where) for each in named.findings]
    assert found == [("sensor-missing", "lidar"), ("topic-missing", "points")]
    assert named.findings[1].what == "/top/points is missing; the nearest is /points"


@pytest.mark.parametrize(
    "topics",
    [
        ("/image",),
        ("/image", "/camera_info", "/depth"),
        ("/infrared", "/points", "/camera_info"),
        ("/points", "/camera_info"),
        ("/image", "/infrared"),
    ],
)
def test_a_vehicle_of_fewer_sensors_is_as_good(messages: Messages, tmp_path: Path, topics: tuple[str, ...]) -> None:
    some = [each for each in messages if each.topic in (*topics, "/tf_static")]
    assert looked_at(write(tmp_path / "bag", some)).findings == []


def test_other_frames_on_the_vehicle_are_no_fault(messages: Messages, tmp_path: Path) -> None:
    assert looked_at(write(tmp_path / "bag", both(wheel(0.3), odometry("base_footprint"))(messages))).findings == []


def test_a_name_that_says_rectified_where_camera_info_says_not(messages: Messages, tmp_path: Path) -> None:
    distorted = fields("/camera_info", d=np.array([-0.3, 0.1, 0.0, 0.0, 0.0]))(messages)
    renamed = [each._replace(topic="/image_rect") if each.topic == "/image" else each for each in distorted]
    report = looked_at(write(tmp_path / "bag", renamed), topics={"image": "/image_rect"})
    assert [(each.code, each.where) for each in report.findings] == [("rectification-unclear", "/image_rect")]


def test_what_is_only_worth_knowing(messages: Messages, tmp_path: Path) -> None:
    bytes_of = cloud(lambda values: np.multiply(values, [1, 1, 1, 255], values))(messages)
    raw_images = rewritten(
        bytes_of,
        "/camera_info",
        lambda message, number: replace(
            message, d=np.array([-1e-3, 0, 0, 0, 0]), k=message.k * np.append(np.full(8, 1.001), 1)
        ),
    )
    report = looked_at(write(tmp_path / "bag", raw_images))
    assert {(each.code, each.severity) for each in report.findings} == {
        ("intensity-scale", INFO),
        ("not-rectified", INFO),
    }


# Changes to the messages


def replaced(message: Any, image: np.ndarray, encoding: str) -> Any:
    """The image message with another image."""
    return type(message)(header=message.header, **numpy_fields(image_fields(image, encoding)))


def images(topic: str, change: Callable[[np.ndarray, int], np.ndarray], encoding: str) -> Fault:
    """Changes every image of the topic."""
    return lambda messages: rewritten(
        messages, topic, lambda message, number: replaced(message, change(read_array(message), number), encoding)
    )


def fields(topic: str, **values: Any) -> Fault:
    """Sets fields of every message of the topic."""

    def change(message: Any, number: int) -> Any:
        return replace(message, **values)

    return lambda messages: rewritten(messages, topic, change)


def frame_id(topic: str, name: str) -> Fault:
    def change(message: Any, number: int) -> Any:
        return replace(message, header=replace(message.header, frame_id=name))

    return lambda messages: rewritten(messages, topic, change)


def stamps(topic: str, change: Callable[[int, int], int]) -> Fault:
    """change: (stamp [ns], number) → stamp."""

    def restamped(message: Any, number: int) -> Any:
        stamp = message.header.stamp
        sec, nanosec = divmod(change(stamp.sec * 1_000_000_000 + stamp.nanosec, number), 1_000_000_000)
        return replace(message, header=replace(message.header, stamp=replace(stamp, sec=sec, nanosec=nanosec)))

    return lambda messages: rewritten(messages, topic, restamped)


def kept(topic: str, keep: Callable[[int], bool]) -> Fault:
    return lambda messages: rewritten(messages, topic, lambda message, number: message if keep(number) else None)


def later(topic: str, milliseconds: Callable[[int], float]) -> Fault:
    """Received later, or measured and received later if `stamps` is changed in the same way."""

    def change(messages: Messages) -> Messages:
        found, number = [], 0
        for each in messages:
            if each.topic == topic:
                each = each._replace(stamp_ns=each.stamp_ns + round(milliseconds(number) * 1e6))
                number += 1
            found.append(each)
        return found

    return change


def both(*faults: Fault) -> Fault:
    def change(messages: Messages) -> Messages:
        for fault in faults:
            messages = fault(messages)
        return messages

    return change


def cloud(change: Callable[[np.ndarray], None]) -> Fault:
    """Changes the sweeps' (N, 4) values in place."""

    def changed(message: Any, number: int) -> Any:
        values = np.frombuffer(message.data, np.float32).reshape(-1, 4).copy()
        change(values)
        return replace(message, data=values.view(np.uint8).ravel())

    return lambda messages: rewritten(messages, "/points", changed)


def turned(axis: int, degrees: float, child: str) -> Fault:
    """Rotates the transform to `child` about an axis of the LiDAR's (x forward, y left, z up)."""
    turn = np.eye(4)
    turn[:3, :3] = cv2.Rodrigues(np.eye(3)[axis] * np.radians(degrees))[0]
    return moved(lambda matrix: turn @ matrix, child)


def moved(change: Callable[[np.ndarray], np.ndarray], child: str) -> Fault:
    def changed(messages: Messages) -> Messages:
        found = []
        for each in messages:
            if each.topic == "/tf_static":
                links = []
                tree: Any = TYPES.deserialize_cdr(each.data, each.type)
                for link in tree.transforms:
                    matrix = transform_matrix(link.transform)
                    assert matrix is not None
                    matrix = change(matrix) if link.child_frame_id == child else matrix
                    links.append((link.header.frame_id, link.child_frame_id, matrix))
                each = serialise_links("/tf_static", each.stamp_ns, links)
            found.append(each)
        return found

    return changed


def without_topic(topic: str) -> Fault:
    return lambda messages: [each for each in messages if each.topic != topic]


def frozen(messages: Messages) -> Messages:
    first: Any = next(TYPES.deserialize_cdr(each.data, each.type) for each in messages if each.topic == "/image")
    return rewritten(messages, "/image", lambda message, number: replace(first, header=message.header))


def swapped(messages: Messages) -> Messages:
    """The thermal image on /depth, and depth in millimetres on /infrared."""
    heat = [read_infrared(TYPES.deserialize_cdr(m.data, m.type)) for m in messages if m.topic == "/infrared"]
    depth = [read_depth(TYPES.deserialize_cdr(m.data, m.type)) for m in messages if m.topic == "/depth"]
    millimetres = [np.nan_to_num(1000 * each).clip(0, 65535).astype(np.uint16) for each in depth]
    messages = images("/depth", lambda image, number: heat[number], "16UC1")(messages)
    return images("/infrared", lambda image, number: millimetres[number], "mono16")(messages)


def mirrored_names(messages: Messages) -> Messages:
    def right(message: Any, number: int) -> Any:
        projection = message.p.copy()
        projection[3] = -0.54 * projection[0]
        return replace(message, p=projection, header=replace(message.header, frame_id="left"))

    named = frame_id("/image", "left")(rewritten(messages, "/camera_info", right))
    named = frame_id("/depth", "left")(frame_id("/infrared", "left")(named))
    return renamed_in_tf(named, "camera", "left")


def renamed_in_tf(messages: Messages, old: str, new: str) -> Messages:
    def changed(message: Any, number: int) -> Any:
        for link in message.transforms:
            link.child_frame_id = new if link.child_frame_id == old else link.child_frame_id
        return message

    return rewritten(messages, "/tf_static", changed)


def body_frame(matrix: np.ndarray) -> np.ndarray:
    """The camera as a body frame: x forward, y left, z up."""
    body = np.eye(4)
    body[:3, 3] = matrix[:3, 3]
    return body


def second_parent(messages: Messages) -> Messages:
    stamp = messages[0].stamp_ns
    return [*messages, serialise_links("/tf_static", stamp, [("base_footprint", "camera", np.eye(4))])]


def wheel(metres: float) -> Fault:
    """Another frame on the vehicle, at this height above the ground."""
    place = np.eye(4)
    place[:3, 3] = -1.0, 0.8, metres
    return lambda messages: [
        *messages,
        serialise_links("/tf_static", messages[0].stamp_ns, [("base_footprint", "rear_wheel", place)]),
    ]


def odometry(child: str) -> Fault:
    def change(messages: Messages) -> Messages:
        zeros = np.zeros(36)
        pose = make(
            "geometry_msgs/msg/Pose",
            position=make("geometry_msgs/msg/Point", x=0.0, y=0.0, z=0.0),
            orientation=make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
        )
        still = make("geometry_msgs/msg/Vector3", x=0.0, y=0.0, z=0.0)
        content = {
            "child_frame_id": child,
            "pose": make("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=zeros),
            "twist": make(
                "geometry_msgs/msg/TwistWithCovariance",
                twist=make("geometry_msgs/msg/Twist", linear=still, angular=still),
                covariance=zeros,
            ),
        }
        at = [each.stamp_ns for each in messages if each.topic == "/image"]
        sent = [raw("/odometry", "nav_msgs/msg/Odometry", t, {"header": header(t, "odom"), **content}) for t in at]
        return [*messages, *sent]

    return change


def blue_sky(messages: Messages) -> Messages:
    """A plain blue sky in the upper half, sent in the wrong order."""

    def change(image: np.ndarray, number: int) -> np.ndarray:
        image = image.copy()
        image[: len(image) // 2] = (110, 160, 225)
        return np.ascontiguousarray(image[..., ::-1])

    return images("/image", change, "rgb8")(messages)


def millimetres(image: np.ndarray, number: int) -> np.ndarray:
    return (image * 1000).astype(np.float32)


def kitti_png(image: np.ndarray, number: int) -> np.ndarray:
    return np.nan_to_num(image * 256).astype(np.uint16)


def behind(values: np.ndarray) -> None:
    values[:, 0] = -np.abs(values[:, 0]) - 2


def noise(image: np.ndarray, number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform(3, 40, image.shape).astype(np.float32)


def sparse(image: np.ndarray, number: int) -> np.ndarray:
    thin = np.full_like(image, np.nan)
    thin[::8, ::8] = image[::8, ::8]
    return thin


def cut(topic: str) -> Fault:
    return lambda messages: rewritten(
        messages, topic, lambda message, number: replace(message, data=message.data[:-99])
    )


def compressed(topic: str) -> Fault:
    def change(message: Any, number: int) -> Any:
        data = cv2.imencode(".png", read_array(message))[1].ravel()
        return make(
            "sensor_msgs/msg/CompressedImage", header=message.header, format="mono16; png compressed", data=data
        )

    return lambda messages: rewritten(messages, topic, change)


def no_rotation(messages: Messages) -> Messages:
    def change(message: Any, number: int) -> Any:
        for link in message.transforms:
            if link.child_frame_id == "camera":
                link.transform.rotation.x = float("nan")
        return message

    return rewritten(messages, "/tf_static", change)


def without_intensity(messages: Messages) -> Messages:
    def change(message: Any, number: int) -> Any:
        for each in message.fields:
            each.name = "ring" if each.name == "intensity" else each.name
        return message

    return rewritten(messages, "/points", change)


def constant(value: float) -> Callable[[np.ndarray], None]:
    def change(values: np.ndarray) -> None:
        values[:, 3] = value

    return change


RAISED = np.zeros((4, 4))
RAISED[2, 3] = 0.6

FAULTS: dict[str, tuple[str, str, Fault]] = {
    "depth in millimetres as 32FC1": ("depth-unit", "depth", images("/depth", millimetres, "32FC1")),
    "depth × 256 as 16UC1": ("depth-unit", "depth", images("/depth", kitti_png, "16UC1")),
    "depth of another baseline": (
        "depth-scale",
        "depth",
        images("/depth", lambda image, number: image * np.float32(1.3), "32FC1"),
    ),
    "NaN depth": ("no-values", "depth", images("/depth", lambda image, number: image * np.float32(np.nan), "32FC1")),
    "depth and infrared swapped": ("sensors-swapped", "depth, infrared", swapped),
    "a black image": ("image-black", "rgb", images("/image", lambda image, number: image // 64, "rgb8")),
    "an image of one colour": (
        "image-constant",
        "rgb",
        images("/image", lambda image, number: np.full_like(image, 90 + number % 2), "rgb8"),
    ),
    "a frozen camera": ("frozen", "rgb", frozen),
    "red and blue swapped": ("colours-swapped", "rgb", blue_sky),
    "an encoding of no image": ("encoding", "/image", fields("/image", encoding="16UC1", step=2 * 373)),
    "8 bits of heat in 16": (
        "bit-depth",
        "infrared",
        images("/infrared", lambda image, number: (image >> 8).astype(np.uint16), "mono16"),
    ),
    "constant intensity": ("intensity-constant", "lidar", cloud(constant(0.5))),
    "intensity of another scale": ("intensity-range", "lidar", cloud(lambda values: np.multiply(values, 0.01, values))),
    "a wrong frame": ("frame-unknown", "velodyne", frame_id("/points", "velodyne")),
    "one frame id of camera and LiDAR": ("frame-duplicate", "/points", frame_id("/points", "camera")),
    "no frame id": ("frame-empty", "/infrared", frame_id("/infrared", "")),
    "no TF": ("tf-missing", "/points", without_topic("/tf_static")),
    "two parents": ("tf-conflict", "camera", second_parent),
    "a body frame": ("optical-frame", "/points", moved(body_frame, "camera")),
    "depth in a frame of its own": ("frame-mismatch", "/depth", frame_id("/depth", "depth_camera")),
    "no camera_info": ("camera-info-missing", "/camera_info", without_topic("/camera_info")),
    "camera_info of another size": ("info-size", "/camera_info", fields("/camera_info", width=640, height=480)),
    "not rectified, perhaps": (
        "rectification-unclear",
        "/camera_info",
        fields("/camera_info", d=np.array([-0.3, 0.1, 0.0, 0.0, 0.0])),
    ),
    "the right camera, called left": ("left-right", "/image", mirrored_names),
    "LiDAR yawed by 3°": ("lidar-misaligned", "lidar", turned(2, 3.0, "camera")),
    "a tilted mount": ("ground-tf", "base_footprint", turned(0, 6.0, "lidar")),
    "a ground frame above the ground": (
        "ground-tf",
        "base_footprint",
        moved(lambda matrix: matrix + RAISED, "lidar"),
    ),
    "a wheel in the air": ("ground-tf", "rear_wheel", wheel(1.9)),
    "LiDAR pitched by 3°": ("lidar-misaligned", "lidar", turned(1, 3.0, "camera")),
    "a slow camera": ("rate-low", "/image", kept("/image", lambda number: number % 4 == 0)),
    "dropped messages": ("messages-dropped", "/points", kept("/points", lambda number: number not in (4, 5, 11))),
    "jitter": (
        "rate-jitter",
        "/infrared",
        stamps("/infrared", lambda stamp, number: stamp + (-1) ** number * 24_000_000),
    ),
    "stamps of zero": ("stamp-zero", "/points", stamps("/points", lambda stamp, number: 0)),
    "repeated stamps": (
        "stamp-repeated",
        "/depth",
        stamps("/depth", lambda stamp, number: stamp - 100_000_000 * (number % 2)),
    ),
    "a late LiDAR": ("sensor-late", "/points", later("/points", lambda number: 220.0)),
    "a clock ahead": ("clock-offset", "/points", stamps("/points", lambda stamp, number: stamp + 480_000_000)),
    "a clock since boot": (
        "clock-offset",
        "/points",
        stamps("/points", lambda stamp, number: stamp - 1_599_999_000_000_000_000),
    ),
    "out of step": (
        "pairing-low",
        "/depth",
        both(
            kept("/image", lambda number: number % 2 == 0),
            kept("/depth", lambda number: number % 2 == (number > 5)),
        ),
    ),
    "stamps that go back": (
        "stamp-order",
        "/infrared",
        stamps("/infrared", lambda stamp, number: stamp - 300_000_000 * (number == 9) + 3_000_000 * (number % 2)),
    ),
    "images without their end": ("message-broken", "/infrared", cut("/infrared")),
    "a transform of no rotation": ("tf-broken", "camera", no_rotation),
    "a LiDAR that sees what is behind": ("lidar-out-of-view", "/points", cloud(behind)),
    "LiDAR yawed by 180°": ("lidar-misaligned", "lidar", turned(2, 180.0, "camera")),
    "camera_info of no camera": ("info-broken", "/camera_info", fields("/camera_info", k=np.zeros(9), p=np.zeros(12))),
    "hardly any depth": ("depth-holes", "depth", images("/depth", sparse, "32FC1")),
    "depth of noise": ("depth-unrelated", "depth", images("/depth", noise, "32FC1")),
    "no intensity": ("intensity-missing", "lidar", without_intensity),
    "compressed images under the plain name": ("topic-type", "/infrared", compressed("/infrared")),
    "odometry of no frame": ("odometry-frame", "odometry", odometry("chassis")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(name: str, messages: Messages, tmp_path: Path) -> None:
    code, where, fault = FAULTS[name]
    report = looked_at(write(tmp_path / "bag", fault(messages)))
    assert codes(report) == {code}, [f"{each.code} {each.where}: {each.what}" for each in report.findings]
    (found,) = (each for each in report.findings if each.code == code)
    assert (found.where, found.severity, found.mend) == (where, KINDS[code].severity, KINDS[code].mend)
