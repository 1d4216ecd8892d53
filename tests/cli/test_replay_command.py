# SPDX-License-Identifier: Apache-2.0
"""`perception replay` as a user runs it: in a process of its own, on a network of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from perception.cli.main import make_parser
from perception.ros.node_process import private_network


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perception", "replay", *map(str, arguments)]
    with private_network():
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_drive_is_published(kitti_drive: Path, tmp_path: Path) -> None:
    done = replay(kitti_drive, "--topics", "/image", "/tf_static", "--json", tmp_path / "out" / "replay.json")
    assert done.returncode == 0, done.stderr
    assert "/image" in done.stdout
    assert json.loads((tmp_path / "out" / "replay.json").read_text())["messages"]["/image"] == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["missing"], "missing: no such bag or drive"),
        (["."], "no DATE_drive_NNNN_sync folder"),
        (["DRIVE", "--topics", "/imag"], "/imag: not in the recording"),
        (["DRIVE", "--wait-for", "/image", "--wait-timeout", "0.2"], "nobody subscribed to /image within 0.2 s"),
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
