# SPDX-License-Identifier: Apache-2.0
"""`perception eval --report`: one page of whatever was scored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.kitti_benchmarks import write_semantics

from perception.cli.main import main
from perception.simulation import SimulatedDrive
from perception.simulation.storage import write_drive


def page(path: Path) -> str:
    """The page's text, with every picture's bytes left out; nothing in it may be fetched or run."""
    text = re.sub(r"data:(image/\w+);base64,[A-Za-z0-9+/=]+", r"\1", path.read_text("utf-8"))
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!image/)', text)
    return text


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Two small frames of a simulated day."""
    return write_drive(SimulatedDrive(1, "day", 2, scale=0.1), tmp_path / "drive")


def test_scores_become_plots_tables_and_pictures(drive: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "scores.html"
    assert main(["eval", "simulated", str(drive), "--report", str(path)]) == 0
    text = page(path)
    for words in (
        "Perception scores: simulated", "2 frames were given to the network.", "IoU vehicle", "latency p99 [ms]",
        "IoU by distance. ", "IoU of each class, frame by frame.", "Weight of each sensor over time; mean: rgb ",
        "No sensor was away.", "The best frame, ", "The worst frame, ", "The truth of ", "Road, as KITTI scores it",
        "expected calibration error", "weights_sha256", "openvino",
    ):  # fmt: skip
        assert words in text, words
    assert text.count("image/jpeg") == 4
    assert text.count("image/png") == 5


def test_a_suite_has_its_rows_as_bars(drive: Path, tmp_path: Path) -> None:
    path = tmp_path / "suite.html"
    arguments = ["--limit", "1", "--modalities", "rgb,lidar", "--suite", "robustness", "--report", str(path)]
    assert main(["eval", "simulated", str(drive), *arguments]) == 0
    text = page(path)
    for words in ("mean IoU of each subset of sensors: ", "mean IoU, camera corrupted: ", "jpeg_compression"):
        assert words in text, words
    assert text.count("image/jpeg") == 2  # a single frame and its truth


def test_frames_without_truth_have_pictures(tmp_path: Path) -> None:
    root, path = write_semantics(tmp_path / "semantics"), tmp_path / "test.html"
    arguments = ["--split", "test", "--submission", str(tmp_path / "out"), "--report", str(path)]
    assert main(["eval", "kitti-semantics", str(root), *arguments]) == 0
    text = page(path)
    assert "The surest frame, testing/" in text
    assert f"2 files in {tmp_path / 'out'}" in text
    assert "mean IoU" not in text
