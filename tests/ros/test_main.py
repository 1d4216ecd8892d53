# SPDX-License-Identifier: Apache-2.0
"""The node as a command: how it starts, what it loads, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from perception.threads import cores

COMMAND = [sys.executable, "-m", "perception", "node"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A node that is ready, and its output so far."""
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        try:
            while "ready: " not in said:
                line = process.stderr.readline()
                assert line, f"the node ended early: {said}"
                said += line
            yield process, said
        finally:
            process.terminate()  # a killed node would leave its shared memory behind


@pytest.mark.parametrize("signals", [(signal.SIGTERM,), (signal.SIGINT,), (signal.SIGINT, signal.SIGINT)])
def test_asked_to_stop_it_ends_with_code_0(ros: Any, tiny_model: Path, signals: Sequence[signal.Signals]) -> None:
    with started("--ros-args", "-p", f"model:={tiny_model}") as (process, _):
        for number in signals:
            process.send_signal(number)
            time.sleep(0.05)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_shipped_weights_start_without_what_a_vehicle_does_not_need(ros: Any) -> None:
    with started() as (process, _):
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        loaded = [name for name in ("torch", "mmcv", "open3d", "matplotlib") if f"/{name}/" in mapped]
    assert loaded == []
    assert "/openvino/" in mapped


def test_a_topic_preset_renames_the_inputs_but_a_remapping_wins(ros: Any, tiny_model: Path) -> None:
    remapped = ["--ros-args", "-r", "points:=/mine", "-p", f"model:={tiny_model}"]
    with started("--topics", "kitti2bag", *remapped) as (_, said):
        assert "/kitti/camera_color_left/image_raw, " in said
        assert "/mine" in said
        assert "/kitti/velo" not in said


def test_the_calibration_of_the_topics_file_counts_where_no_parameter_names_one(
    ros: Any, tiny_model: Path, tmp_path: Path
) -> None:
    rig, parameters = tmp_path / "rig.yaml", tmp_path / "mine.yaml"
    rig.write_text("image: /front/image\nlidar_to_camera: [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]\n")
    parameters.write_text(f"/**: {{ros__parameters: {{model: {tiny_model}, calibration_file: ''}}}}\n")
    arguments = ["--topics", str(rig), "--ros-args", "--params-file", str(parameters)]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"{rig}: lidar_to_camera: no rigid transform" in done.stderr
    rig.write_text(rig.read_text().replace("[2,", "[1,"))
    with started(*arguments) as (_, said):
        assert "/front/image, " in said


def test_a_callback_that_fails_in_rclpy_does_not_end_it(ros: Any, tiny_model: Path) -> None:
    """As with a time on /clock that rclpy refuses."""
    parameters = ["-p", f"model:={tiny_model}", "-p", "use_sim_time:=true"]
    with started("--ros-args", *parameters) as (process, said):
        node = Node("clock", context=ros)
        publisher = node.create_publisher(Clock, "/clock", 10)
        heard = threading.Event()

        def publish() -> None:
            """Wait until it is discovered: how long that takes depends on the machine."""
            while not heard.wait(0.1):
                publisher.publish(Clock(clock=Time(sec=-1)))

        with ThreadPoolExecutor(1) as executor:
            executor.submit(publish)
            try:
                while "must not be negative; please report it" not in said:
                    assert process.stderr is not None
                    line = process.stderr.readline()
                    assert line, f"the node ended: {said}"
                    said += line
            finally:
                heard.set()
        node.destroy_node()
        assert process.poll() is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-p", "model:=nowhere.xml"], "nowhere.xml"),
        (["-p", "calibration_file:=nowhere.yaml"], "nowhere.yaml: No such file"),
        (["-p", "engine:=abacus"], "engine: 'abacus' is unknown"),
        (["-p", "threads:=1000"], "out of range"),
        (["--params-file", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_mistakes_at_start_are_one_line(ros: Any, tmp_path: Path, arguments: list[str], reason: str) -> None:
    command = [*COMMAND, "--ros-args", *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert reason in done.stderr.splitlines()[-1]


def test_rigs_share_one_network_and_one_that_cannot_start_leaves_the_other_alone(
    ros: Any, tiny_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "rear.yaml"
    file.write_text("/rear/perception: {ros__parameters: {calibration_file: /nowhere.yaml}}")
    parameters = ["-p", f"model:={tiny_model}", "--params-file", str(file)]
    with started("--rigs", "front", "rear", "--ros-args", *parameters) as (process, said):
        assert "/front/image, " in said
        while "/nowhere.yaml" not in said:
            assert process.stderr is not None
            said += process.stderr.readline()
        assert process.poll() is None


def test_a_camera_of_a_rig_alone_has_its_part_of_the_cores_unless_it_is_told_how_many(
    ros: Any, tiny_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text("points: /top\ncameras: {front: {image: /a}, rear: {image: /b}}\n")
    part = max(1, cores() // 2)
    for parameters, divided in (([], True), (["-p", "threads:=2"], False)):
        words = ["--ros-args", "-p", f"model:={tiny_model}", *parameters]
        with started("--topics", f"{file}:rear", *words) as (_, said):
            assert (f"threads: {part}, as 2 cameras share {cores()} cores" in said) == divided
            listening = said.split("listening to ")[1]
            assert {"/b", "/top", "/rear/depth"} <= set(listening.strip().split(", "))
