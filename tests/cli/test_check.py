# SPDX-License-Identifier: Apache-2.0
"""`perception check` as a user runs it: tables, files, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perception.cli.main import main


def run(*arguments: object) -> int:
    return main(["check", *map(str, arguments)])


def test_a_drive_gets_tables_and_files(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four frames of noise: the only finding is that there are too few."""
    out = tmp_path / "out"
    code = run(kitti_drive, "-o", out, "--json", tmp_path / "c.json", "--model", tiny_model, "--threads", 1)
    shown = capsys.readouterr().out
    content = json.loads((out / "check.json").read_text())
    assert content == json.loads((tmp_path / "c.json").read_text())
    found = {each["code"] for each in content["findings"]}
    assert "too-short" in found
    assert code == int(content["errors"] + content["warnings"] > 0)
    assert all(each["code"] in shown and each["mend"] in shown for each in content["findings"])
    # The tiny network has only the camera.
    assert set(content["changes"]) == {"rgb", "lidar"}
    assert content["changes"]["lidar"]["pixels"] == 0 < content["changes"]["rgb"]["pixels"]
    page = (out / "check.html").read_text()
    assert page.index("<h2>Findings</h2>") < page.index("<img")
    assert page.count("<img") >= 2
    assert "what to do" in page


def test_the_exit_code_is_what_fail_on_says(kitti_drive: Path) -> None:
    quick = (kitti_drive, "--compare", 0, "--frames", 2)
    missing = (*quick, "--expect", "rgb", "depth")
    assert run(*missing) == 1
    assert run(*missing, "--fail-on", "error") == 1
    assert run(*missing, "--fail-on", "never") == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give either a bag or a drive, or --live"),
        (["bag", "--live"], "give either a bag or a drive, or --live"),
        (["missing", "--compare", "0"], "missing: no such bag, drive or folder"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1


def check_live(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perception", "check", "--live", "--compare", "0", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env={**os.environ, "COLUMNS": "200"}
    )


def test_live_without_a_vehicle_says_so(tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    from perception.ros.node_process import private_network

    with private_network():
        done = check_live(
            "--seconds", "1", "--json", str(tmp_path / "c.json"), "--ros-args", "-r", "image:=/left/image"
        )
    assert done.returncode == 1, done.stderr
    every = json.loads((tmp_path / "c.json").read_text())["findings"]
    (found,) = (each for each in every if each["severity"] == "ERROR")
    assert found["code"] == "no-sensor"
    assert "/left/image" in found["what"]
