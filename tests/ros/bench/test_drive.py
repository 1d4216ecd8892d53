# SPDX-License-Identifier: Apache-2.0
"""The ROS part of `perception bench`, with a network that takes no time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from perception.benchmark.stages import STAGES, collect, overhead_ratio
from perception.errors import PerceptionError
from perception.frame import CameraModel, Frame
from perception.messages.stamps import read_stamp
from perception.pipeline import Pipeline
from perception.ros.bench import growth as bench_growth
from perception.ros.bench.drive import LoopSource, drive
from perception.ros.bench.listener import listener
from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised


def frame(brightness: int = 64) -> Frame:
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=5,
        rgb=np.full((64, 96, 3), brightness, np.uint8),
        depth=np.full((64, 96), 7.0, np.float32),
        infrared=np.full((64, 96), 3000, np.uint16),
        points=rng.uniform((2, -5, -1, 0), (40, 5, 1, 1), (500, 4)).astype(np.float32),
        camera=CameraModel(np.array([[80.0, 0, 48], [0, 80, 32], [0, 0, 1]]), 96, 64),
        lidar_to_camera=np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
    )


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


def test_every_stage_of_a_frame_is_timed(tiny_model: Path) -> None:
    pipeline, messages = Pipeline.load(tiny_model, threads=1), serialised(frame())
    with frame_stages(pipeline, frame(), DEFAULT_OUTPUTS) as stages:
        times = collect({"frame": lambda: stages(messages)}, rounds=2)["frame"]
        with pytest.raises(PerceptionError, match="/points"):
            stages({**messages, "/points": serialised(_empty_sweep())["/points"]})
    assert tuple(times) == STAGES
    assert overhead_ratio(times) > 0


def test_growth_has_a_row_for_everything_that_grows(tiny_model: Path) -> None:
    told: list[None] = []
    grown = bench_growth.growth(Pipeline.load(tiny_model, threads=1), [frame()], 1, lambda: told.append(None))
    assert len(told) == bench_growth.steps()
    assert [row["scale"] for row in grown["image_scale"]] == list(bench_growth.SCALES)
    assert (grown["image_scale"][-1]["width"], grown["image_scale"][-1]["height"]) == (192, 128)
    assert [row["points"] for row in grown["points"]] == list(bench_growth.POINT_COUNTS)
    assert [row["outputs"] for row in grown["outputs"]] == list(bench_growth.OUTPUTS)
    assert [row["cameras"] for row in grown["cameras"]] == [1, 2, 3, 4]
    assert all(row["rate_hz"] > 0 for row in grown["cameras"])


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


def test_a_listener_that_cannot_listen_is_an_error() -> None:
    with pytest.raises(PerceptionError, match="ended with code 1"), listener({"/x": "no_such_msgs/msg/Thing"}):
        pass


def _empty_sweep() -> Frame:
    return replace(frame(), points=np.empty((0, 4), np.float32))
