# SPDX-License-Identifier: Apache-2.0
"""Replays over real DDS to a subscriber in the same process; the clock is the real one, so times have margins."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

import rclpy
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from perception.bags.kitti.messages import marker_message
from perception.bags.raw import RawBagWriter
from perception.bags.sources import open_bag
from perception.bags.writer import TYPES, serialise, serialise_extrinsics, write_bag
from perception.errors import DataError, PerceptionError
from perception.frame import CameraModel, Frame
from perception.messages.convert import read_points, read_rgb, stamp_ns
from perception.messages.stamps import read_stamp, with_stamp
from perception.recordings.opening import open_messages
from perception.recordings.pace import Pace
from perception.ros.dds import use_profile
from perception.ros.node_process import private_network
from perception.ros.replay import Published, Replay, _move_list
from perception.ros.spinning import spinning

STAMP = 1_600_000_000_000_000_007
STEP = 50_000_000
CAMERA = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), 64, 24)


def make_frame(index: int) -> Frame:
    rng = np.random.default_rng(index)
    rgb = rng.integers(0, 256, (24, 64, 3), np.uint8)
    points = rng.random((50, 4)).astype(np.float32)
    return Frame(STAMP + index * STEP, rgb=rgb, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "bag"
    write_bag([make_frame(i) for i in range(8)], path)
    return path


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    use_profile()
    with private_network() as domain:
        context = rclpy.Context()  # type: ignore[attr-defined]
        rclpy.init(context=context, domain_id=domain)
        node = rclpy.create_node("replay_test", context=context)
        with spinning(node):
            yield node
        rclpy.try_shutdown(context=context)  # type: ignore[attr-defined]


class Listener:
    """Keeps (arrival wall time, message) of one topic."""

    def __init__(self, node: Node, kind: Any, topic: str) -> None:
        self.got: list[tuple[int, Any]] = []
        node.create_subscription(kind, topic, lambda message: self.got.append((time.time_ns(), message)), 50)

    def wait(self, count: int) -> None:
        deadline = time.monotonic() + 5
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.01)


def play(node: Node, path: Path, prefix: str, wait: list[str], **options: Any) -> tuple[Any, list[Published], Replay]:
    """Replay the bag under topics of the test's own."""
    published: list[Published] = []
    with closing(open_messages(path)) as source:
        remap = {name: prefix + name for name in source.topics}
        replay = Replay(node, source, remap=remap, **options)
        replay.wait_for_subscribers(wait, 10)
        time.sleep(0.2)
        return replay.run(on_publish=published.append), published, replay


def test_real_time_with_stamps_of_now(node: Node, bag: Path) -> None:
    images = Listener(node, Image, "/a/image")
    clouds = Listener(node, PointCloud2, "/a/points")
    summary, published, _ = play(node, bag, "/a", ["/image", "/points"])
    images.wait(8)
    clouds.wait(8)
    assert len(images.got) == len(clouds.got) == 8
    for index, ((arrived, image), (_, cloud)) in enumerate(zip(images.got, clouds.got, strict=True)):
        frame = make_frame(index)
        assert stamp_ns(image) == stamp_ns(cloud)
        assert -1e6 < arrived - stamp_ns(image) < 1e9  # never from the future: the stamp is the planned moment
        np.testing.assert_array_equal(read_rgb(image), frame.rgb)
        np.testing.assert_array_equal(read_points(cloud, 1.0), frame.points)
    steps = np.diff([stamp_ns(image) for _, image in images.got])
    assert (steps == STEP).all()  # one constant offset
    assert 0.35 < summary.seconds < 5
    assert summary.messages["/image"] == 8
    sent = [p for p in published if p.topic == "/image"]
    assert [p.recorded_ns for p in sent] == [STAMP + i * STEP for i in range(8)]
    assert [p.stamp_ns for p in sent] == [stamp_ns(image) for _, image in images.got]


def test_a_second_name_goes_out_to_whoever_listens(node: Node, bag: Path) -> None:
    first, second = Listener(node, CameraInfo, "/s/camera_info"), Listener(node, CameraInfo, "/s/second")
    options: dict[str, Any] = {"topics": ["/camera_info"], "also": {"/camera_info": "/s/second"}}
    summary, published, _ = play(node, bag, "/s", ["/camera_info"], **options)
    for listener in (first, second):
        listener.wait(8)
        assert len(listener.got) == 8
    assert summary.messages == {"/camera_info": 8}
    assert len(published) == 8


def test_span_rate_and_recorded_stamps(node: Node, bag: Path) -> None:
    infos = Listener(node, CameraInfo, "/b/camera_info")
    options: dict[str, Any] = {"topics": ["/camera_info"], "rate": 2.0, "start": 0.1, "duration": 0.2, "stamps": "bag"}
    summary, _, _ = play(node, bag, "/b", ["/camera_info"], **options)
    infos.wait(5)
    assert [stamp_ns(info) for _, info in infos.got] == [STAMP + i * STEP for i in range(2, 7)]
    assert summary.messages == {"/camera_info": 5}
    took = (infos.got[-1][0] - infos.got[0][0]) / 1e9
    assert 0.05 < took < 0.5  # 0.2 s at twice the speed


@pytest.mark.parametrize("stamps", ["now", "bag"])
def test_headers_without_stamps_have_the_time_of_their_recording(
    node: Node, bag: Path, tmp_path: Path, stamps: str
) -> None:
    """All are different, and none is of 1970 plus what the replay adds."""
    with closing(open_bag(bag)) as source, RawBagWriter(tmp_path / "bare") as writer:
        for message in source.messages(["/image"], source.start_ns, source.end_ns):
            writer.write(message._replace(data=with_stamp(message.data, 0)))
    images = Listener(node, Image, f"/z{stamps}/image")
    summary, published, _ = play(node, tmp_path / "bare", f"/z{stamps}", ["/image"], stamps=stamps)
    images.wait(8)
    got = [stamp_ns(image) for _, image in images.got]
    if stamps == "bag":
        assert got == [STAMP + number * STEP for number in range(8)]
    assert np.diff(got).tolist() == [STEP] * 7
    assert [each.recorded_ns for each in published] == [STAMP + number * STEP for number in range(8)]
    assert summary.unstamped == {"/image": 8}


def test_clock_runs_with_the_recording(node: Node, bag: Path) -> None:
    clock = Listener(node, Clock, "/clock")
    time.sleep(0.3)
    play(node, bag, "/c", [], topics=["/camera_info"], clock=True, stamps="bag")
    time.sleep(0.2)
    times = [m.clock.sec * 1_000_000_000 + m.clock.nanosec for _, m in clock.got]
    assert times == sorted(times)
    assert times[-1] == STAMP + 7 * STEP
    assert len(times) > 8


def test_a_broken_bag_is_played_to_where_it_breaks(node: Node, tmp_path: Path) -> None:
    write_bag([make_frame(i) for i in range(80)], tmp_path / "bag", "sqlite3")
    (file,) = (tmp_path / "bag").glob("*.db3")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 7 // 10])
    summary, published, _ = play(node, tmp_path / "bag", "/broken", [], rate=20)
    assert summary.broken.startswith(f"{tmp_path}/bag: broken: bag.db3: ")
    assert 20 <= summary.messages["/image"] < 80
    images = [p.recorded_ns for p in published if p.topic == "/image"]
    assert images == [STAMP + i * STEP for i in range(summary.messages["/image"])]


def test_loop_until_stopped(node: Node, bag: Path) -> None:
    stop, counts = threading.Event(), []

    def count(message: Published) -> None:
        counts.append(message)
        if len(counts) == 20:
            stop.set()

    with closing(open_bag(bag)) as source:
        replay = Replay(node, source, topics=["/camera_info"], remap={"/camera_info": "/d/camera_info"}, rate=4)
        replay.run(stop, loop=True, on_publish=count)
    assert [m.recorded_ns for m in counts[:9]] == [STAMP + i % 8 * STEP for i in range(9)]
    assert len(counts) == 20


def test_a_halt_on_the_way_moves_the_stamps_of_what_comes_after(node: Node, bag: Path) -> None:
    infos, pace = Listener(node, CameraInfo, "/h/camera_info"), Pace()
    for seconds in (0.35, 0.85):  # Replay begins 0.2 s after play, and its first message comes 0.1 s later
        threading.Timer(seconds, pace.toggle).start()
    summary, _, _ = play(node, bag, "/h", ["/camera_info"], topics=["/camera_info"], pace=pace)
    infos.wait(8)
    stamps = [stamp_ns(info) for _, info in infos.got]
    assert len(stamps) == 8
    steps = np.diff(stamps)
    assert (steps >= STEP).all()
    assert (steps > STEP).sum() <= 1
    assert all(-1e6 < arrived - stamp < 1e9 for (arrived, _), stamp in zip(infos.got, stamps, strict=True))
    assert summary.late_ms < 400  # of which none is the halt's


def test_a_kitti_drive_needs_no_bag(node: Node, kitti_drive: Path) -> None:
    images = Listener(node, Image, "/e/image")
    clouds = Listener(node, PointCloud2, "/e/points")
    play(node, kitti_drive, "/e", ["/image", "/points"])
    images.wait(3)
    clouds.wait(3)
    assert (len(images.got), len(clouds.got)) == (3, 3)
    assert images.got[0][1].header.frame_id == "camera_color_left_optical"


def test_mistakes_are_explained(node: Node, bag: Path) -> None:
    with closing(open_bag(bag)) as source:
        with pytest.raises(DataError, match="/imag: not in the recording, which has /camera_info, /image"):
            Replay(node, source, topics=["/imag"])
        with pytest.raises(DataError, match=r"start 5 s is after the recording's end at 0\.3 s"):
            Replay(node, source, start=5)
        with pytest.raises(PerceptionError, match=r"no subscriber of /image within 0\.2 s"):
            Replay(node, source).wait_for_subscribers(["/image"], 0.2)


def test_stamps_are_patched_in_place() -> None:
    image, info, cloud = serialise(make_frame(0))
    for message in (image, info, cloud):
        assert read_stamp(message.data) == STAMP
        moved = with_stamp(message.data, STAMP + 3_999_999_999)
        assert stamp_ns(TYPES.deserialize_cdr(moved, message.type)) == STAMP + 3_999_999_999
        assert with_stamp(moved, STAMP) == message.data


def test_transforms_and_markers_move_too() -> None:
    for message, name in (
        (serialise_extrinsics(STAMP, np.eye(4), CAMERA), "transforms"),
        (marker_message([], STAMP), "markers"),
    ):
        data, latest, _ = _move_list(message.type, message, 1_000_000_001)
        assert latest == STAMP + 1_000_000_001
        moved: Any = TYPES.deserialize_cdr(data, message.type)
        assert [stamp_ns(each) for each in getattr(moved, name)] == [latest]
