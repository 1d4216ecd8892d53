# SPDX-License-Identifier: Apache-2.0
"""Bags of KITTI raw drives: order, stamps, topics, memory. With test_kitti_messages.py, there is a test for each known
fault of converters and publishers of KITTI."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.kitti import FRAMES, STAMPS, raw_drive
from hypothesis import given
from hypothesis import strategies as st
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosHistory, QosReliability

from perception.assembly.settings.topics import read_topics
from perception.bags.kitti.bag import count_messages, serialise_recording
from perception.bags.raw import RawBagWriter, header
from perception.bags.sources import open_bag
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.recording import instants
from perception.errors import DataError
from perception.messages.convert import stamp_ns

SECOND = 1_317_042_272_000_000_000  # 2011-09-26 13:04:32 UTC
LEFT = "/kitti/camera_color_left"


def test_every_sensor_keeps_its_own_stamps_to_the_nanosecond(synced: dict[str, list[Any]]) -> None:
    """Not truncated to microseconds, not those of the OXTS."""
    topics = {"image_00": "/kitti/camera_gray_left/image_raw", "image_01": "/kitti/camera_gray_right/camera_info",
              "image_02": f"{LEFT}/image_raw", "image_03": "/kitti/camera_color_right/image_raw",
              "oxts": "/kitti/oxts/imu", "velodyne_points": "/kitti/velo/pointcloud"}  # fmt: skip
    for sensor, topic in topics.items():
        expected = [SECOND + STAMPS[sensor] + 100_000_000 * i for i in range(FRAMES)]
        assert [stamp_ns(message) for message in synced[topic]] == expected
    for name in ("/kitti/oxts/gps/fix", "/kitti/oxts/gps/vel"):
        assert [stamp_ns(m) for m in synced[name]] == [stamp_ns(m) for m in synced["/kitti/oxts/imu"]]


def test_the_time_zone_of_the_machine_does_not_matter(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert open_drive(drive).start_ns == SECOND + STAMPS["velodyne_points"]
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.integers(0, 2**31 - 1), st.integers(0, 999_999_999))
def test_any_stamp_survives_the_message(sec: int, nanosec: int) -> None:
    message = header(sec * 1_000_000_000 + nanosec, "x")
    assert (message.stamp.sec, message.stamp.nanosec) == (sec, nanosec)


@given(st.dictionaries(st.integers(0, 10**6), st.integers(0, 2**62), max_size=30), st.sets(st.integers(0, 10**6)))
def test_streams_are_in_the_order_of_stamps(stamps: dict[int, int], without: set[int]) -> None:
    found = instants(stamps.keys() | without, stamps)
    assert [instant.stamp_ns for instant in found] == sorted(stamps.values())
    assert {instant.number: instant.stamp_ns for instant in found} == stamps


def test_messages_come_in_the_order_of_stamps_though_a_clock_steps_back(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    path = drive / "oxts/timestamps.txt"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    stamps = [raw.stamp_ns for raw in serialise_recording(open_drive(drive))]
    assert stamps == sorted(stamps)


def test_blank_velodyne_stamps_are_midway_through_the_turn_and_else_left_out(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    path = drive / "velodyne_points/timestamps.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "", lines[2]]) + "\n")
    assert [i.stamp_ns for i in open_drive(drive).sweeps.instants] == [
        SECOND + STAMPS["velodyne_points"] + 100_000_000 * i for i in range(FRAMES)
    ]
    for suffix in ("start", "end"):
        (drive / f"velodyne_points/timestamps_{suffix}.txt").unlink()
    recording = open_drive(drive)
    assert [i.number for i in recording.sweeps.instants] == [0, 2]
    assert recording.left_out == ["velodyne_points: 1 without a stamp in timestamps.txt are left out"]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_topics_are_reliable_and_tf_static_is_latched(drive: Path, tmp_path: Path, storage: str) -> None:
    recording = open_drive(drive)
    with RawBagWriter(tmp_path / "bag", storage) as writer:
        for message in serialise_recording(recording):
            writer.write(message)
    assert writer.counts == count_messages(recording)
    with AnyReader([tmp_path / "bag"]) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == count_messages(recording)
        for connection in reader.connections:
            (qos,) = connection.ext.offered_qos_profiles
            latched = connection.topic == "/tf_static"
            assert qos.reliability == QosReliability.RELIABLE
            assert (qos.durability == QosDurability.TRANSIENT_LOCAL) == latched
            assert (qos.history, qos.depth) == (QosHistory.KEEP_LAST, 1 if latched else 5)
    source = open_bag(tmp_path / "bag")
    assert (source.start_ns, source.topics["/tf_static"].latched) == (recording.start_ns, True)
    source.close()


def test_the_nodes_preset_finds_its_topics(drive: Path) -> None:
    preset, recording = read_topics("kitti2bag"), open_drive(drive)
    assert {preset["image"], preset["camera_info"], preset["points"]} <= count_messages(recording).keys()
    assert preset["image/compressed"] in count_messages(recording, compressed=True)


def test_files_are_read_when_their_turn_comes(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path, frames=9)
    stream = serialise_recording(open_drive(drive), threads=1)
    next(stream)
    last = drive / "image_02/data/0000000008.png"
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"0000000008\.png: truncated PNG"):
        list(stream)


def test_memory_does_not_grow_with_the_drive(tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        drive = raw_drive(tmp_path / str(frames), cameras=(2,), frames=frames)
        for path in (drive / "velodyne_points/data").iterdir():
            path.write_bytes(bytes(16 * 10_000))
        recording = open_drive(drive)
        tracemalloc.start()
        for _ in serialise_recording(recording, threads=2):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(40) < 1.5 * peak(10)  # the sweeps alone have 6.4 and 1.6 MB


def test_a_reader_that_stops_early_leaves_no_thread_waiting(drive: Path) -> None:
    stream: Iterator[Any] = serialise_recording(open_drive(drive), threads=2)
    next(stream)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kitti2bag")]
