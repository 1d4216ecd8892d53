# SPDX-License-Identifier: Apache-2.0
"""`perception doctor`: what is installed, what is missing for which command, and an exit code for broken items."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from perception.checking import machine as doctor_checks
from perception.cli.main import main
from perception.paths import WEIGHTS


def examined(tmp_path: Path) -> tuple[int, dict[tuple[str, str], Any]]:
    report = tmp_path / "doctor.json"
    code = main(["doctor", "--json", str(report)])
    return code, {(row["area"], row["name"]): row for row in json.loads(report.read_text())["findings"]}


def test_it_says_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = examined(tmp_path)
    assert code == 0
    assert rows["engine", "openvino"]["state"] == "ok"
    assert rows["weights", "dual_branch_s.bin"]["state"] == "ok"
    assert {state for row in rows.values() if (state := row["state"]) != "ok"} <= {"missing"}
    assert {area for area, _ in rows} == {"machine", "engine", "ROS 2", "extras", "weights", "data"}
    assert "0 broken" in capsys.readouterr().out


def test_what_is_missing_says_for_what_and_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "rclpy", None)
    code, rows = examined(tmp_path)
    assert code == 0
    assert rows["engine", "torch"]["state"] == "missing"
    assert "pip install 'multimodal_perception[train]'" in rows["engine", "torch"]["need"]
    assert rows["ROS 2", "rclpy"]["state"] == "missing"
    assert "node, replay" in rows["ROS 2", "rclpy"]["need"]


def test_what_is_broken_is_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "weights"
    shutil.copytree(WEIGHTS, damaged)
    with (damaged / "dual_branch_s.bin").open("r+b") as file:
        file.seek(1000)
        file.write(b"changed")
    (damaged / "dual_branch_s_int8.xml").unlink()
    monkeypatch.setattr(doctor_checks, "WEIGHTS", damaged)
    monkeypatch.setenv("PERCEPTION_DATA", str(tmp_path / "nowhere"))
    code, rows = examined(tmp_path)
    assert code == 1
    broken = {name for (_, name), row in rows.items() if row["state"] == "broken"}
    assert broken == {"dual_branch_s.bin", "dual_branch_s_int8.xml", "PERCEPTION_DATA"}
