# SPDX-License-Identifier: Apache-2.0
"""`perception init`: from a bag, or a live vehicle, to the file that every command takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from helpers import rigs

from perception.assembly.settings.topics import read_topics
from perception.cli.main import main


def test_three_commands_lead_to_masks(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands in the page, of which the first is pip install."""
    rigs.write(tmp_path / "bag", rigs.lidar)
    monkeypatch.chdir(tmp_path)
    assert main(["init", "bag"]) == 0
    said = capsys.readouterr().out
    assert "points: /ouster/points (PointCloud2, 300×1, x y z intensity, 10.0 Hz, frame os_lidar)\n" in said
    assert said.endswith("rig.yaml written; next: perception label bag\n")
    assert main(["label", "bag", "--model", str(tiny_model)]) == 0
    assert f"topics from {tmp_path}/rig.yaml" in capsys.readouterr().out
    assert len(list((tmp_path / "labels/bag/labels").glob("*.png"))) == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give a bag, or --live"),
        (["bag", "--live"], "give a bag, or --live"),
        (["missing"], "missing: no such bag, drive or folder; init takes a rosbag2"),
        (["bag", "-o", "rig"], "rig: name it .yaml"),
        (["bag", "-o", "taken.yaml"], "taken.yaml: exists already; remove it, or name another file with -o"),
    ],
)
def test_mistakes_get_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    line: str,
) -> None:
    rigs.write(tmp_path / "bag", rigs.lidar)
    (tmp_path / "taken.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["init", *arguments]) == 2
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not (tmp_path / "taken.yaml").read_text()


def test_a_live_vehicle_is_asked(ros: Any, tmp_path: Path) -> None:
    """A bag that is replayed: the recorded messages are received."""
    bag = rigs.write(tmp_path / "recorded/bag", rigs.lidar, rigs.frames(10))
    perception = [sys.executable, "-m", "perception"]
    replay = subprocess.Popen([*perception, "replay", str(bag), "--loop"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(2)
        command = [*perception, "init", "--live", "--seconds", "8"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    finally:
        replay.terminate()
        replay.wait(20)
    assert done.returncode == 0, done.stderr
    assert "next: perception node --topics rig.yaml" in done.stdout
    assert read_topics(str(tmp_path / "rig.yaml")) == {
        "image": "/front/image_rect",
        "camera_info": "/front/camera_info",
        "points": "/ouster/points",
    }
    assert "Image rgb8, 96×64, " in done.stdout
