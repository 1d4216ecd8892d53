# SPDX-License-Identifier: Apache-2.0
"""The ROS part of `perception bench`, with a network that takes no time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.bench_frame import frame

from perception.messages.stamps import read_stamp
from perception.ros.bench.drive import LoopSource, drive


def test_a_loop_repeats_its_frames_with_stamps_of_their_own() -> None:
    source = LoopSource([frame(0), frame(255)], hz=20, seconds=0.25)
    images = list(source.messages(["/image"], source.start_ns, source.end_ns))
    assert source.count == len(images) == source.topics["/image"].messages == 5
    stamps = [message.stamp_ns for message in images]
    assert stamps == [read_stamp(message.data) for message in images]
    assert set(np.diff(stamps)) == {50_000_000}
    assert (stamps[0], stamps[-1]) == (source.start_ns, source.end_ns)
    assert [message.data[-1] for message in images] == [0, 255, 0, 255, 0]
    assert {message.topic for message in source.messages(source.topics, 0, source.start_ns)} == {
        "/image",
        "/camera_info",
        "/points",
        "/depth",
        "/infrared",
    }


def test_a_drive_says_what_the_node_answered_and_took(tiny_model: Path, tmp_path: Path) -> None:
    sent: list[None] = []
    mount = frame().lidar_to_camera
    assert mount is not None
    numbers = ", ".join(repr(float(number)) for number in mount.ravel())
    arguments = ["--ros-args", "-p", f"model:={tiny_model}", "-p", f"lidar_to_camera:=[{numbers}]"]
    figures = drive([frame()], 5.0, 2.0, arguments, tmp_path / "node.log", lambda: sent.append(None))
    assert figures.frames_sent == len(sent) == 10
    assert 0 < figures.frames_answered <= 10
    assert figures.answered_share == figures.frames_answered / 10
    assert sum(figures.drops_by_cause.values()) == 10 - figures.frames_answered
    assert 0 < figures.latency_ms["p50"] <= figures.latency_ms["p99"]
    assert figures.ready_s > 0
    memory = figures.effort.memory_mb
    assert memory is not None
    assert 20 < memory.start <= memory.peak
    assert figures.effort.cpu_percent is not None
    assert figures.effort.cpu_percent > 0
