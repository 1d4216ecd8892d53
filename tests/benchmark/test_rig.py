# SPDX-License-Identifier: Apache-2.0
"""The measurement of several cameras: its rig and its tables."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.assembly.calibration import read_calibration_file
from perception.assembly.settings.topics import calibration_beside, cameras, read_topics
from perception.frame import CameraModel

ROOT = Path(__file__).resolve().parents[2]
AHEAD = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module("rig")
    monkeypatch.delitem(sys.modules, "rig")
    return module


def test_cameras_look_to_the_right_of_each_other(rig: Any, tmp_path: Path) -> None:
    file = rig.write_rig(tmp_path, CameraModel(np.eye(3), 4, 3), AHEAD, 2)
    assert cameras(str(file)) == ("camera0", "camera1")
    assert read_topics(f"{file}:camera1")["image"] == "/image1"
    path = calibration_beside(f"{file}:camera1")
    assert path is not None
    mount = read_calibration_file(path).lidar_to_camera
    assert mount is not None
    # 60° to the right of straight ahead is straight ahead of the second camera.
    right = [np.cos(np.radians(60)), -np.sin(np.radians(60)), 0, 1]
    np.testing.assert_allclose(mount @ right, [0, 0, 1, 1], atol=1e-8)


def test_the_tables_have_a_row_for_each_measurement(rig: Any) -> None:
    row = {
        "cameras": 2,
        "processes": "several",
        "threads": 1,
        "masks_hz": 9.8,
        "latency_ms": {"p50": 61.2, "p95": None},
        "merged_hz": 9.7,
        "whole_share": 0.97,
        "cores": 1.9,
        "memory_mb": 900.0,
        "models": ["dual_branch_s × 0.5"],
    }
    made = rig.tables({"rows": [row], "outside": {"all around": {"points": 34720, "ms": 12.3}}})
    assert made["rig"].rows == [
        ["2", "2 and 1", "1", "9.8", "61, –", "9.7", "97%", "1.9", "900", "dual_branch_s × 0.5"]
    ]
    assert made["rig_points"].rows == [["all around", "34720", "12.3"]]
