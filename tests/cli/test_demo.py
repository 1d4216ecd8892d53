# SPDX-License-Identifier: Apache-2.0
"""`perception demo` as a user runs it, shortened: every file must be there and every figure must add up."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import pytest
from rich.console import Console
from rosbags.highlevel import AnyReader

from perception.evaluation.demo_report import DemoReport, Series
from perception.evaluation.demo_table import table
from perception.evaluation.scores.drive_score import DriveSummary
from perception.reporting.drive_report import lead
from perception.reporting.reports import plain

pytest.importorskip("rclpy")

KEYS = {
    "frames_sent", "frames_answered", "frames_dropped", "fps", "latency_ms", "iou", "pixel_accuracy", "weights_sha256",
    "versions", "drops_by_cause", "stages_ms", "seconds", "seed", "condition", "modality_weights",
}  # fmt: skip


def demo(output: Path, *arguments: object) -> tuple[dict[str, Any], str]:
    command = [sys.executable, "-m", "perception", "demo", "-o", str(output), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((output / "report.json").read_text()), done.stdout


def check(output: Path, report: dict[str, Any], frames: int) -> None:
    assert report["schema"] == "perception/demo-report/1"
    assert report.keys() >= KEYS
    assert report["frames_sent"] == frames
    assert report["frames_answered"] + report["frames_dropped"] == frames
    assert sum(report["drops_by_cause"].values()) >= report["frames_dropped"]
    assert report["frames_answered"] >= 1
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p95"] <= report["latency_ms"]["p99"]
    assert len(report["weights_sha256"]) == 64
    assert len(report["series"]["frames"]) == frames
    video = cv2.VideoCapture(str(output / "drive.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == frames
    assert cv2.imread(str(output / "montage.png")).shape[1] == 1800
    assert "data:image/png;base64," in (output / "report.html").read_text()
    assert (output / "node.log").stat().st_size > 0


def test_a_simulated_drive(tmp_path: Path) -> None:
    output = tmp_path / "out" / "demo"
    report, table = demo(output, "--frames", 20, "--seed", 3, "--json", tmp_path / "copy.json")
    check(output, report, 20)
    assert (report["seed"], report["condition"]) == (3, "day")
    assert set(report["iou"]) == {"road", "vehicle", "pedestrian"}
    assert 0 < report["pixel_accuracy"] <= 1
    assert all(set(band["iou"]) == set(report["iou"]) for band in report["distance"].values())
    assert report["sensor_dropouts"] == []
    # Where the LiDAR sits, the node hears from the bag's /tf_static. A busy machine may answer few frames with it.
    assert report["modality_weights"]["lidar"] > 0, (output / "node.log").read_text("utf-8")
    assert "IoU by distance. " in (output / "report.html").read_text("utf-8")
    assert json.loads((tmp_path / "copy.json").read_text()) == report
    with AnyReader([output / "bag"]) as bag:
        counts = {connection.topic: connection.msgcount for connection in bag.connections}
    sensors = ("/image", "/camera_info", "/points", "/depth", "/infrared")
    assert counts == {"/tf_static": 1} | dict.fromkeys(sensors, 20)
    for words in ("frames sent", "frames answered", "frames dropped", "FPS", "p50", "IoU", "pixel accuracy"):
        assert words in table


def test_a_kitti_drive_into_a_folder_that_was_used(kitti_drive: Path, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "report.json").write_text("old")
    report, _ = demo(tmp_path / "demo", "--kitti", kitti_drive.parent.parent)
    check(tmp_path / "demo", report, 4)
    assert report["iou"] == {"road": None, "vehicle": None, "pedestrian": None}
    assert "no ground truth" in report["iou_reason"]


def test_a_node_that_is_too_slow_is_told_so_instead_of_a_count() -> None:
    words = "does not keep up: 9 of 25 Hz; try rgb at 9 Hz"
    summary = DriveSummary(
        frames_sent=105, frames_answered=37, frames_dropped=68, fps=9.1, latency_ms={"p50": 110.0}, iou={},
        mean_iou=None, pixel_accuracy=None,
    )  # fmt: skip
    report = DemoReport(
        source="a drive", seed=None, condition=None, summary=summary, iou_reason="n/a", period_ms=40.0,
        drops_by_cause={"superseded": 68}, falls_behind=words, replay_late_ms=0.0, stages_ms={}, modality_weights={},
        sensor_dropouts=[], classes=[], seconds={}, model="", model_scale=1.0, model_looks=1, weights_sha256="",
        versions={}, distance={}, series=Series([], []),
    )  # fmt: skip
    shown = StringIO()
    Console(width=200, file=shown).print(table(report))
    assert f"68 ({words})" in shown.getvalue()
    assert lead(plain(report)).endswith(f"68 dropped (68 superseded). The node {words}.")


def test_mistakes_get_one_line(tmp_path: Path, kitti_drive: Path) -> None:
    mine = tmp_path / "demo" / "bag" / "bag_0.mcap"
    mine.parent.mkdir(parents=True)
    mine.touch()
    for arguments, line in (
        (["--kitti", str(kitti_drive)], "not written by a demo"),
        (["--kitti", "missing"], "missing"),
        (["--model", "nonsense"], "nonsense"),
        (["--condition", "snow"], "invalid choice: 'snow'"),
    ):
        command = [sys.executable, "-m", "perception", "demo", "-o", str(tmp_path / "demo"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert line in done.stderr
        assert "Traceback" not in done.stderr
    assert mine.exists()
