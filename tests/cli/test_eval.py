# SPDX-License-Identifier: Apache-2.0
"""`perception eval`: what it prints and writes, and one line for each mistake."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from perception.cli.main import main


@pytest.fixture
def camvid_root(tmp_path):
    """CamVid with three small validation images, all road below the horizon."""
    ids = np.zeros((64, 96), np.uint8)
    ids[32:] = 3
    for folder, content in (("val", np.full((64, 96, 3), 128, np.uint8)), ("valannot", ids)):
        (tmp_path / "camvid" / folder).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / "camvid" / folder / f"{i:05d}.png"), content)
    return tmp_path / "camvid"


def test_it_prints_a_table_and_writes_json(camvid_root, tmp_path, capsys):
    report_path = tmp_path / "out" / "report.json"
    assert main(["eval", "camvid", str(camvid_root), "--limit", "2", "--json", str(report_path)]) == 0
    printed = capsys.readouterr().out
    for word in ("camvid, split val", "2 frames", "road", "vehicle", "pedestrian", "pixel accuracy", "frames/s"):
        assert word in printed
    report = json.loads(report_path.read_text())
    assert (report["dataset"], report["split"], report["frames"]) == ("camvid", "val", 2)
    assert [frame["name"] for frame in report["per_frame"]] == ["val/00000", "val/00001"]
    assert set(report["iou"]) == {"road", "vehicle", "pedestrian"}
    assert len(report["weights_sha256"]) == 64


def test_a_simulated_drive_needs_no_folder(tmp_path, capsys):
    report_path = tmp_path / "report.json"
    arguments = [
        "--seed",
        "3",
        "--drives",
        "2",
        "--frames",
        "1",
        "--modalities",
        "lidar,infrared",
        "--json",
        str(report_path),
    ]
    assert main(["eval", "simulated", *arguments]) == 0
    assert "only lidar + infrared" in capsys.readouterr().out
    report = json.loads(report_path.read_text())
    assert (report["seed"], report["condition"], report["modalities"]) == (3, "day", ["lidar", "infrared"])
    assert report["modality_weights"]["rgb"] == 0
    assert [frame["name"].split("/")[0] for frame in report["per_frame"]] == ["day-0003", "day-0004"]


def test_details_are_printed_on_demand(camvid_root, capsys):
    assert main(["eval", "camvid", str(camvid_root), "--limit", "1", "--detail"]) == 0
    printed = capsys.readouterr().out
    for word in ("road, as KITTI scores it", "half found", "medium", "MaxF", "expected calibration error: 0."):
        assert word in printed
    assert "bird's-eye view" not in printed  # CamVid's camera is not known


def test_vehicles_at_lidar_points(tmp_path, capsys):
    """One frame in KITTI's object layout: the boxes are the only ground truth."""
    root = tmp_path / "object" / "training"
    for folder in ("image_2", "velodyne", "calib", "label_2"):
        (root / folder).mkdir(parents=True)
    cv2.imwrite(str(root / "image_2/000000.png"), np.full((96, 320, 3), 90, np.uint8))
    ahead = np.random.default_rng(0).uniform((8, -3, -1, 0), (25, 3, 1, 1), (500, 4)).astype("<f4")
    ahead.tofile(root / "velodyne/000000.bin")
    (root / "calib/000000.txt").write_text(
        "P0: 180 0 160 0 0 180 48 0 0 0 1 0\nP2: 180 0 160 11 0 180 48 0 0 0 1 0\n"
        "R0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
    )
    (root / "label_2/000000.txt").write_text("Car 0 0 0 100 40 200 60 2.5 3 6 0 1.5 15 -1.57\n")
    reports = []
    for kept in ("rgb,lidar", "rgb"):
        path = tmp_path / f"{kept}.json"
        arguments = ["--modalities", kept, "--json", str(path)]
        assert main(["eval", "kitti-object", str(tmp_path / "object"), *arguments]) == 0
        printed = capsys.readouterr().out
        assert "IoU of LiDAR points" in printed
        assert "pixel accuracy" not in printed
        reports.append(json.loads(path.read_text()))
    assert reports[0]["points"] == reports[1]["points"] > 100
    assert reports[0]["point_iou"]["vehicle"] is not None
    assert reports[0]["point_iou"]["road"] is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["camvid"], "camvid: no folder given; use `perception eval camvid ROOT`"),
        (["camvid", "/nowhere"], "/nowhere/val: no such folder"),
        (["simulated", "--condition", "nite"], "'nite'"),
    ],
)
def test_mistakes_are_one_line(arguments, reason, capsys):
    assert main(["eval", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["camvid", ".", "--modalities", "ridar"], "no sensor is called 'ridar'; did you mean 'radar'?"),
        (["camvid", ".", "--limit", "0"], "at least 1"),
    ],
)
def test_wrong_options_are_one_line(arguments, reason, capsys):
    with pytest.raises(SystemExit):
        main(["eval", *arguments])
    assert reason in capsys.readouterr().err
