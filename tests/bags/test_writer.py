# SPDX-License-Identifier: Apache-2.0
"""Bags are read back with rosbags' own reader: every value, stamp and frame id must survive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability

from perception.assembly.transforms import transform_matrix
from perception.bags.frames import BagFrames
from perception.bags.sources import open_bag
from perception.bags.writer import write_bag
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.messages.convert import read_array, read_camera, read_depth, read_points, read_rgb, stamp_ns

STAMP = 1_700_000_000_123_456_789
CAMERA = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), 64, 24, "camera_color_left")
LIDAR_TO_CAMERA = np.eye(4)
LIDAR_TO_CAMERA[:3, :3] = cv2.Rodrigues(np.array([1.3, -0.2, 0.1]))[0]
LIDAR_TO_CAMERA[:3, 3] = 0.1, -0.2, 0.3


def make_frame(index: int, **overrides: object) -> Frame:
    rng = np.random.default_rng(index)
    fields: dict[str, object] = {
        "stamp_ns": STAMP + index * 100_000_000,
        "rgb": rng.integers(0, 256, (24, 64, 3), np.uint8),
        "depth": np.where(rng.random((24, 64)) < 0.2, np.nan, rng.uniform(1, 80, (24, 64))).astype(np.float32),
        "infrared": rng.integers(0, 65536, (24, 64), np.uint16),
        "points": rng.random((50, 4)).astype(np.float32),
        "camera": CAMERA,
        "lidar_to_camera": LIDAR_TO_CAMERA,
    }
    return Frame(**{**fields, **overrides})  # type: ignore[arg-type]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_every_value_survives(tmp_path: Path, storage: str) -> None:
    frames = [make_frame(i) for i in range(3)]
    assert write_bag(iter(frames), tmp_path / "bag", storage) == 3
    by_stamp = {frame.stamp_ns: frame for frame in frames}
    seen: dict[str, int] = {}
    with AnyReader([tmp_path / "bag"]) as reader:
        for connection, recorded_ns, data in reader.messages():
            seen[connection.topic] = seen.get(connection.topic, 0) + 1
            if connection.topic == "/tf_static":
                continue
            message = reader.deserialize(data, connection.msgtype)
            frame = by_stamp[recorded_ns]
            assert stamp_ns(message) == recorded_ns
            if connection.topic == "/image":
                np.testing.assert_array_equal(read_rgb(message), frame.rgb)
            elif connection.topic == "/depth":
                np.testing.assert_array_equal(read_depth(message), frame.depth)
            elif connection.topic == "/infrared":
                assert message.encoding == "mono16"
                np.testing.assert_array_equal(read_array(message), frame.infrared)
            elif connection.topic == "/points":
                assert message.header.frame_id == "lidar"
                np.testing.assert_array_equal(read_points(message, intensity_max=1.0), frame.points)
            else:
                camera = read_camera(message)
                np.testing.assert_array_equal(camera.intrinsics, CAMERA.intrinsics)
                assert (camera.width, camera.height, camera.frame_id) == (64, 24, "camera_color_left")
    assert seen == {"/tf_static": 1} | dict.fromkeys(("/image", "/camera_info", "/points", "/depth", "/infrared"), 3)


def test_extrinsics_are_latched_and_say_where_the_camera_is(tmp_path: Path) -> None:
    write_bag([make_frame(0)], tmp_path / "bag")
    with AnyReader([tmp_path / "bag"]) as reader:
        connection = next(c for c in reader.connections if c.topic == "/tf_static")
        assert connection.ext.offered_qos_profiles[0].durability == QosDurability.TRANSIENT_LOCAL
        _, _, data = next(reader.messages([connection]))
        stamped = reader.deserialize(data, connection.msgtype).transforms[0]
    assert (stamped.header.frame_id, stamped.child_frame_id) == ("lidar", "camera_color_left")
    camera_in_lidar = transform_matrix(stamped.transform)
    assert camera_in_lidar is not None
    np.testing.assert_allclose(camera_in_lidar @ LIDAR_TO_CAMERA, np.eye(4), atol=1e-12)


def test_frames_come_back(tmp_path: Path) -> None:
    written = [make_frame(0), make_frame(1, points=None, lidar_to_camera=None), make_frame(20, rgb=None)]
    write_bag(written, tmp_path / "bag")
    read = list(BagFrames(tmp_path / "bag"))
    assert [frame.stamp_ns for frame in read] == [frame.stamp_ns for frame in written]
    for before, after in zip(written, read, strict=True):
        assert after.modalities == before.modalities
        for name in ("rgb", "depth", "infrared"):
            if getattr(before, name) is not None:
                np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
        if before.points is not None:
            away = (np.abs(before.points[:, :3]) > 0.5).any(axis=1)  # what is nearer is the vehicle itself
            np.testing.assert_array_equal(after.points, before.points[away])
            np.testing.assert_allclose(after.lidar_to_camera, LIDAR_TO_CAMERA, atol=1e-12)


def test_only_the_sensors_that_are_there(tmp_path: Path) -> None:
    frame = make_frame(0, rgb=None, depth=None, points=None, camera=None, lidar_to_camera=None)
    frame.infrared = np.full((24, 64), 7, np.uint8)
    write_bag([frame], tmp_path / "bag")
    source = open_bag(tmp_path / "bag")
    assert {name: topic.messages for name, topic in source.topics.items()} == {"/infrared": 1}
    source.close()


def test_an_interrupted_run_leaves_no_bag(tmp_path: Path) -> None:
    def broken_off() -> Iterator[Frame]:
        yield make_frame(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bag(broken_off(), tmp_path / "bag")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    left = tmp_path / ".bag.partial" / "bag"
    left.mkdir(parents=True)
    (left / "bag.mcap").write_bytes(b"half")
    assert write_bag([make_frame(0)], tmp_path / "bag") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_mistakes_are_explained(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(DataError, match="exists already"):
        write_bag([make_frame(0)], tmp_path / "taken")
    with pytest.raises(DataError, match="no frames"):
        write_bag([], tmp_path / "empty")
    with pytest.raises(DataError, match="'zip' is unknown"):
        write_bag([make_frame(0)], tmp_path / "bag", "zip")
    with pytest.raises(DataError, match="no such bag"):
        open_bag(tmp_path / "missing")
    (tmp_path / "taken" / "taken.mcap").write_bytes(b"")
    with pytest.raises(DataError, match=r"no metadata\.yaml"):
        open_bag(tmp_path / "taken")
    assert not (tmp_path / "empty").exists()
