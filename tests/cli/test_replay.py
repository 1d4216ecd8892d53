# SPDX-License-Identifier: Apache-2.0
"""`perception replay` as a user runs it: in a separate process, on a separate network."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from helpers.kitti import raw_drive
from helpers.vehicle import PATIENT, Vehicle, wait_for
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

from perception.cli.main import make_parser
from perception.messages.convert import stamp_ns
from perception.ros.node_process import NodeProcess, private_network
from perception.ros.spinning import spinning


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perception", "replay", *map(str, arguments)]
    with private_network():
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_drive_is_published(kitti_drive: Path, tmp_path: Path) -> None:
    done = replay(kitti_drive, "--only", "/image", "/tf_static", "--json", tmp_path / "out" / "replay.json")
    assert done.returncode == 0, done.stderr
    assert "/image" in done.stdout
    report = json.loads((tmp_path / "out" / "replay.json").read_text())
    assert (report["schema"], report["messages"]["/image"]) == ("perception/replay-report/1", 3)


def late_words(log: Path, words: str) -> list[str]:
    """The node's lines with `words`, but for its first second with messages: /tf_static may come after a sweep."""
    lines = re.findall(r"^\[\w+\] \[([\d.]+)\] (.*)", log.read_text(), re.MULTILINE)
    began = next(float(time_s) for time_s, said in lines if "first message" in said)
    return [said for time_s, said in lines if words in said and float(time_s) > began + 1]


def test_the_lidar_of_a_drive_is_used_without_a_word(ros: Any, tiny_model: Path, tmp_path: Path) -> None:
    """The LiDAR's pose is published on /tf_static: the node gets no other, and tf2 need not be installed."""
    drive, frames = raw_drive(tmp_path, cameras=(2,), frames=30), 30
    command = [sys.executable, "-m", "perception", "replay", str(drive), "--rate", "0.5", "--wait-for", "/image"]
    own = Node("listener", context=ros)
    try:
        arguments = ["--ros-args", "-p", f"model:={tiny_model}", *PATIENT]
        with spinning(own), NodeProcess(arguments, tmp_path / "node.log") as node:
            vehicle = Vehicle(own)
            vehicle.listen(PointCloud2, "/perception/points")
            node.wait_until_active(own)
            wait_for(lambda: own.count_publishers("/perception/points"))
            done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
            wait_for(lambda: vehicle.statuses()["fusion"][2].get("weight_lidar") == "0.5")
    finally:
        own.destroy_node()
    labels, clouds = vehicle.labels().keys(), {stamp_ns(message) for message in vehicle.all("/perception/points")}
    assert len(labels) > frames / 2
    # A sweep has its own stamp, 10 ms before the image's in the drive. Before that, it was unknown that there is a
    # LiDAR.
    since = [stamp for stamp in labels if stamp >= min(clouds)]
    assert len(since) > frames / 2
    beside = [stamp for stamp in since if any(0 < stamp - cloud < 30e6 for cloud in clouds)]
    assert len(beside) / len(since) > 0.9
    assert "left out" not in done.stderr
    assert late_words(tmp_path / "node.log", "left out") == []


def test_topics_go_out_under_the_names_that_the_node_listens_to_too(kitti_drive: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("depth: /image\ninfrared: /points\n")
    waiting = ("--wait-for", "/image", "--wait-timeout", "0.1")
    done = replay(kitti_drive, "--topics", tmp_path / "mine.yaml", *waiting)
    assert "published: /image also as /depth\n" in done.stderr
    assert "infrared: /points is of the type sensor_msgs/msg/PointCloud2, not sensor_msgs/msg/Image" in done.stderr
    assert "no subscriber of /image" in done.stderr


def test_what_options_were_called_before_is_taken_with_a_word(kitti_drive: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("depth: /image\n")
    done = replay(kitti_drive, "--topics", "/image", "--preset", tmp_path / "mine.yaml", "--duration", "0.1")
    assert done.returncode == 0, done.stderr
    assert "perception replay: --topics with recorded topics is called --only now" in done.stderr
    assert "perception replay: --preset is called --topics now" in done.stderr
    assert "/image also as /depth" in done.stderr
    assert "/points" not in done.stdout
    done = replay(kitti_drive, "--topics", "/image", "/points")
    assert done.returncode == 2
    assert done.stderr.startswith("perception replay: --topics with recorded topics is called --only now\n")


def test_the_recording_may_come_behind_its_topics() -> None:
    args = make_parser("replay").parse_args(["--topics", "rig.yaml", "bag", "--only", "/image", "/points"])
    assert (args.topics, str(args.path), args.only) == ("rig.yaml", "bag", ["/image", "/points"])


def test_keys_of_a_terminal_halt_step_and_end(kitti_drive: Path, tmp_path: Path) -> None:
    """A real terminal, as far as the program can tell."""
    summary = tmp_path / "replay.json"
    command = [sys.executable, "-m", "perception", "replay", str(kitti_drive), "--loop", "--paused"]
    with private_network():
        child, terminal = pty.fork()
        if child == 0:  # nothing but exec may be done here
            os.execv(command[0], [*command, "--only", "/image", "--json", str(summary)])
        said = _until(terminal, "q ends")
        assert "space pauses" in said
        time.sleep(0.5)
        for _ in range(2):
            os.write(terminal, b"\x1b[C")
            time.sleep(0.4)
        os.write(terminal, b"q")
        _until(terminal, None)
        assert os.waitpid(child, 0)[1] == 0
        os.close(terminal)
    assert json.loads(summary.read_text())["messages"] == {"/image": 2}


def _until(terminal: int, text: str | None) -> str:
    """Everything that the terminal shows until the text appears, or until its program ends."""
    said, deadline = "", time.monotonic() + 60
    while (text is None or text not in said) and time.monotonic() < deadline:
        try:
            said += os.read(terminal, 4096).decode(errors="ignore")
        except OSError:  # how Linux says that nobody is at the other end any more
            break
    return said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["missing"], "missing: no such bag, drive or folder"),
        (["."], "is not a recording: it has"),
        (["DRIVE", "--only", "/imag"], "/imag: not in the recording"),
        (["DRIVE", "--wait-for", "/image", "--wait-timeout", "0.2"], "no subscriber of /image within 0.2 s"),
    ],
)
def test_mistakes_get_one_line(kitti_drive: Path, arguments: list[str], line: str) -> None:
    done = replay(*(kitti_drive if argument == "DRIVE" else argument for argument in arguments))
    assert done.returncode == 2
    assert line in done.stderr
    assert "Traceback" not in done.stderr


def test_options_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    parser = make_parser("replay")
    assert parser.parse_args(["bag", "--remap", "/a:=/b", "/c:=/d"]).remap == [("/a", "/b"), ("/c", "/d")]
    for wrong in (["--rate", "0"], ["--rate", "nan"], ["--start", "-1"], ["--remap", "/a=/b"], ["--stamps", "later"]):
        with pytest.raises(SystemExit):
            parser.parse_args(["bag", *wrong])
    assert "is not of the form FROM:=TO" in capsys.readouterr().err


def test_a_report_of_the_published_side(kitti_drive: Path, tmp_path: Path) -> None:
    done = replay(kitti_drive, "--only", "/image", "--report", tmp_path / "out" / "replay.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "replay.html").read_text("utf-8")
    assert "only the published side" in text
    assert text.count("data:image/png;base64,") == 2
